"""KPL's aggregated records, opened: `F3 89 9A C2`, a protobuf `AggregatedRecord`, and the MD5 of the protobuf.

Specified in amazon-kinesis-producer, aggregation-format.md. What is not a whole aggregate is an ordinary record, as for
KCL and for Firehose itself.
"""

import hashlib
from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"

_MD5_BYTES = 16


def open_kpl(data: bytes, partition_key: str) -> list[tuple[str, bytes]]:
    """Return the user records in `data` as (partition key, data); `data` itself when it is no whole aggregate."""
    body = data[len(MAGIC) : -_MD5_BYTES]
    if not data.startswith(MAGIC) or not body or hashlib.md5(body).digest() != data[-_MD5_BYTES:]:
        return [(partition_key, data)]
    try:
        return _user_records(body)
    except (ValueError, IndexError, UnicodeDecodeError):
        return [(partition_key, data)]


def _user_records(body: bytes) -> list[tuple[str, bytes]]:
    keys: list[str] = []
    records: list[tuple[int, bytes]] = []
    for number, value in _fields(body):
        if number == 3 and isinstance(value, bytes):
            records.append(_short_record(value) or _any_record(value))
        elif number == 1 and isinstance(value, bytes):
            keys.append(value.decode())
    if not records:
        raise ValueError("an aggregate without records")
    return [(keys[index], data) for index, data in records]


def _short_record(message: bytes) -> tuple[int, bytes] | None:
    """Read a record as producers mostly write it, quickly: `08 index 1A length data`; None for any other."""
    if len(message) < 5 or message[0] != 0x08 or message[1] > 0x7F or message[2] != 0x1A:
        return None
    length, start = message[3], 4
    if length > 0x7F:
        if message[4] > 0x7F:
            return None
        length, start = (length & 0x7F) | message[4] << 7, 5
    return (message[1], message[start:]) if len(message) == start + length else None


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
