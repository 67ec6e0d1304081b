"""Aggregated records, opened: KPL's protobuf format, and several JSON objects or delimited texts in one record.

KPL: `F3 89 9A C2`, a protobuf `AggregatedRecord`, and the MD5 of the protobuf (amazon-kinesis-producer,
aggregation-format.md). What is not a whole aggregate is an ordinary record, as for KCL and for Firehose itself.
"""

import hashlib
import json
from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"
MAX_SUB_RECORDS = 500
"""Records that AWS takes out of one record by RecordDeAggregation; one with more is passed on whole."""

_MD5_BYTES = 16
_PARTITION_KEY, _HASH_KEY, _RECORD = 0x0A, 0x12, 0x1A
"""The tags of the fields 1, 2 and 3 of an aggregate."""
_DECODER = json.JSONDecoder()


def open_kpl(data: bytes, partition_key: str) -> list[tuple[str, bytes]]:
    """Return the user records in `data` as (partition key, data); `data` itself when it is no whole aggregate."""
    body = data[len(MAGIC) : -_MD5_BYTES]
    if not data.startswith(MAGIC) or not body or hashlib.md5(body).digest() != data[-_MD5_BYTES:]:
        return [(partition_key, data)]
    try:
        return _user_records(body)
    except (ValueError, IndexError, UnicodeDecodeError):
        return [(partition_key, data)]


def open_json(data: bytes) -> list[bytes]:
    """Return the JSON objects that stand in `data` one after another; `data` itself if there is anything else."""
    try:
        texts = list(_objects(data.decode()))
    except ValueError:
        return [data]
    return texts if 1 <= len(texts) <= MAX_SUB_RECORDS else [data]


def open_delimited(data: bytes, delimiter: bytes) -> list[bytes]:
    """Return the non-empty pieces of `data` between delimiters."""
    pieces = [piece for piece in data.split(delimiter) if piece]
    return pieces if 1 <= len(pieces) <= MAX_SUB_RECORDS else [data]


def _objects(text: str) -> Iterator[bytes]:
    position = _skip_space(text, 0)
    while position < len(text):
        if text[position] != "{":
            raise ValueError("not an object")
        _, end = _DECODER.raw_decode(text, position)
        yield text[position:end].encode()
        position = _skip_space(text, end)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _user_records(body: bytes) -> list[tuple[str, bytes]]:
    records = _usual_records(body)
    if records is not None:
        return records
    keys: list[str] = []
    indexed: list[tuple[int, bytes]] = []
    for number, value in _fields(body):
        if number == 3 and isinstance(value, bytes):
            indexed.append(_any_record(value))
        elif number == 1 and isinstance(value, bytes):
            keys.append(value.decode())
    if not indexed:
        raise ValueError("an aggregate without records")
    return [(keys[index], data) for index, data in indexed]


def _usual_records(body: bytes) -> list[tuple[str, bytes]] | None:
    """Read an aggregate as producers mostly write it, quickly: tables, then records; None for any other."""
    keys: list[str] = []
    records: list[tuple[str, bytes]] = []
    position = 0
    while position < len(body):
        tag = body[position]
        length, start = _length(body, position + 1)
        position = start + length
        if position > len(body):
            return None
        if tag == _RECORD:
            found = _usual_record(body, start, position)
            if found is None or found[0] >= len(keys):
                return None
            records.append((keys[found[0]], found[1]))
        elif tag == _PARTITION_KEY:
            keys.append(body[start:position].decode())
        elif tag != _HASH_KEY:
            return None
    return records or None


def _usual_record(body: bytes, start: int, end: int) -> tuple[int, bytes] | None:
    """Read `08 index [10 index] 1A length data`, each index one byte; None for any other record."""
    if end - start < 6 or body[start] != 0x08 or body[start + 1] > 0x7F:
        return None
    field = start + 4 if body[start + 2] == 0x10 and body[start + 3] <= 0x7F else start + 2
    if body[field] != 0x1A:
        return None
    length, first = _length(body, field + 1)
    return (body[start + 1], body[first:end]) if first + length == end else None


def _length(body: bytes, position: int) -> tuple[int, int]:
    """Return a length and where what it counts begins."""
    length = body[position]
    if length < 0x80:
        return length, position + 1
    more = body[position + 1]
    return (length & 0x7F | more << 7, position + 2) if more < 0x80 else _varint(body, position)


def _any_record(message: bytes) -> tuple[int, bytes]:
    index, data = None, None
    for number, value in _fields(message):
        if number == 1 and isinstance(value, int):
            index = value
        elif number == 3 and isinstance(value, bytes):
            data = value
    if index is None or data is None:
        raise ValueError("a record without its required fields")
    return index, data


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield a protobuf message's fields as (number, integer or bytes); raise `ValueError` or `IndexError` if torn."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 0:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        length, position = _varint(message, position) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), position)
        end = position + length
        if length < 0 or end > len(message):
            raise ValueError("a torn field")
        yield tag >> 3, message[position:end]
        position = end


def _varint(message: bytes, position: int) -> tuple[int, int]:
    byte = message[position]
    if byte < 0x80:
        return byte, position + 1
    value, shift = byte & 0x7F, 7
    while True:
        position += 1
        byte = message[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
