"""Aggregated records, opened: KPL's protobuf format, and several JSON objects or delimited texts in one record.

KPL: `F3 89 9A C2`, a protobuf `AggregatedRecord`, and the MD5 of the protobuf (amazon-kinesis-producer,
aggregation-format.md). What is not a whole aggregate is an ordinary record, as for KCL and for Firehose itself.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
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
    message = _aggregated_record().FromString(body)
    keys = list(message.partition_key_table)
    if not message.records:
        raise ValueError("an aggregate without records")
    return [(keys[record.partition_key_index], record.data) for record in message.records]


@lru_cache(maxsize=1)
def _aggregated_record() -> Any:
    """Return the class of aggregation-format.md's `AggregatedRecord`, without what a reader has no use for.

    aws-kinesis-agg has it too, in a module that can only be imported with that package's own folder on the path.
    """
    file = descriptor_pb2.FileDescriptorProto(name="loglake/aggregated_record.proto", syntax="proto2")
    record = file.message_type.add(name="Record")
    kinds = descriptor_pb2.FieldDescriptorProto
    record.field.add(name="partition_key_index", number=1, type=kinds.TYPE_UINT64, label=kinds.LABEL_REQUIRED)
    record.field.add(name="data", number=3, type=kinds.TYPE_BYTES, label=kinds.LABEL_REQUIRED)
    whole = file.message_type.add(name="AggregatedRecord")
    whole.field.add(name="partition_key_table", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_REPEATED)
    whole.field.add(name="records", number=3, type=kinds.TYPE_MESSAGE, type_name=".Record", label=kinds.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("AggregatedRecord"))
