"""Records on their way: as put and spooled, and as the single records that came out of them."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_HEAD = struct.Struct("<QHHH")


class Record(NamedTuple):
    """What one put carried: `arrival_ms` is the epoch's; the rest is empty unless Kinesis was the source."""

    arrival_ms: int
    data: bytes
    partition_key: str = ""
    sequence_number: str = ""
    shard_id: str = ""


@dataclass(slots=True)
class Item:
    """One user record: `data` changes on its way, `raw` is for error objects, `sub` its number in an aggregate."""

    record: Record
    data: bytes
    raw: bytes
    partition_key: str
    sub: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one record goes to the error prefix, in AWS's words."""

    item: Item
    output_type: str
    code: str
    message: str
    attempts: int = 1
    function_arn: str = ""


def encode(record: Record) -> bytes:
    """Return a record's bytes for the spool."""
    if not record.sequence_number:
        return _HEAD.pack(record.arrival_ms, 0, 0, 0) + record.data
    texts = [text.encode() for text in (record.partition_key, record.sequence_number, record.shard_id)]
    head = _HEAD.pack(record.arrival_ms, *(len(text) for text in texts))
    return b"".join((head, *texts, record.data))


def decode(payload: bytes) -> Record:
    """Return the record that `encode` made `payload` of."""
    arrival_ms, *lengths = _HEAD.unpack_from(payload)
    position = _HEAD.size
    if not lengths[1]:
        return Record(arrival_ms, payload[position:])
    texts = []
    for length in lengths:
        texts.append(payload[position : position + length].decode())
        position += length
    return Record(arrival_ms, payload[position:], *texts)
