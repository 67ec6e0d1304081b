"""Glue column types: inferred from values, merged when rows disagree, written in Hive's notation.

A type is a word (`int`, `bigint`, `double`, `boolean`, `string`, or any other that a file's own schema names), a
`Struct` or an `Array`. `NULL` is the type of a value that says nothing yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NULL = "null"
_INT_MAX = 2**31
_BIGINT_MAX = 2**63
_NUMBERS = ("int", "bigint", "double")


@dataclass(frozen=True, slots=True)
class Struct:
    fields: Mapping[str, "GlueType"]


@dataclass(frozen=True, slots=True)
class Array:
    element: "GlueType"


GlueType = str | Struct | Array
Schema = dict[str, GlueType]
"""Column name -> type, in the order in which the columns were first seen."""


def infer(value: Any) -> GlueType:
    """Return the type of one JSON value: whole numbers are `int`, beyond 32 bits `bigint`, beyond 64 `double`."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return "double"
    if isinstance(value, dict):
        return Struct({name: infer(item) for name, item in value.items()})
    if isinstance(value, list):
        return Array(merge_all(infer(item) for item in value))
    return "string"


def _integer(value: int) -> str:
    if -_INT_MAX <= value < _INT_MAX:
        return "int"
    return "bigint" if -_BIGINT_MAX <= value < _BIGINT_MAX else "double"


def merge(left: GlueType, right: GlueType) -> GlueType:
    """Return the narrowest type that holds both: numbers widen, structs and arrays merge, anything else is `string`."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if isinstance(left, Struct) and isinstance(right, Struct):
        return Struct(merge_schemas(left.fields, right.fields))
    if isinstance(left, Array) and isinstance(right, Array):
        return Array(merge(left.element, right.element))
    if left in _NUMBERS and right in _NUMBERS:
        return max(str(left), str(right), key=_NUMBERS.index)
    return "string"


def merge_all(types: Iterable[GlueType]) -> GlueType:
    merged: GlueType = NULL
    for one in types:
        merged = merge(merged, one)
    return merged


def merge_schemas(left: Mapping[str, GlueType], right: Mapping[str, GlueType]) -> Schema:
    """Return every column of both, `left`'s first, each with the type that holds both."""
    merged = dict(left)
    for name, kind in right.items():
        merged[name] = merge(merged[name], kind) if name in merged else kind
    return merged


def hive(kind: GlueType) -> str:
    """Return the type as the Glue catalog writes it, `struct<a:int,b:array<string>>`; never seen is `string`."""
    if isinstance(kind, Struct):
        fields = ",".join(f"{name}:{hive(field)}" for name, field in kind.fields.items())
        return f"struct<{fields}>" if fields else "string"
    if isinstance(kind, Array):
        return f"array<{hive(kind.element)}>"
    return "string" if kind == NULL else kind


def dump(kind: GlueType) -> Any:
    """Return the type as JSON: a word, `{"struct": …}` or `{"array": …}`."""
    if isinstance(kind, Struct):
        return {"struct": {name: dump(field) for name, field in kind.fields.items()}}
    return {"array": dump(kind.element)} if isinstance(kind, Array) else kind


def load(value: Any) -> GlueType:
    """Undo `dump`."""
    if isinstance(value, str):
        return value
    if "struct" in value:
        return Struct({name: load(field) for name, field in value["struct"].items()})
    return Array(load(value["array"]))
