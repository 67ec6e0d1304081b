"""To a Kinesis data stream: KPL aggregates of about 50 KiB, each inside one shard."""

from collections.abc import Sequence

from producer.aggregation import Aggregator
from producer.delivery import Delivery
from producer.shards import ShardMap
from producer.sinks.batching import BatchingSink, Limits

PARTITION_KEY = "loglake"
"""The partition key of every record; the explicit hash key beside it decides the shard."""

LIMITS = Limits(
    target_bytes=50 * 1024,
    record_events=5_000,
    event_bytes=1024 * 1024 - 256,
    overhead_bytes=13,
    call_records=500,
    call_bytes=4_500_000,
)
"""PutRecords: 500 records of at most 1 MiB; 5 MiB a call is what every stream takes."""


def kinesis_sink(delivery: Delivery, shard_map: ShardMap) -> BatchingSink:
    """Return the sink; a record of one event is not aggregated, as the KPL does it."""
    aggregator = Aggregator()

    def seal(payloads: Sequence[bytes]) -> tuple[bytes, str]:
        hash_key = shard_map.hash_key()
        if len(payloads) == 1:
            return payloads[0], hash_key
        return aggregator.encode(payloads, PARTITION_KEY, hash_key), hash_key

    return BatchingSink(delivery, LIMITS, seal)
