"""KPL's aggregated records, opened: `F3 89 9A C2`, a protobuf `AggregatedRecord`, and the MD5 of the protobuf.

Specified in amazon-kinesis-producer, aggregation-format.md. What is not a whole aggregate is an ordinary record, as for
KCL and for Firehose itself.
"""

import hashlib
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

MAGIC = b"\xf3\x89\x9a\xc2"

_MD5_BYTES = 16


def open_kpl(data: bytes, partition_key: str) -> list[tuple[str, bytes]]:
    """Return the user records in `data` as (partition key, data); `data` itself when it is no whole aggregate."""
    body = data[len(MAGIC) : -_MD5_BYTES]
    if not data.startswith(MAGIC) or not body or hashlib.md5(body).digest() != data[-_MD5_BYTES:]:
        return [(partition_key, data)]
    try:
        return _user_records(body)
    except (DecodeError, ValueError, IndexError):
        return [(partition_key, data)]


def _user_records(body: bytes) -> list[tuple[str, bytes]]:
    message = _AGGREGATE.FromString(body)
    keys = list(message.partition_key_table)
    if not message.records:
        raise ValueError("an aggregate without records")
    return [(keys[record.partition_key_index], record.data) for record in message.records]


def _message_class() -> Any:
    """Return the class of `AggregatedRecord`, its fields as the specification numbers them; tags are not read."""
    field = FieldDescriptorProto
    file = FileDescriptorProto(name="kpl.proto", package="kpl", syntax="proto2")
    record = file.message_type.add(name="Record")
    record.field.add(name="partition_key_index", number=1, type=field.TYPE_UINT64, label=field.LABEL_REQUIRED)
    record.field.add(name="explicit_hash_key_index", number=2, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    record.field.add(name="data", number=3, type=field.TYPE_BYTES, label=field.LABEL_REQUIRED)
    aggregate = file.message_type.add(name="AggregatedRecord")
    for number, name in ((1, "partition_key_table"), (2, "explicit_hash_key_table")):
        aggregate.field.add(name=name, number=number, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    aggregate.field.add(
        name="records", number=3, type=field.TYPE_MESSAGE, type_name=".kpl.Record", label=field.LABEL_REPEATED
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("kpl.AggregatedRecord"))


_AGGREGATE = _message_class()
