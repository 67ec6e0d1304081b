"""How DuckDB reads one table of a query: exactly the planned objects, with the types that the catalog says."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from localcloud.athena import json_scan
from localcloud.athena.column_types import Type, literal, quoted, to_duckdb
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import NULL_PARTITION, GlueTable, Partition
from localcloud.athena.objects import DataObject, Footer

PATH_COLUMN = "$path"
FORMATS = frozenset({"json", "parquet", "csv", "opencsv"})
_FILE = "__file"
MAX_CSV_LINE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Planned:
    """The objects that a query reads of a table: one entry per partition that holds any."""

    table: GlueTable
    partitions: Sequence[tuple[Partition, Sequence[DataObject]]]
    folding: bool = False
    """Whether JSON keys must be compared ignoring their case."""
    lenient: bool = False
    """Whether a JSON value that does not fit its column's type is NULL."""

    @property
    def objects(self) -> list[DataObject]:
        return [found for _, objects in self.partitions for found in objects]


def scan_sql(planned: Planned, needed: Collection[str] | None, footers: Sequence[Footer] = ()) -> str:
    """Return a SELECT of the table's `needed` columns (None: all) over exactly the planned objects.

    A column that a file lacks is NULL, one of another type is cast, and a table without objects has no rows.
    """
    table = planned.table
    if table.format not in FORMATS:
        raise QueryFailure(
            "NOT_SUPPORTED",
            f"Table {table.name} is of a format that this engine does not read: {table.format}",
        )
    columns = {name: type_ for name, type_ in table.columns.items() if needed is None or name in needed}
    keys = {name: type_ for name, type_ in table.partition_keys.items() if needed is None or name in needed}
    wants_path = needed is not None and PATH_COLUMN in needed
    if not planned.objects:
        return _nothing(columns | keys, wants_path)
    reader, expressions = _reader(planned, columns, footers, bool(keys) or wants_path)
    source = reader
    if keys:
        hive = _is_hive_style(planned)
        if not hive:
            source = f"{reader} AS data JOIN {_mapping(planned, keys)} AS parts ON data.{_FILE} = parts.{_FILE}"
        for name, type_ in keys.items():
            origin = f"regexp_extract(data.{_FILE}, '/{name}=([^/]*)/', 1)" if hive else f"parts.{quoted(name)}"
            expressions.append(f"CAST(nullif({origin}, '{NULL_PARTITION}') AS {to_duckdb(type_)}) AS {quoted(name)}")
        source = source if not hive else f"{reader} AS data"
    if wants_path:
        expressions.append(f"{'data.' if keys else ''}{_FILE} AS {quoted(PATH_COLUMN)}")
    return f"SELECT {', '.join(expressions) or '1 AS __row'} FROM {source}"


def _nothing(columns: Mapping[str, Type], wants_path: bool) -> str:
    nulls = [f"CAST(NULL AS {to_duckdb(type_)}) AS {quoted(name)}" for name, type_ in columns.items()]
    nulls += [f"CAST(NULL AS VARCHAR) AS {quoted(PATH_COLUMN)}"] if wants_path else []
    return f"SELECT {', '.join(nulls) or '1 AS __row'} WHERE FALSE"


def _is_hive_style(planned: Planned) -> bool:
    """Tell whether every location spells its partition as `key=value` folders, so that the path tells the values."""
    keys = list(planned.table.partition_keys)
    for partition, _ in planned.partitions:
        folders = "".join(f"{key}={value}/" for key, value in zip(keys, partition.values, strict=True))
        path = partition.location.rstrip("/") + "/"
        if not path.endswith("/" + folders) or quote(folders, safe="/=-_.") != folders or path.count("=") != len(keys):
            return False
    return True


def _mapping(planned: Planned, keys: Mapping[str, Type]) -> str:
    positions = [list(planned.table.partition_keys).index(name) for name in keys]
    rows = ", ".join(
        "(" + ", ".join([literal(found.uri), *(literal(partition.values[position]) for position in positions)]) + ")"
        for partition, objects in planned.partitions
        for found in objects
    )
    return f"(SELECT * FROM (VALUES {rows}) AS v({_FILE}, {', '.join(quoted(name) for name in keys)}))"


def _reader(
    planned: Planned, columns: Mapping[str, Type], footers: Sequence[Footer], with_file: bool
) -> tuple[str, list[str]]:
    readers = {"json": _json, "parquet": _parquet, "csv": _csv, "opencsv": _csv}
    files = "[" + ", ".join(literal(_unglobbed(found.uri)) for found in planned.objects) + "]"
    file_option = f", filename = '{_FILE}'" if with_file else ""
    return readers[planned.table.format](planned, columns, footers, files, file_option)


def _unglobbed(uri: str) -> str:
    if any(character in uri for character in "*?["):
        raise QueryFailure("NOT_SUPPORTED", f"an object's key may not hold any of * ? [ for this engine; got {uri!r}")
    return uri


def _json(
    planned: Planned, columns: Mapping[str, Type], footers: Sequence[Footer], files: str, file_option: str
) -> tuple[str, list[str]]:
    return json_scan.reader_sql(planned.table, columns, files, file_option, planned.folding, planned.lenient)


def _parquet(
    planned: Planned, columns: Mapping[str, Type], footers: Sequence[Footer], files: str, file_option: str
) -> tuple[str, list[str]]:
    everywhere = set.intersection(*(set(footer.column_bytes) for footer in footers))
    anywhere = set.union(*(set(footer.column_bytes) for footer in footers))
    union = any(name in anywhere and name not in everywhere for name in columns)
    expressions = [
        f"CAST({quoted(name) if name in anywhere else 'NULL'} AS {to_duckdb(type_)}) AS {quoted(name)}"
        for name, type_ in columns.items()
    ]
    option = ", union_by_name = true" if union else ""
    return f"read_parquet({files}, hive_partitioning = false{option}{file_option})", expressions


def _csv(
    planned: Planned, columns: Mapping[str, Type], footers: Sequence[Footer], files: str, file_option: str
) -> tuple[str, list[str]]:
    table = planned.table
    serde = table.serde_parameters
    quoting = table.format == "opencsv"
    delimiter = serde.get("separatorChar") or serde.get("field.delim") or serde.get("serialization.format") or ","
    delimiter = {"1": "\x01", "\\t": "\t", "\\u0001": "\x01"}.get(delimiter, delimiter)
    quote_character = serde.get("quoteChar", '"') if quoting else serde.get("quoteChar", "")
    escape = serde.get("escapeChar", "\\") if quoting else serde.get("escape.delim", "")
    skip = table.parameters.get("skip.header.line.count") or serde.get("skip.header.line.count") or "0"
    names = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in table.columns)
    null = "\\N" if not quoting else "\x00"
    reader = (
        f"read_csv({files}, columns = {{{names}}}, auto_detect = false, header = false, skip = {int(skip)}, "
        f"delim = {literal(delimiter)}, quote = {literal(quote_character)}, "
        f"escape = {literal(escape if quoting else '')}, nullstr = {literal(null)}, null_padding = true, "
        f"strict_mode = false, ignore_errors = true, "
        f"hive_partitioning = false, max_line_size = {MAX_CSV_LINE_BYTES}{file_option})"
    )
    return reader, [
        f"TRY_CAST({quoted(name)} AS {to_duckdb(type_)}) AS {quoted(name)}" for name, type_ in columns.items()
    ]


def scanned_bytes(planned: Planned, needed: Collection[str] | None, footers: Sequence[Footer]) -> int:
    """Return the bytes that the scan reads: whole objects, of Parquet the compressed chunks of the needed columns."""
    if planned.table.format != "parquet":
        return sum(found.size for found in planned.objects)
    return sum(
        size for footer in footers for name, size in footer.column_bytes.items() if needed is None or name in needed
    )
