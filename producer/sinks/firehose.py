"""To a delivery stream by Direct PUT: several newline-terminated events per record, which it takes apart again."""

from collections.abc import Sequence

from producer.delivery import Delivery
from producer.sinks.batching import BatchingSink, Limits

LIMITS = Limits(
    target_bytes=200_000,
    record_events=500,
    event_bytes=1000 * 1024 - 1,
    overhead_bytes=1,
    call_records=500,
    call_bytes=4 * 1024 * 1024,
)
"""PutRecordBatch: 500 records of at most 1,000 KiB, 4 MiB a call; de-aggregation takes 500 events of one record."""


def firehose_sink(delivery: Delivery) -> BatchingSink:
    """Return the sink; what is no JSON travels alone, since one such event would spoil its whole record."""
    return BatchingSink(delivery, LIMITS, _joined, apart=True)


def _joined(payloads: Sequence[bytes]) -> tuple[bytes, str]:
    return b"\n".join(payloads) + b"\n", ""
