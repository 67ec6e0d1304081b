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
_PARTITION_KEY = b"\x08\x00\x10"  # field 1: partition key 0; then field 2, the explicit hash key
_DATA_FIELD = b"\x1a"  # field 3, length-delimited
_LENGTH_BITS = 32
_MOST_HEADERS = 65_536


def varint(value: int) -> bytes:
    """Return protobuf's base-128 encoding of a number that is not negative."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class Aggregator:
    """Encodes aggregates; remembers the header of each length of record that it met, up to some megabytes of them."""

    def __init__(self) -> None:
        self._headers: dict[int, bytes] = {}

    def encode(self, records: Sequence[bytes], partition_key: str, hash_key: str) -> bytes:
        """Return one aggregate of `records`, all under the same keys."""
        headers = self._headers
        parts = [_table(b"\x0a", partition_key), _table(b"\x12", hash_key)]
        for record in records:
            length = len(record)
            parts.append(headers.get(length) or self._header(length))
            parts.append(record)
        return _sealed(parts)

    def encode_keyed(
        self, records: Sequence[bytes], partition_key: str, hash_keys: Sequence[str], places: Sequence[int]
    ) -> bytes:
        """Return one aggregate of `records`, each under that explicit hash key whose place stands beside it."""
        headers = self._headers
        parts = [_table(b"\x0a", partition_key), *(_table(b"\x12", hash_key) for hash_key in hash_keys)]
        for record, place in zip(records, places, strict=True):
            size = place << _LENGTH_BITS | len(record)
            parts.append(headers.get(size) or self._header(size))
            parts.append(record)
        return _sealed(parts)

    def _header(self, size: int) -> bytes:
        """Return what stands before a record's data, by the place of its hash key and its length, in one number."""
        header = self._headers.get(size)
        if header is None:
            place, length = divmod(size, 1 << _LENGTH_BITS)
            indexes = _PARTITION_KEY + varint(place) + _DATA_FIELD + varint(length)
            header = _RECORD_FIELD + varint(len(indexes) + length) + indexes
            if len(self._headers) < _MOST_HEADERS:
                self._headers[size] = header
        return header


def _sealed(parts: Sequence[bytes]) -> bytes:
    message = b"".join(parts)
    return b"".join((MAGIC, message, hashlib.md5(message, usedforsecurity=False).digest()))


def _table(field: bytes, key: str) -> bytes:
    text = key.encode("utf-8")
    return field + varint(len(text)) + text
