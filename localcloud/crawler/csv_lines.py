"""Recognises CSV as Glue's built-in classifier does: delimiter, header or not, and a type for each column.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-built-in
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.crawler.glue_types import NULL, GlueType, Schema

DELIMITERS = (",", "|", "\t", ";", "\x01")
SAMPLE_ROWS = 1000
_MAX_NAME_CHARS = 150
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class CsvTable:
    delimiter: str
    has_header: bool
    schema: Schema
    records: int


def csv_table(text: bytes) -> CsvTable | None:
    """Return what the text is as CSV, or None: at least two columns in two rows, as many in each row."""
    try:
        lines = text.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    lines = [line for line in lines if line.strip()]
    for delimiter in DELIMITERS:
        rows = _rows(lines[:SAMPLE_ROWS], delimiter)
        if rows:
            header = _is_header(rows)
            return CsvTable(delimiter, header, _schema(rows, header), len(lines) - header)
    return None


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]] | None:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    width = len(rows[0])
    return rows if width >= 2 and all(len(row) == width for row in rows) else None


def _kind(value: str) -> GlueType:
    value = value.strip()
    if not value:
        return NULL
    if _INTEGER.fullmatch(value):
        return "bigint"
    return "double" if _DECIMAL.fullmatch(value) else "string"


def _column_kind(values: Sequence[str]) -> GlueType:
    kinds = {_kind(value) for value in values} - {NULL}
    if kinds == {"bigint"}:
        return "bigint"
    return "double" if kinds and kinds <= {"bigint", "double"} else "string"


def _is_header(rows: list[list[str]]) -> bool:
    """Say whether the first row names the columns: all strings, short, and unlike the rows below in some column."""
    first, below = rows[0], rows[1:]
    named = all(value.strip() and len(value) <= _MAX_NAME_CHARS and _kind(value) == "string" for value in first[:-1])
    last = first[-1]
    if not named or len(last) > _MAX_NAME_CHARS or _kind(last) not in ("string", NULL):
        return False
    return any(_column_kind([row[index] for row in below]) != "string" for index in range(len(first)))


def _schema(rows: list[list[str]], header: bool) -> Schema:
    below = rows[1:] if header else rows
    names = [_name(value, index) for index, value in enumerate(rows[0])] if header else []
    schema: Schema = {}
    for index in range(len(rows[0])):
        name = names[index] if header else f"col{index}"
        unique = f"{name}_{index}" if name in schema else name
        schema[unique] = _column_kind([row[index] for row in below])
    return schema


def _name(value: str, index: int) -> str:
    return value.strip().lower() or f"col{index}"
