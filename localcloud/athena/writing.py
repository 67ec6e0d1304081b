"""INSERT INTO, CREATE TABLE AS and UNLOAD: rows go to local files first, then to S3, then into the catalog.

As on Athena, what was put before a failure stays: nothing refers to it but the manifest, which is written last.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localcloud.athena.column_types import Type, literal, parse_hive, quoted, to_duckdb, to_hive, to_trino
from localcloud.athena.ddl import FORMATS
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, TableCatalog
from localcloud.athena.objects import is_data, split_uri
from localcloud.athena.purposes import Property, Purpose
from localcloud.athena.results import text_sql

MAX_PARTITIONS = 100
_FORMATS = {"PARQUET": "parquet", "JSON": "json", "TEXTFILE": "csv"}
_PARQUET_CODECS = {"GZIP": "gzip", "SNAPPY": "snappy", "ZSTD": "zstd", "NONE": "uncompressed"}
_CODECS = {
    "parquet": {**_PARQUET_CODECS, "UNCOMPRESSED": "uncompressed"},
    "json": {"GZIP": "gzip", "NONE": "none"},
    "csv": {"GZIP": "gzip", "NONE": "none"},
}
_KNOWN = frozenset(
    ["format", "external_location", "partitioned_by", "write_compression", "parquet_compression", "compression"]
    + ["field_delimiter", "table_type", "is_external", "compression_level"]
)

Columns = Sequence[tuple[str, Any]]
"""Names and DuckDB types of a query's columns."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go and how: the last of `columns` are the partition `keys`; `location` ends in a slash."""

    location: str
    columns: Mapping[str, Type]
    keys: tuple[str, ...]
    format: str
    codec: str
    delimiter: str
    table: GlueTable | None = None


class Writing:
    """Writes what a query answers."""

    def __init__(self, catalog: TableCatalog, glue: Callable[[], Any], s3: Callable[[], Any]) -> None:
        self._catalog = catalog
        self._glue = glue
        self._s3 = s3

    def skips(self, purpose: Purpose, database: str) -> bool:
        """Tell whether there is nothing to do: CREATE TABLE IF NOT EXISTS of one that does."""
        return (
            purpose.kind == "ctas"
            and purpose.flag
            and self._catalog.table(purpose.database or database, purpose.name) is not None
        )

    def target(self, purpose: Purpose, database: str, columns: Columns, output_location: str, enforced: bool) -> Target:
        """Return where a statement's rows go; raise Athena's failure when they can't go there."""
        if purpose.kind == "insert":
            return self._table_target(purpose, database, columns)
        unknown = set(purpose.properties) - _KNOWN
        if unknown or str(purpose.properties.get("table_type", "HIVE")).upper() != "HIVE":
            name = sorted(unknown)[0] if unknown else "table_type"
            raise QueryFailure("NOT_SUPPORTED", f"line 1:1: the property {name} is not supported by this engine")
        if purpose.kind == "unload":
            location = purpose.location
        else:
            location = self._new_location(purpose, database, output_location, enforced)
        location = location.rstrip("/") + "/"
        bucket, prefix = split_uri(location)
        if self._s3().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"):
            what = f"table '{purpose.database or database}.{purpose.name}'" if purpose.name else "UNLOAD"
            raise QueryFailure("HIVE_PATH_ALREADY_EXISTS", f"Target directory for {what} already exists: {location}")
        format_, codec, delimiter = _format(purpose.properties)
        typed = {name: parse_hive(to_hive(kind)) for name, kind in _unique(columns)}
        return Target(location, typed, _keys(purpose.properties, typed), format_, codec, delimiter)

    def _new_location(self, purpose: Purpose, database: str, output_location: str, enforced: bool) -> str:
        schema = purpose.database or database
        if self._catalog.database(schema) is None:
            raise QueryFailure("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{schema}' does not exist")
        if self._catalog.table(schema, purpose.name) is not None:
            name = f"awsdatacatalog.{schema}.{purpose.name}"
            raise QueryFailure("TABLE_ALREADY_EXISTS", f"line 1:1: Table '{name}' already exists")
        external = purpose.properties.get("external_location")
        if external and enforced:
            raise QueryFailure(
                "INVALID_TABLE_PROPERTY",
                "The Create Table As Select query failed because it was submitted with an 'external_location' property "
                "to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
                "'external_location' property and resubmit the query.",
            )
        return str(external or output_location)

    def _table_target(self, purpose: Purpose, database: str, columns: Columns) -> Target:
        schema = purpose.database or database
        table = self._catalog.table(schema, purpose.name)
        if table is None:
            name = f"awsdatacatalog.{schema}.{purpose.name}"
            raise QueryFailure("TABLE_NOT_FOUND", f"line 1:1: Table '{name}' does not exist")
        if table.view_sql is not None:
            raise QueryFailure("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
        if table.format not in _CODECS:
            raise QueryFailure(
                "NOT_SUPPORTED", f"Table {table.name} is of a format that this engine does not write: {table.format}"
            )
        everything = {**table.columns, **table.partition_keys}
        names = purpose.columns or tuple(everything)
        _check_insert(names, everything, columns)
        serde = table.serde_parameters
        delimiter = serde.get("field.delim") or serde.get("serialization.format") or "\x01"
        codec = table.parameters.get("write.compression") or table.parameters.get("parquet.compression") or "GZIP"
        location = table.location.rstrip("/") + "/"
        ordered = {name: everything[name] for name in names}
        delimiter = {"1": "\x01", "\\t": "\t"}.get(delimiter, delimiter)
        return Target(
            location, ordered, tuple(table.partition_keys), table.format, _codec(table.format, codec), delimiter, table
        )

    def copy_sql(self, query: str, target: Target, columns: Columns, folder: Path) -> str:
        """Return the COPY that writes the query's rows as files under `folder`."""
        chosen = {
            name: f"CAST(c{place} AS {to_duckdb(type_)})" for place, (name, type_) in enumerate(target.columns.items())
        }
        if target.table is not None:
            everything = {**target.table.columns, **target.table.partition_keys}
            chosen = {name: chosen.get(name, f"CAST(NULL AS {to_duckdb(type_)})") for name, type_ in everything.items()}
        if target.format == "csv":
            kinds = dict(zip(target.columns, (kind for _, kind in columns), strict=True))
            chosen = {name: _text(name, value, kinds, target) for name, value in chosen.items()}
        if target.format == "json":  # COPY's own JSON does not partition
            values = ", ".join(f"{literal(name)}: {chosen[name]}" for name in chosen if name not in target.keys)
            chosen = {"line": f"CAST(to_json({{{values}}}) AS VARCHAR)"} | {key: chosen[key] for key in target.keys}
        fields = ", ".join(f"{value} AS {quoted(name)}" for name, value in chosen.items())
        positions = ", ".join(f"c{place}" for place in range(len(columns)))
        lines = f"FORMAT csv, HEADER false, DELIM {literal(target.delimiter)}, QUOTE '', ESCAPE '', NULLSTR '\\N'"
        options = ("FORMAT parquet" if target.format == "parquet" else lines) + f", COMPRESSION {target.codec}"
        if target.keys:
            options += f", PARTITION_BY ({', '.join(quoted(key) for key in target.keys)})"
        place = folder if target.keys else folder / "data"
        return f"COPY (SELECT {fields} FROM ({query}) AS q({positions})) TO {literal(str(place))} ({options})"

    def publish(self, target: Target, folder: Path, execution_id: str) -> list[str]:
        """Put the files under `folder` to S3, add the partitions that are new, and return the objects' URIs."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        partitions = {path.parent.relative_to(folder) for path in files} if target.keys else {Path()}
        if len(partitions) > MAX_PARTITIONS:
            raise QueryFailure(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAX_PARTITIONS} open writers for partitions/buckets",
            )
        known = self._known_locations(target)
        ending = ".gz" if target.codec == "gzip" and target.format != "parquet" else ""
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
        written = []
        for number, path in enumerate(files):
            values = _values(path.parent.relative_to(folder))
            place = known.get(values) or target.location + str(path.parent.relative_to(folder)) + "/"
            place = target.location if not target.keys else place
            written.append(f"{place}{stamp}_{number:05}_{execution_id}{ending}")
            bucket, key = split_uri(written[-1])
            assert is_data(key)
            self._s3().upload_file(str(path), bucket, key)
        if target.table is not None and not target.table.projected:
            for partition in sorted(partitions):
                if target.keys and _values(partition) not in known:
                    self.add_partition(target.table.database, target.table.name, target.location, partition)
        return written

    def _known_locations(self, target: Target) -> dict[tuple[str, ...], str]:
        if target.table is None or target.table.projected or not target.keys:
            return {}
        found = self._catalog.partitions(target.table)
        return {partition.values: partition.location.rstrip("/") + "/" for partition in found}

    def add_partition(self, database: str, name: str, location: str, folder: Path) -> None:
        """Register the partition whose objects lie in `folder` under `location`; one that is there already stays."""
        glue = self._glue()
        storage = dict(glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"])
        values = {"Values": list(_values(folder)), "StorageDescriptor": {**storage, "Location": f"{location}{folder}/"}}
        with suppress(glue.exceptions.AlreadyExistsException):
            glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=values)

    def create_table(self, purpose: Purpose, database: str, target: Target, folder: Path) -> None:
        """Put the table that CREATE TABLE AS made into the catalog, with its partitions."""
        input_format, output_format, serde = FORMATS[{"csv": "TEXTFILE"}.get(target.format, target.format.upper())]
        columns = [
            {"Name": name, "Type": _hive(type_)} for name, type_ in target.columns.items() if name not in target.keys
        ]
        keys = [{"Name": key, "Type": _hive(target.columns[key])} for key in target.keys]
        delimiters = {"field.delim": target.delimiter, "serialization.format": target.delimiter}
        storage = {
            "Columns": columns,
            "Location": target.location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {
                "SerializationLibrary": serde,
                "Parameters": delimiters if target.format == "csv" else {},
            },
        }
        table = {"Name": purpose.name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys}
        parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "transactional": "false"}
        schema = purpose.database or database
        self._glue().create_table(
            DatabaseName=schema, TableInput={**table, "Parameters": parameters, "StorageDescriptor": storage}
        )
        found = {path.parent.relative_to(folder) for path in folder.rglob("*") if path.is_file()} if keys else set()
        for partition in sorted(found):
            self.add_partition(schema, purpose.name, target.location, partition)


def _format(properties: Mapping[str, Property]) -> tuple[str, str, str]:
    name = str(properties.get("format", "PARQUET")).upper()
    if name not in _FORMATS:
        raise QueryFailure("NOT_SUPPORTED", f"line 1:1: the format {name} is not supported by this engine")
    chosen = next(
        (properties[key] for key in ("write_compression", "parquet_compression", "compression") if key in properties),
        "GZIP",
    )
    delimiter = str(properties.get("field_delimiter", "\x01"))
    return _FORMATS[name], _codec(_FORMATS[name], str(chosen)), {"\\t": "\t"}.get(delimiter, delimiter)


def _codec(format_: str, name: str) -> str:
    codec = _CODECS[format_].get(name.upper())
    if codec is None:
        raise QueryFailure(
            "NOT_SUPPORTED", f"line 1:1: compression {name} of {format_} is not supported by this engine"
        )
    return codec


def _keys(properties: Mapping[str, Property], columns: Mapping[str, Type]) -> tuple[str, ...]:
    keys = tuple(str(key).lower() for key in properties.get("partitioned_by") or ())
    if keys and tuple(columns)[-len(keys) :] != keys:
        raise QueryFailure(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"[{', '.join(keys)}]",
        )
    if len(keys) == len(columns):
        raise QueryFailure("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    return keys


def _unique(columns: Columns) -> list[tuple[str, Any]]:
    names = [name.lower() for name, _ in columns]
    for name in names:
        if names.count(name) > 1:
            raise QueryFailure("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once")
    return list(zip(names, (kind for _, kind in columns), strict=True))


def _check_insert(names: Sequence[str], everything: Mapping[str, Type], columns: Columns) -> None:
    for name in names:
        if name not in everything:
            raise QueryFailure(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {name}"
            )
    fits = len(names) == len(columns) and all(
        _fits(kind, everything[name]) for name, (_, kind) in zip(names, columns, strict=False)
    )
    if not fits:
        wanted = ", ".join(to_trino(everything[name]) for name in names)
        found = ", ".join("unknown" if _is_null(kind) else to_trino(parse_hive(to_hive(kind))) for _, kind in columns)
        raise QueryFailure(
            "TYPE_MISMATCH",
            f"line 1:1: Insert query has mismatched column types: Table: [{wanted}], Query: [{found}]",
        )


_WIDER = ("tinyint", "smallint", "int", "bigint", "decimal", "float", "double")


def _is_null(kind: Any) -> bool:
    return str(kind) in {"NULL", '"NULL"'}


def _fits(kind: Any, wanted: Type) -> bool:
    """Tell whether Trino coerces a value of a DuckDB type to a column's type."""
    if _is_null(kind):
        return True
    found = parse_hive(to_hive(kind))
    texts = {"string", "varchar", "char"}
    name = {"integer": "int"}.get(wanted.name, wanted.name)
    if found.name in _WIDER and name in _WIDER:
        return _WIDER.index(found.name) <= _WIDER.index(name)
    return found.name == name or (found.name in texts and name in texts) or (found.name, name) == ("date", "timestamp")


def _text(name: str, value: str, kinds: Mapping[str, Any], target: Target) -> str:
    if name in target.keys or name not in kinds:
        return value
    if target.columns[name].children:
        raise QueryFailure(
            "NOT_SUPPORTED", f"column {name}: {_hive(target.columns[name])} in TEXTFILE is not supported"
        )
    return text_sql(value, kinds[name]) if _hive(target.columns[name]) == to_hive(kinds[name]) else value


def _hive(type_: Type) -> str:
    if type_.name == "struct":
        fields = zip(type_.fields, type_.children, strict=True)
        return f"struct<{','.join(f'{name}:{_hive(child)}' for name, child in fields)}>"
    if type_.children:
        return f"{type_.name}<{','.join(_hive(child) for child in type_.children)}>"
    numbers = ",".join(str(number) for number in type_.arguments)
    return f"{type_.name}({numbers})" if numbers else type_.name


def _values(folder: Path) -> tuple[str, ...]:
    return tuple(unquote(part.partition("=")[2]) for part in folder.parts)
