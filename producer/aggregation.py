"""KPL aggregation: many user records in one Kinesis record.

Format: https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md: a magic number, a protobuf
message (tables of keys, then records that point into them) and the MD5 of that message. A consumer drops a whole
aggregate as soon as one sub-record's key hashes outside the shard it came from, so ours share one key.
"""

import hashlib
from collections.abc import Sequence

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16
_RECORD_FIELD = b"\x1a"  # field 3, length-delimited
_INDEXES = b"\x08\x00\x10\x00\x1a"  # partition key 0, explicit hash key 0, then field 3: the data


def varint(value: int) -> bytes:
    """Return protobuf's base-128 encoding of a number that is not negative."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class Aggregator:
    """Encodes aggregates; remembers the header of each length of record that it met."""

    def __init__(self) -> None:
        self._headers: dict[int, bytes] = {}

    def overhead_bytes(self, length: int) -> int:
        """Return how many bytes a record of `length` bytes takes in an aggregate beyond its data."""
        return len(self._header(length))

    def encode(self, records: Sequence[bytes], partition_key: str, explicit_hash_key: str) -> bytes:
        """Return one aggregate of `records`, all under the same keys."""
        headers = self._headers
        parts = [_table(b"\x0a", partition_key), _table(b"\x12", explicit_hash_key)]
        for record in records:
            length = len(record)
            parts.append(headers.get(length) or self._header(length))
            parts.append(record)
        message = b"".join(parts)
        return b"".join((MAGIC, message, hashlib.md5(message, usedforsecurity=False).digest()))

    def _header(self, length: int) -> bytes:
        header = self._headers.get(length)
        if header is None:
            size = varint(length)
            header = _RECORD_FIELD + varint(len(_INDEXES) + len(size) + length) + _INDEXES + size
            if len(self._headers) < 10_000:
                self._headers[length] = header
        return header


def _table(field: bytes, key: str) -> bytes:
    text = key.encode("utf-8")
    return field + varint(len(text)) + text
