"""Staying under a shard's limits once it has said that there are any.

A shard of Kinesis takes 1,000 records and 1 MiB a second
(https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html). Nothing is held back until a shard
throttles, since an endpoint may have no limit; from then on that shard gets what it is documented to take, less if
others write to it too.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from producer.record import Record

SHARD_BYTES_PER_S = 1024 * 1024
SHARD_RECORDS_PER_S = 1000
KEY_BYTES = 7
_BURST_S = 0.2
_LOWEST = 0.05
_LOOK_S = 1.0
_HEAVY = 0.25
THROTTLED = "ProvisionedThroughputExceededException"


class ShardOf(Protocol):
    """Names the shard that a hash key belongs to."""

    def __call__(self, hash_key: str) -> str: ...


@dataclass(slots=True)
class _Bucket:
    """What one shard may still take: tokens of bytes and records, refilled by time at `share` of the limits."""

    filled_at: float
    judged_at: float
    fresh: bool = True
    share: float = 1.0
    bytes: float = 0.0
    records: float = 0.0
    stored: int = 0
    throttled: int = 0

    def fill(self, now: float) -> None:
        passed, self.filled_at = now - self.filled_at, now
        self.bytes = min(SHARD_BYTES_PER_S * _BURST_S, self.bytes + passed * self.share * SHARD_BYTES_PER_S)
        self.records = min(SHARD_RECORDS_PER_S * _BURST_S, self.records + passed * self.share * SHARD_RECORDS_PER_S)

    def missing_s(self, size: int) -> float:
        """Return how long until a record of `size` bytes fits; one larger than the bucket goes when it is full."""
        wanted = min(size, SHARD_BYTES_PER_S * _BURST_S)
        of_bytes = (wanted - self.bytes) / (self.share * SHARD_BYTES_PER_S)
        return max(0.0, of_bytes, (1 - self.records) / (self.share * SHARD_RECORDS_PER_S))

    def take(self, size: int) -> None:
        self.bytes -= size
        self.records -= 1

    def judge(self, now: float) -> None:
        """Once a second: give way when the shard still throttles, come back slowly when it does not.

        The first second does not count: its answers are to calls that were made before anything was held back.
        """
        if now - self.judged_at < _LOOK_S:
            return
        refused = self.throttled / max(1, self.throttled + self.stored)
        if self.fresh:
            self.fresh = False
        elif refused > _HEAVY:
            self.share *= 0.7
        elif refused > 0:
            self.share *= 0.98
        else:
            self.share += 0.01
        self.share = min(1.0, max(_LOWEST, self.share))
        self.judged_at, self.stored, self.throttled = now, 0, 0


class ShardPace:
    """Admits records shard by shard; what a throttled shard can't take yet waits. Safe for threads."""

    def __init__(self, shard_of: ShardOf, clock: Callable[[], float] = time.monotonic) -> None:
        self._shard_of = shard_of
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def admit(self, records: Sequence[Record]) -> tuple[list[Record], float]:
        """Return the records that may go now, and, when there is none, how many seconds until one may."""
        with self._lock:
            if not self._buckets:
                return list(records), 0.0
            now, shortest, admitted = self._clock(), _LOOK_S, []
            for bucket in self._buckets.values():
                bucket.fill(now)
            for record in records:
                owner = self._buckets.get(self._shard_of(record.hash_key))
                size = len(record.data) + KEY_BYTES
                missing_s = owner.missing_s(size) if owner else 0.0
                if missing_s:
                    shortest = min(shortest, missing_s)
                    continue
                if owner:
                    owner.take(size)
                admitted.append(record)
        return admitted, 0.0 if admitted else max(shortest, 0.001)

    def answered(self, records: Sequence[Record], codes: Sequence[str | None]) -> None:
        """Learn from the answer to one call."""
        if not self._buckets and THROTTLED not in codes:
            return
        with self._lock:
            now = self._clock()
            for record, code in zip(records, codes, strict=True):
                shard = self._shard_of(record.hash_key)
                bucket = self._buckets.get(shard)
                if code == THROTTLED:
                    bucket = self._buckets.setdefault(shard, _Bucket(now, now))
                    bucket.throttled += 1
                elif bucket:
                    bucket.stored += 1
            for bucket in self._buckets.values():
                bucket.judge(now)
