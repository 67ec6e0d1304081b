"""Aggregated records, opened: KPL's protobuf format, and several JSON objects or delimited texts in one record.

KPL: `F3 89 9A C2`, a protobuf `AggregatedRecord`, and the MD5 of the protobuf (amazon-kinesis-producer,
aggregation-format.md). What is not a whole aggregate is an ordinary record, as for KCL and for Firehose itself.
"""

import hashlib
import json
from collections.abc import Iterator

from aws_kinesis_agg.messages_pb2 import AggregatedRecord
from google.protobuf.message import DecodeError

MAGIC = b"\xf3\x89\x9a\xc2"
MAX_SUB_RECORDS = 500
"""Records that AWS takes out of one record by RecordDeAggregation; one with more is passed on whole."""

_MD5_BYTES = 16
_DECODER = json.JSONDecoder()


def open_kpl(data: bytes, partition_key: str) -> list[tuple[str, bytes]]:
    """Return the user records in `data` as (partition key, data); `data` itself when it is no whole aggregate."""
    body = data[len(MAGIC) : -_MD5_BYTES]
    if not data.startswith(MAGIC) or not body or hashlib.md5(body).digest() != data[-_MD5_BYTES:]:
        return [(partition_key, data)]
    try:
        return _user_records(body)
    except (DecodeError, ValueError, IndexError):
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
    message = AggregatedRecord.FromString(body)
    keys = list(message.partition_key_table)
    if not message.records:
        raise ValueError("an aggregate without records")
    return [(keys[record.partition_key_index], record.data) for record in message.records]
