"""Infers a schema from JSON text: one object per line, or objects one after another over any number of lines."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from localcloud.crawler.glue_types import GlueType, Schema, Struct, infer, merge

SAMPLE_RECORDS = 1000
_MAX_BAD_SHARE = 0.2


def json_schema(text: bytes) -> tuple[Schema, int] | None:
    """Return the columns and how many records the text holds, or None when it is not JSON.

    Columns are the top-level keys in lower case, as the catalog has no other. Up to a fifth of the lines may be broken:
    a table with a few bad lines is still a table. A top-level array becomes one column named `array`, as on AWS.
    """
    start = text.lstrip()[:1]
    if start not in (b"{", b"["):
        return None
    lines = [line for line in text.split(b"\n") if line.strip()]
    records = [record for line in lines[:SAMPLE_RECORDS] if (record := _parsed(line)) is not None]
    seen = min(len(lines), SAMPLE_RECORDS)
    if len(records) >= seen * (1 - _MAX_BAD_SHARE):
        return _schema(records), len(lines)
    scattered = list(_documents(text.decode("utf-8", "replace")))
    return (_schema(scattered), len(scattered)) if scattered else None


def _parsed(line: bytes) -> Any:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def _documents(text: str) -> Iterator[Any]:
    """Yield the objects of a text that spreads them over lines or puts several on one; stop at what is not JSON."""
    decoder = json.JSONDecoder()
    position = 0
    for _ in range(SAMPLE_RECORDS):
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            return
        if isinstance(value, dict | list):
            yield value


def _schema(records: list[Any]) -> Schema:
    schema: Schema = {}
    for record in records:
        kind = infer(record)
        fields: dict[str, GlueType] = dict(kind.fields) if isinstance(kind, Struct) else {"array": kind}
        for name, field in fields.items():
            column = name.lower()
            schema[column] = merge(schema[column], field) if column in schema else field
    return schema
