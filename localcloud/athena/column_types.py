"""Column types in the three tongues spoken here: Hive's (Glue), DuckDB's (execution) and Trino's (results)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.athena.failures import QueryFailure


@dataclass(frozen=True, slots=True)
class Type:
    """A type: `name` is Hive's, `arguments` numbers in parentheses, `children` element, key and value, or fields."""

    name: str
    arguments: tuple[int, ...] = ()
    children: tuple["Type", ...] = ()
    fields: tuple[str, ...] = ()


_DUCKDB: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}

_TRINO: Mapping[str, str] = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "UHUGEINT": "bigint",
    "UINTEGER": "bigint",
    "USMALLINT": "integer",
    "UTINYINT": "smallint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "varchar",
    "BLOB": "varbinary",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTERVAL": "interval day to second",
    "UUID": "uuid",
    "JSON": "json",
    "NULL": "unknown",
    '"NULL"': "unknown",
}

_TOKEN = re.compile(r"\s*([A-Za-z_][\w]*(?: *[\w-]+)*?(?=[<>(),:\s]|$)|[<>(),:]|[^<>(),:\s]+)")


def parse_hive(text: str) -> Type:
    """Return the type that Glue's `text` names: `array<struct<a:int,b:decimal(10,2)>>`."""
    tokens = iter(_TOKEN.findall(text) + [""])
    parsed, rest = _parse(next(tokens), tokens)
    if rest:
        raise QueryFailure("HIVE_INVALID_METADATA", f"column type {text!r} can't be read")
    return parsed


def _parse(name: str, tokens: Iterator[str]) -> tuple[Type, str]:
    lowered = name.lower()
    following = next(tokens, "")
    if following == "(":
        numbers = []
        while (token := next(tokens)) != ")":
            numbers += [int(token)] if token.isdigit() else []
        return Type(lowered, tuple(numbers)), next(tokens, "")
    if following != "<":
        return Type(lowered), following
    children, fields, token = [], [], ","
    while token == ",":
        first = next(tokens)
        if lowered == "struct":
            fields.append(first.lower())
            next(tokens)  # the colon
            first = next(tokens)
        child, token = _parse(first, tokens)
        children.append(child)
    return Type(lowered, (), tuple(children), tuple(fields)), next(tokens, "")


def quoted(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def to_duckdb(type_: Type) -> str:
    """Return DuckDB's name of a Hive type; raise for a type that this engine does not read."""
    if type_.name == "array":
        return f"{to_duckdb(type_.children[0])}[]"
    if type_.name == "map":
        return f"MAP({to_duckdb(type_.children[0])}, {to_duckdb(type_.children[1])})"
    if type_.name == "struct":
        fields = zip(type_.fields, type_.children, strict=True)
        return f"STRUCT({', '.join(f'{quoted(name)} {to_duckdb(child)}' for name, child in fields)})"
    if type_.name == "decimal":
        precision, scale = (*type_.arguments, 10, 0)[:2] if len(type_.arguments) != 1 else (*type_.arguments, 0)
        return f"DECIMAL({precision},{scale})"
    if type_.name not in _DUCKDB:
        raise QueryFailure("NOT_SUPPORTED", f"Unsupported Hive type: {type_.name}")
    return _DUCKDB[type_.name]


def trino_name(duckdb_type: str) -> str:
    """Return the base name that Athena's results give to a DuckDB type: `map`, `decimal`, `timestamp`."""
    if duckdb_type.endswith("]"):
        return "array"
    base = duckdb_type.split("(")[0]
    composites = {"MAP": "map", "STRUCT": "row", "DECIMAL": "decimal"}
    return composites.get(base) or _TRINO.get(base, "varchar")


_HIVE: Mapping[str, str] = {
    "boolean": "boolean", "tinyint": "tinyint", "smallint": "smallint", "integer": "int", "bigint": "bigint",
    "hugeint": "bigint", "ubigint": "bigint", "uhugeint": "bigint", "uinteger": "bigint", "usmallint": "int",
    "utinyint": "smallint", "float": "float", "double": "double", "varchar": "string", "blob": "binary",
    "date": "date", "timestamp": "timestamp",
}  # fmt: skip


def to_hive(type_: Any) -> str:
    """Return the Hive type of a column that a query writes (a DuckDB type); raise for one that Hive has not."""
    kind = type_.id
    if kind in {"list", "array"}:
        return f"array<{to_hive(dict(type_.children)['child'])}>"
    if kind == "map":
        children = dict(type_.children)
        return f"map<{to_hive(children['key'])},{to_hive(children['value'])}>"
    if kind == "struct":
        fields = (f"{name or f'field{place}'}:{to_hive(child)}" for place, (name, child) in enumerate(type_.children))
        return f"struct<{','.join(fields)}>"
    if kind == "decimal":
        return str(type_).lower().replace(" ", "")
    if kind not in _HIVE:
        raise QueryFailure("NOT_SUPPORTED", f"Unsupported Hive type: {trino_name(str(type_))}")
    return _HIVE[kind]


def to_trino(type_: Type) -> str:
    """Return Trino's name of a Hive type, its parts included: `array(varchar)`."""
    if type_.name in {"array", "map"}:
        return f"{type_.name}({', '.join(to_trino(child) for child in type_.children)})"
    if type_.name == "struct":
        fields = zip(type_.fields, type_.children, strict=True)
        return f"row({', '.join(f'{name} {to_trino(child)}' for name, child in fields)})"
    if type_.name == "decimal":
        return to_duckdb(type_).lower()
    names = {"string": "varchar", "int": "integer", "binary": "varbinary", "float": "real", "timestamp": "timestamp(3)"}
    return names.get(type_.name, type_.name)


PRECISION: Mapping[str, tuple[int, int]] = {
    "boolean": (0, 0),
    "tinyint": (3, 0),
    "smallint": (5, 0),
    "integer": (10, 0),
    "bigint": (19, 0),
    "float": (17, 0),
    "double": (17, 0),
    "varchar": (2147483647, 0),
    "varbinary": (1073741824, 0),
    "timestamp": (3, 0),
    "timestamp with time zone": (3, 0),
}
"""Precision and scale that `ColumnInfo` gives per type; decimals carry their own, everything else (0, 0)."""


def precision_of(duckdb_type: str) -> tuple[int, int]:
    """Return `Precision` and `Scale` of a result column."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type)
    if decimal:
        return int(decimal[1]), int(decimal[2])
    return PRECISION.get(trino_name(duckdb_type), (0, 0))
