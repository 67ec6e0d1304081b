"""Reads the head of an object and says what it is: classification, compression, schema, density of records."""

import bz2
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.crawler.csv_lines import csv_table
from localcloud.crawler.folders import S3Object
from localcloud.crawler.glue_types import Schema, dump, load, merge_schemas
from localcloud.crawler.json_lines import json_schema
from localcloud.crawler.parquet_footer import parquet_schema

HEAD_BYTES = 512 * 1024
"""How much of an object is read; a bzip2 block, the largest unit that must be whole, seldom exceeds it."""
TEXT_BYTES = 1024 * 1024
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd"))

RangeReader = Callable[[str, int, int], bytes]
"""(key, first byte, length) -> those bytes of the object, fewer at its end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one object showed. `record_count` is exact when all of it was read, else scaled by size."""

    classification: str
    compression: str
    schema: Schema
    record_count: int
    record_bytes: float
    object_bytes: int
    details: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return {
            "classification": self.classification,
            "compression": self.compression,
            "schema": {name: dump(kind) for name, kind in self.schema.items()},
            "record_count": self.record_count,
            "record_bytes": self.record_bytes,
            "object_bytes": self.object_bytes,
            "details": self.details,
        }


def sample_from_json(value: dict[str, Any]) -> Sample:
    """Undo `Sample.to_json`."""
    schema = {name: load(kind) for name, kind in value["schema"].items()}
    return Sample(**{**value, "schema": schema})


def combine(samples: list[Sample]) -> Sample:
    """Return one sample for several of the same classification: schemas merged, counts added."""
    first = samples[0]
    schema: Schema = {}
    for one in samples:
        schema = merge_schemas(schema, one.schema)
    records = sum(one.record_count for one in samples)
    text_bytes = sum(one.record_count * one.record_bytes for one in samples)
    return Sample(
        first.classification,
        first.compression,
        schema,
        records,
        text_bytes / records if records else 0.0,
        sum(one.object_bytes for one in samples),
        first.details,
    )


def take_sample(item: S3Object, read: RangeReader) -> Sample | None:
    """Return what the object is, or None when it is neither JSON, CSV nor Parquet."""
    head = read(item.key, 0, HEAD_BYTES)
    if head.startswith(b"PAR1"):
        schema, rows = parquet_schema(item.key, item.size, read)
        return Sample("parquet", "none", schema, rows, item.size / max(rows, 1), item.size)
    compression = next((name for magic, name in _MAGIC if head.startswith(magic)), "none")
    text, consumed = decompress(head, compression)
    whole = consumed >= item.size
    complete = text if whole else text[: text.rfind(b"\n") + 1]
    share = 1.0 if whole else consumed / item.size * len(complete) / max(len(text), 1)
    return _text_sample(item, complete, compression, max(share, 1e-9))


def _text_sample(item: S3Object, text: bytes, compression: str, share: float) -> Sample | None:
    found = json_schema(text)
    if found:
        schema, records = found
        return _scaled("json", compression, schema, records, text, share, item, {})
    table = csv_table(text)
    if table is None:
        return None
    details = {"delimiter": table.delimiter, "header": "true" if table.has_header else "false"}
    return _scaled("csv", compression, table.schema, table.records, text, share, item, details)


def _scaled(
    classification: str,
    compression: str,
    schema: Schema,
    records: int,
    text: bytes,
    share: float,
    item: S3Object,
    details: dict[str, str],
) -> Sample:
    count = max(1, round(records / share))
    return Sample(classification, compression, schema, count, len(text) / max(records, 1), item.size, details)


def decompress(head: bytes, compression: str) -> tuple[bytes, int]:
    """Return at most `TEXT_BYTES` of the text that the head of an object holds, and how many bytes of the head made it.

    A cut or damaged end is left out.
    """
    if compression == "gzip":
        return _gunzip(head)
    if compression == "bzip2":
        return _bunzip2(head)
    return _unzstd(head) if compression == "zstd" else (head, len(head))


def _gunzip(data: bytes) -> tuple[bytes, int]:
    text, rest = b"", data
    while rest and len(text) < TEXT_BYTES:
        member = zlib.decompressobj(31)
        try:
            text += member.decompress(rest, TEXT_BYTES - len(text))
        except zlib.error:
            break
        rest = member.unused_data if member.eof else member.unconsumed_tail
        if not member.eof:
            break
    return text, len(data) - len(rest)


def _bunzip2(data: bytes) -> tuple[bytes, int]:
    text, rest = b"", data
    while rest and len(text) < TEXT_BYTES:
        stream = bz2.BZ2Decompressor()
        try:
            text += stream.decompress(rest)
        except (OSError, ValueError):
            break
        rest = stream.unused_data if stream.eof else b""
    return text, len(data) - len(rest)


def _unzstd(data: bytes) -> tuple[bytes, int]:
    import pyarrow as pa

    source = io.BytesIO(data)
    parts: list[bytes] = []
    stream = pa.CompressedInputStream(source, "zstd")
    try:
        while sum(map(len, parts)) < TEXT_BYTES and (part := stream.read(64 * 1024)):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts), source.tell()
