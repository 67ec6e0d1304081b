"""Where a statement's rows go: the checks of INSERT INTO, CREATE TABLE AS and UNLOAD, and what their properties ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.athena.column_types import Type, parse_hive, to_hive, to_trino
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, TableCatalog
from localcloud.athena.objects import split_uri
from localcloud.athena.purposes import Property, Purpose

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


class Targets:
    """Finds where rows go."""

    def __init__(self, catalog: TableCatalog, s3: Callable[[], Any]) -> None:
        self._catalog = catalog
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


def hive_text(type_: Type) -> str:
    """Return a type as Glue writes it."""
    if type_.name == "struct":
        fields = zip(type_.fields, type_.children, strict=True)
        return f"struct<{','.join(f'{name}:{hive_text(child)}' for name, child in fields)}>"
    if type_.children:
        return f"{type_.name}<{','.join(hive_text(child) for child in type_.children)}>"
    numbers = ",".join(str(number) for number in type_.arguments)
    return f"{type_.name}({numbers})" if numbers else type_.name
