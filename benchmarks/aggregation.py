"""Writing KPL aggregates: ours against aws-kinesis-agg and against protobuf's own encoder, 350-byte events."""

import hashlib
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import messages_pb2

from benchmarks.measure import Work, compare
from producer.aggregation import MAGIC, Aggregator

EVENTS = [b'{"event_id":"%032d",' % number + b"x" * 300 + b"}" for number in range(144)]
HASH_KEY = str(1 << 126)


def by_aws_kinesis_agg() -> Work:
    """Return AWS Labs' aggregator, one key."""

    def work() -> int:
        aggregator = RecordAggregator(51_200)
        for event in EVENTS:
            aggregator.add_user_record("loglake", event, HASH_KEY)
        aggregator.clear_and_get().get_contents()
        return len(EVENTS)

    return work


def by_protobuf() -> Work:
    """Return the generated protobuf classes, one key."""

    def work() -> int:
        message = messages_pb2.AggregatedRecord(partition_key_table=["loglake"], explicit_hash_key_table=[HASH_KEY])
        add = message.records.add
        for event in EVENTS:
            add(partition_key_index=0, explicit_hash_key_index=0, data=event)
        encoded = message.SerializeToString()
        return len(EVENTS) if MAGIC + encoded + hashlib.md5(encoded).digest() else 0

    return work


def by_us() -> Work:
    """Return ours, one key."""
    aggregator = Aggregator()
    return lambda: len(EVENTS) if aggregator.encode(EVENTS, "loglake", HASH_KEY) else 0


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    ways = {"aws-kinesis-agg": by_aws_kinesis_agg(), "protobuf": by_protobuf(), "loglake": by_us()}
    return int(not compare("aggregation", ways, "aws-kinesis-agg", {"loglake": 6.0}))


if __name__ == "__main__":
    sys.exit(main())
