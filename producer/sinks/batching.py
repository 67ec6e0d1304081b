"""Events to records to calls, within a service's limits; nothing waits longer than the linger."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from producer import counting
from producer.counting import Integers, Kind
from producer.delivery import Delivery
from producer.events import Block
from producer.record import Record

LINGER_S = 0.08
"""How long an event may wait for others to share its call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much fits: bytes and events of one record (`target_bytes` is when to close it), records and bytes of a call.

    `event_bytes` is the largest event; `overhead_bytes` what an event costs beyond its own bytes.
    """

    target_bytes: int
    record_events: int
    event_bytes: int
    overhead_bytes: int
    call_records: int
    call_bytes: int


Seal = Callable[[Sequence[bytes]], tuple[bytes, str]]
"""Makes one record of events: its data and its hash key."""


class BatchingSink:
    """A sink that packs events into records, and records into calls of a `Delivery`."""

    def __init__(self, delivery: Delivery, limits: Limits, seal: Seal, apart: bool = False) -> None:
        """`apart`: an event that is no JSON gets a record of its own, where the service splits records by JSON."""
        self._delivery = delivery
        self._limits = limits
        self._seal = seal
        self._apart = apart
        self._payloads: list[bytes] = []
        self._keys: list[Integers] = []
        self._payload_bytes = 0
        self._records: list[Record] = []
        self._record_bytes = 0
        self._oldest = 0.0

    def write(self, block: Block) -> None:
        if not block.payloads:
            return
        self._oldest = self._oldest or time.monotonic()
        sizes = np.fromiter(map(len, block.payloads), dtype=np.int64, count=len(block.payloads))
        for first, last in self._singled_out(block, sizes):
            self._pack(block.part(first, last), sizes[first:last])
        self._delivery.check()

    def tick(self) -> None:
        if self._oldest and time.monotonic() - self._oldest >= LINGER_S:
            self._flush()

    def drain(self) -> None:
        self._flush()
        self._delivery.drain()
        self._delivery.check()

    def hurry(self, grace_s: float) -> None:
        self._delivery.hurry(grace_s)

    def close(self, grace_s: float) -> None:
        try:
            self._flush()
        finally:
            self._delivery.close(grace_s)

    def _singled_out(self, block: Block, sizes: Integers) -> Iterator[tuple[int, int]]:
        """Return the ends of the block's parts, so that what must travel alone does."""
        alone = sizes > self._limits.event_bytes
        if self._apart:
            alone |= counting.kinds(block.keys) == Kind.UNREADABLE
        places = np.flatnonzero(alone).tolist()
        edges = sorted({0, len(block.payloads), *places, *(place + 1 for place in places)})
        return pairwise(edges)

    def _pack(self, block: Block, sizes: Integers) -> None:
        limits = self._limits
        if sizes[0] > limits.event_bytes:
            self._delivery.refuse(block.payloads, f"an event must have at most {limits.event_bytes} bytes")
            return
        alone = self._apart and bool(counting.kinds(block.keys[:1]) == Kind.UNREADABLE)
        if alone:
            self._close_record()
        running = np.cumsum(sizes + limits.overhead_bytes)
        first, before = 0, 0
        while first < len(sizes):
            room = limits.target_bytes - self._payload_bytes
            last = int(np.searchsorted(running, before + room, side="right"))
            last = min(max(last, first + (not self._payloads)), first + limits.record_events - len(self._payloads))
            self._take(block.part(first, last), int(running[last - 1]) - before if last > first else 0)
            if last < len(sizes) or alone or len(self._payloads) >= limits.record_events:
                self._close_record()
            first, before = last, int(running[last - 1]) if last else 0

    def _take(self, block: Block, size: int) -> None:
        if block.payloads:
            self._payloads += block.payloads
            self._keys.append(block.keys)
            self._payload_bytes += size

    def _close_record(self) -> None:
        if not self._payloads:
            return
        data, hash_key = self._seal(self._payloads)
        full = len(self._records) >= self._limits.call_records
        if full or self._record_bytes + len(data) + 64 > self._limits.call_bytes:
            self._submit()
        born = self._oldest or time.monotonic()
        self._records.append(Record(data, hash_key, self._payloads, np.concatenate(self._keys), born))
        self._record_bytes += len(data) + 64
        self._payloads, self._keys, self._payload_bytes = [], [], 0

    def _submit(self) -> None:
        records, self._records, self._record_bytes = self._records, [], 0
        if records:
            self._delivery.submit(records)

    def _flush(self) -> None:
        self._close_record()
        self._submit()
        self._oldest = 0.0
