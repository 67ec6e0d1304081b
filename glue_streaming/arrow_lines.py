"""Gzipped objects to lines in Arrow: a line that is surely an event comes out as one, any other as it is.

Most lines are events as the delivery stream writes them. One regular expression, which looks at every byte once, tells
them by their keys, the types of their values and their alphabet; Arrow parses these many at a time, in a few
microseconds each. What a line that does not match is, `events` finds out. An object that is damaged, or has a line
longer than `MAX_LINE_BYTES`, raises: `lines` reads these.

Runs in Spark's Python workers, which need pyarrow.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from catalog.names import MAX_SERVICE_CHARS
from catalog.schema import EVENT_COLUMNS, LEVELS, MAX_AGE, MAX_AHEAD, RECEIVED_AT, Column
from glue_streaming.events import COUNTED
from glue_streaming.lines import BYTE_ORDER_MARK, MAX_LINE_BYTES, decompress, read_contents
from glue_streaming.patterns import MAX_MESSAGE_CHARS
from glue_streaming.services import RESERVED_SERVICES
from glue_streaming.templates import PLACEHOLDER

_COLUMNS = (*EVENT_COLUMNS, RECEIVED_AT)
_MOMENTS = ("timestamp", RECEIVED_AT.name)
_BATCH_BYTES = 4 * 1024 * 1024
_MICROSECONDS = pa.timestamp("us", "UTC")
_ARROW_TYPES = {"string": pa.string(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64()}
_SCHEMA = pa.schema([(column.name, _ARROW_TYPES[column.type]) for column in _COLUMNS])
_WHENCE = {"object_hash": pa.int64(), "object_path": pa.string(), "object_time": _MICROSECONDS}
_LINE = {"raw_line": pa.string(), "source_offset": pa.int64(), **_WHENCE}
_EVENT = {
    **{each.name: _MICROSECONDS if each.name in _MOMENTS else _ARROW_TYPES[each.type] for each in _COLUMNS},
    "pattern": pa.string(),
}
_ROW = pa.schema([*_LINE.items(), *_EVENT.items()])
_DDL_TYPES = {pa.int32(): "int", pa.int64(): "bigint", pa.float64(): "double", _MICROSECONDS: "timestamp"}
_DDL = ", ".join(f"`{field.name}` {_DDL_TYPES.get(field.type, 'string')}" for field in _ROW)
_UNCHECKED = pc.CastOptions(target_type=pa.string(), allow_invalid_utf8=True)
_TOO_LONG = f"a line must be at most {MAX_LINE_BYTES} bytes here"

_CHARACTER = r"[ !#-\[\]-\x{7f}\x{80}-\x{D7FF}\x{E000}-\x{10FFFF}]"
"""What a string of JSON may hold without an escape: valid UTF-8, no control character."""
_MOMENT = (
    r'"2[01][0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])'
    r'T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z"'
)
_NUMBERS = {
    "int": "-?(?:0|[1-9][0-9]{0,8})",
    "bigint": "-?(?:0|[1-9][0-9]{0,17})",
    "double": r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?",
}
"""Numbers that no type overflows; Arrow's JSON knows the same ones as Spark's."""
_VARYING = r"[\w.+-]+@[\w.-]+|0x[0-9a-fA-F]+|\b[A-Za-z_-]*[0-9](?:[\w.:%+-]*[\w%+-])?|\b[0-9a-fA-F]{8,}\b"
"""What `patterns` masks in a text of ASCII without quotes, for an engine that cannot look behind."""


def read_events(spark: SparkSession, paths: Sequence[str], never_kept: Collection[str] = ()) -> DataFrame:
    """Return the lines of sound gzipped objects, each with `object_hash`, the hash of its object's path.

    An event has the schema's columns, `received_at` and `pattern`, which is null where the message has to be looked at
    by `patterns.pattern`; one of a level that is `never_kept` has of these what is counted. Any other line has
    `raw_line`, `source_offset`, `object_path` and `object_time`; what the one has is null for the other. Reading the
    result fails if an object is damaged or missing or has too long a line.
    """
    contents = read_contents(spark, paths, must_exist=True).select(
        "content",
        F.col("_metadata.file_path").alias("object_path"),
        F.col("_metadata.file_modification_time").alias("object_time"),
    )
    hashed = contents.withColumn("object_hash", F.xxhash64("object_path"))
    return hashed.mapInArrow(partial(parse_objects, never_kept=sorted(never_kept)), _DDL)


def parse_objects(objects: Iterable[pa.RecordBatch], never_kept: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield the lines of objects (`content` and what says which), with the columns of `read_events`."""
    for lines in _gather(_split(objects)):
        is_plain = pc.match_substring_regex(lines["raw_line"], _PLAIN)
        yield from _rows(lines.filter(pc.invert(is_plain)))
        for events in _events(lines.filter(is_plain)):
            yield from _slim(events, never_kept)


def pattern(message: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the templates of messages as `patterns.pattern` makes them; null for one that is left to it."""
    masked = pc.replace_substring_regex(pc.utf8_slice_codeunits(message, 0, MAX_MESSAGE_CHARS), _VARYING, PLACEHOLDER)
    is_simple = pc.and_(pc.string_is_ascii(message), pc.invert(pc.match_substring_regex(message, "['\"\r\n]")))
    return pc.if_else(is_simple, masked, pa.scalar(None, pa.string()))


def _split(objects: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the lines of objects, a few megabytes at a time."""
    for found in (batch.slice(row, 1) for batch in objects for row in range(len(batch))):
        for start, text in _texts(found["content"][0].as_buffer()):
            lines = pc.split_pattern(pa.array([text], pa.binary()), "\n").values
            lengths = pc.binary_length(lines).cast(pa.int64())
            if pc.max(lengths).as_py() > MAX_LINE_BYTES:
                raise ValueError(_TOO_LONG)
            whence = {name: pa.repeat(found[name][0], len(lines)) for name in _WHENCE}
            offsets = pc.subtract(pc.cumulative_sum(pc.add(lengths, 1), start=start), pc.add(lengths, 1))
            yield pa.table({"raw_line": pc.cast(lines, options=_UNCHECKED), "source_offset": offsets, **whence})


def _texts(content: pa.Buffer) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines of gzip `content`, without the last newline, and where they start; no byte-order mark."""
    start, rest = 0, b""
    for chunk in decompress(memoryview(content)):
        text = rest + chunk
        if not start and text.startswith(BYTE_ORDER_MARK):
            start, text = len(BYTE_ORDER_MARK), text[len(BYTE_ORDER_MARK) :]
        end = text.rfind(b"\n")
        if end >= 0:
            yield start, text[:end]
            start += end + 1
        rest = text[end + 1 :]
        if len(rest) > MAX_LINE_BYTES:
            raise ValueError(_TOO_LONG)
    if rest:
        yield start, rest


def _gather(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same lines in tables of some megabytes: small objects together."""
    waiting: list[pa.Table] = []
    size_bytes = 0
    for table in tables:
        waiting.append(table)
        size_bytes += table.nbytes
        if size_bytes >= _BATCH_BYTES:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, size_bytes = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _events(lines: pa.Table) -> Iterator[pa.Table]:
    """Yield lines that look like events as events; those that Arrow or a rule refuses, as they are."""
    if not len(lines):
        return
    try:
        events = _parse(lines)
    except pa.ArrowInvalid:  # a key twice, or the 31st of February
        if len(lines) == 1:
            yield lines
        else:
            yield from _events(lines.slice(0, len(lines) // 2))
            yield from _events(lines.slice(len(lines) // 2))
        return
    is_event = _is_event(events)
    yield lines.filter(pc.invert(is_event))
    yield events.append_column("object_hash", lines["object_hash"]).filter(is_event)


def _slim(rows: pa.Table, never_kept: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows that Spark needs whole, and what is counted of the others."""
    if "level" not in rows.column_names:
        yield from _rows(rows)
        return
    is_counted_only = pc.is_in(rows["level"], pa.array(never_kept, pa.string()))
    is_counted_only = pc.and_(is_counted_only, pc.is_valid(rows["pattern"]))
    yield from _rows(rows.filter(pc.invert(is_counted_only)))
    yield from _rows(rows.filter(is_counted_only).select(["object_hash", *COUNTED, "pattern"]))


def _rows(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield rows as Spark expects them, null where there is no column."""
    if len(table):
        names = set(table.column_names)
        whole = [table[each.name] if each.name in names else pa.nulls(len(table), each.type) for each in _ROW]
        yield from pa.table(whole, schema=_ROW).to_batches()


def _parse(lines: pa.Table) -> pa.Table:
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines["raw_line"].combine_chunks()), "\n")
    text = joined[0].as_buffer()
    events = pyarrow.json.read_json(
        pa.BufferReader(text),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="error"),
    )
    for name in _MOMENTS:
        place = events.schema.get_field_index(name)
        events = events.set_column(place, name, events[name].cast(_MICROSECONDS))
    arrived = pc.coalesce(events[RECEIVED_AT.name], lines["object_time"])
    events = events.set_column(events.schema.get_field_index(RECEIVED_AT.name), RECEIVED_AT.name, arrived)
    return events.append_column("pattern", pattern(events["message"]))


def _is_event(events: pa.Table) -> pa.ChunkedArray:
    age = pc.subtract(events[RECEIVED_AT.name], events["timestamp"])
    found = pc.and_(pc.less_equal(age, pa.scalar(MAX_AGE)), pc.greater_equal(age, pa.scalar(-MAX_AHEAD)))
    for column in EVENT_COLUMNS:
        if column.required:
            found = pc.and_(found, pc.is_valid(events[column.name]))
    is_short = pc.less_equal(pc.binary_length(events["service"]), MAX_SERVICE_CHARS)
    is_free = pc.invert(pc.is_in(events["service"], pa.array(RESERVED_SERVICES)))
    return pc.fill_null(pc.and_(found, pc.and_(is_short, is_free)), False)


def _member(column: Column) -> str:
    """Return a regular expression for a key and its value."""
    if column.name in _MOMENTS:
        value = _MOMENT
    elif column.name == "service":
        value = '"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"'  # its key name already, but for what `_is_event` looks at
    elif column.name == "level":
        value = f'"(?:{"|".join(LEVELS)})"'
    elif column.type == "string":
        value = f'"{_CHARACTER}*"'
    else:
        value = _NUMBERS[column.type]
    return f'"{re.escape(column.name)}":(?:{value}{"" if column.required else "|null"})'


def _members() -> str:
    return f"(?:{'|'.join(_member(column) for column in _COLUMNS)})"


_PLAIN = rf"^\{{{_members()}(?:,{_members()})*\}}$"
