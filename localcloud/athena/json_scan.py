"""Reading JSON lines as Hive's and OpenX's SerDes do: keys in any case, missing ones NULL, malformed lines as told."""

import re
import zlib
from collections.abc import Mapping, Sequence

from localcloud.athena.column_types import Type, literal, quoted, to_duckdb
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable

MAX_LINE_BYTES = 16 * 1024 * 1024
SAMPLED_OBJECTS = 64
"""Of how many objects of a scan, evenly spread, the beginning is looked at."""
SAMPLED_BYTES = 32_768
_CAPITAL_KEY = re.compile(rb'"[^"\\]*[A-Z][^"\\]*"\s*:')


def has_capital_keys(key: str, head: bytes) -> bool:
    """Tell whether an object that begins with `head` has keys that are not in lower case, as columns are."""
    if key.endswith(".gz"):
        try:
            head = zlib.decompressobj(31).decompress(head, 8 * SAMPLED_BYTES)
        except zlib.error:
            return False
    return _CAPITAL_KEY.search(head) is not None


def sample(count: int) -> list[int]:
    """Return which of `count` objects to look at."""
    step = max(1, count // SAMPLED_OBJECTS)
    return list(range(0, count, step))[: SAMPLED_OBJECTS + 1]


def ignores_malformed(table: GlueTable) -> bool:
    """Tell whether a malformed line is a row of NULLs; it fails the query else."""
    return _says(table, "ignore.malformed.json")


def folds_case(table: GlueTable) -> bool:
    """Tell whether a key may be spelled otherwise than its column."""
    return not _says(table, "case.insensitive", "false")


def key_of(table: GlueTable, column: str) -> str:
    """Return the JSON key of a column, which OpenX lets a table name; raise for keys that this engine can't find."""
    if _says(table, "dots.in.keys"):
        raise QueryFailure("NOT_SUPPORTED", f"Table {table.name}: dots.in.keys is not supported by this engine")
    return str(table.serde_parameters.get(f"mapping.{column}", column))


def _says(table: GlueTable, name: str, value: str = "true") -> bool:
    return str(table.serde_parameters.get(name, "")).lower() == value


def reader_sql(
    table: GlueTable, columns: Mapping[str, Type], files: str, option: str, folding: bool, lenient: bool
) -> tuple[str, list[str]]:
    """Return the reader and the columns' expressions; `files` and `option` are DuckDB's SQL.

    Unless `lenient`, a value that does not fit its column's type raises; the slower way that `folding` takes is always
    lenient.
    """
    renamed = any(key_of(table, name) != name for name in columns)
    ignoring = ignores_malformed(table)
    common = f"format = 'newline_delimited', maximum_object_size = {MAX_LINE_BYTES}"
    if folding or renamed:
        reader = f"read_json_objects({files}, {common}, ignore_errors = {ignoring}{option})"
        expressions = []
        for name, type_ in columns.items():
            value = _field("json", key_of(table, name), folds_case(table))
            expressions.append(f"{_converted(value, type_)} AS {quoted(name)}")
        return reader, expressions
    read = columns or dict(list(table.columns.items())[:1])
    types = ", ".join(f"{literal(name)}: {literal(to_duckdb(type_))}" for name, type_ in read.items())
    reader = (
        f"read_json({files}, columns = {{{types}}}, {common}, ignore_errors = {ignoring or lenient}, "
        f"hive_partitioning = false{option})"
    )
    return reader, [quoted(name) for name in columns]


def _field(document: str, key: str, folding: bool) -> str:
    return f"trino_json_{'any_case' if folding else 'field'}({document}, {literal(key.lower() if folding else key)})"


def _converted(value: str, type_: Type) -> str:
    """Return SQL that makes a column's value of a JSON one; NULL when it does not fit."""
    if type_.name == "struct":
        fields = ", ".join(
            f"{quoted(name)} := {_converted(_field(value, name, True), child)}"
            for name, child in zip(type_.fields, type_.children, strict=True)
        )
        return f"CASE WHEN json_type({value}) = 'OBJECT' THEN struct_pack({fields}) END"
    if type_.name == "array" and _holds_struct(type_.children):
        inner = _converted("e", type_.children[0])
        return f"list_transform(TRY_CAST({value} AS JSON[]), lambda e: {inner})"
    if to_duckdb(type_) == "VARCHAR":
        return f"({value} ->> '$')"
    return f"TRY_CAST({value} AS {to_duckdb(type_)})"


def _holds_struct(types: Sequence[Type]) -> bool:
    return any(type_.name == "struct" or _holds_struct(type_.children) for type_ in types)
