"""KPL aggregates, written and read: ours against aws-kinesis-agg and against protobuf's own encoder, 350-byte events.

Written under one hash key, as the Kinesis sink does it, and under 64; read as the laptop endpoint reads them.
"""

import base64
import hashlib
import sys
from collections.abc import Sequence

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records, messages_pb2

from benchmarks.measure import Work, compare
from catalog.kpl import open_kpl
from producer.aggregation import MAGIC, Aggregator

EVENTS = [b'{"event_id":"%032d",' % number + b"x" * 300 + b"}" for number in range(144)]
HASH_KEYS = [str((place << 122) + 5) for place in range(64)]
PEER = "aws-kinesis-agg"


def by_aws_kinesis_agg(hash_keys: Sequence[str]) -> Work:
    """Return AWS Labs' aggregator."""

    def work() -> int:
        aggregator = RecordAggregator(51_200 + 64 * len(hash_keys))
        for number, event in enumerate(EVENTS):
            aggregator.add_user_record("loglake", event, hash_keys[number % len(hash_keys)])
        aggregator.clear_and_get().get_contents()
        return len(EVENTS)

    return work


def by_protobuf(hash_keys: Sequence[str]) -> Work:
    """Return the generated protobuf classes."""

    def work() -> int:
        message = messages_pb2.AggregatedRecord(partition_key_table=["loglake"], explicit_hash_key_table=hash_keys)
        add = message.records.add
        for number, event in enumerate(EVENTS):
            add(partition_key_index=0, explicit_hash_key_index=number % len(hash_keys), data=event)
        encoded = message.SerializeToString()
        return len(EVENTS) if MAGIC + encoded + hashlib.md5(encoded).digest() else 0

    return work


def by_us() -> Work:
    """Return ours, one key."""
    aggregator = Aggregator()
    return lambda: len(EVENTS) if aggregator.encode(EVENTS, "loglake", HASH_KEYS[0]) else 0


def by_us_keyed() -> Work:
    """Return ours, many keys."""
    aggregator = Aggregator()
    places = [number % len(HASH_KEYS) for number in range(len(EVENTS))]
    return lambda: len(EVENTS) if aggregator.encode_keyed(EVENTS, "loglake", HASH_KEYS, places) else 0


def read_by_aws_kinesis_agg(data: bytes) -> Work:
    """Return AWS Labs' reader, fed as a Lambda is."""
    content = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": "1",
        "approximateArrivalTimestamp": 0,
        "partitionKey": "loglake",
        "explicitHashKey": HASH_KEYS[0],
        "data": base64.b64encode(data).decode("ascii"),
    }
    return lambda: len(deaggregate_records([{"kinesis": content}]))


def main() -> int:
    """Measure, print, and return 1 when a target is missed."""
    one, many = HASH_KEYS[:1], HASH_KEYS
    data = Aggregator().encode(EVENTS, "loglake", HASH_KEYS[0])
    written = {PEER: by_aws_kinesis_agg(one), "protobuf": by_protobuf(one), "loglake": by_us()}
    keyed = {PEER: by_aws_kinesis_agg(many), "protobuf": by_protobuf(many), "loglake": by_us_keyed()}
    read = {PEER: read_by_aws_kinesis_agg(data), "loglake": lambda: len(open_kpl(data, "loglake"))}
    met = [
        compare("aggregation, one key", written, PEER, {"loglake": 6.0}),
        compare("aggregation, 64 keys", keyed, PEER, {"loglake": 4.5}),
        compare("reading aggregates", read, PEER, {"loglake": 2.0}),
    ]
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
