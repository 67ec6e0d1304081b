"""The live table, read: by the dashboard's workers and by `loglake tail`.

A `Feed` asks DynamoDB at most every `FRESH_SECONDS`, whoever looks at it and however many do, and never the stream.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog import live, live_items
from catalog.errors import LoglakeError
from catalog.live import Chunk, Counts, Head, merged
from catalog.schema import told_level, told_text

FRESH_SECONDS = 0.4
WHOLE_SECONDS = 30.0
"""How often all slots are asked for again, not only the latest: late events change old ones."""
RECENT_SLOTS_SECONDS = 60
SILENT_SECONDS = 10.0
DEAD_SECONDS = 15.0
"""A consumer that has written nothing for so long does not run: it writes a head every two seconds."""
MEMORY_CHUNKS = 200
Cursor = dict[str, list[int]]
"""Where a reader is in each shard's ring: the last chunk's number, and the shard's events up to its end."""


class LiveError(LoglakeError):
    """The live table can't be read."""


@dataclass(frozen=True, slots=True)
class State:
    """How the live path stands. `lag_seconds` is how far the slowest shard is behind the stream."""

    word: str
    """`none` (never ran), `stopped`, `behind`, `silent`, or `live`."""
    lag_seconds: float = 0.0
    silent_seconds: float = 0.0
    covered_from: float = 0.0
    read_to: float = 0.0
    shards: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tail:
    """What came after a cursor: events oldest first, `seen` of which they are a sample, and `skipped` before them."""

    events: tuple[Mapping[str, Any], ...]
    cursor: Cursor
    seen: int = 0
    skipped: int = 0

    @property
    def kept(self) -> int:
        return len(self.events)


class Feed:
    """One process's view of a live table; threads share it."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float] = time.time) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._lock = threading.Lock()
        self._read_at = self._whole_at = 0.0
        self._heads: dict[str, Head] = {}
        self._rings: dict[str, deque[Chunk]] = {}
        self._slots: dict[int, dict[str, Counts]] = {}
        self._sums: dict[int, Counts] = {}
        self.asked = 0
        """Requests made to DynamoDB so far."""

    def state(self) -> State:
        """Return how the live path stands; raise `LiveError` when the table can't be read."""
        heads = self._fresh()
        now = self._clock()
        if not heads:
            return State("none")
        totals: dict[str, int] = {}
        for head in heads:
            for name, count in head.totals.items():
                totals[name] = totals.get(name, 0) + count
        reading = [head for head in heads if not head.ended] or heads
        newest = max(head.written_at for head in reading)
        current = [head for head in reading if head.written_at > newest - DEAD_SECONDS]
        read_to = min(head.read_to for head in current)
        silent = now - max(head.last_event_at for head in heads)
        lag = max(0.0, now - read_to)
        word = "silent" if silent > SILENT_SECONDS else "live"
        if lag > SILENT_SECONDS:
            word = "behind"
        if now - newest > DEAD_SECONDS:
            word = "stopped"
        covered_from = max(head.covered_from for head in current)
        return State(word, lag, silent, covered_from, read_to, len(current), totals)

    def counts(self, since: float) -> dict[int, Counts]:
        """Return the counts of each slot that starts at `since` or later, over all shards."""
        self._fresh()
        with self._lock:
            return {start: self._sums[start] for start in sorted(self._sums) if start >= since}

    def tail(self, cursor: Cursor | None) -> Tail:
        """Return what the rings hold after a cursor; all they hold without one. Nothing of it is skipped then."""
        self._fresh()
        with self._lock:
            rings = {shard: [*ring] for shard, ring in self._rings.items() if ring}
        events: list[Mapping[str, Any]] = []
        seen = skipped = 0
        moved: Cursor = dict(cursor or {})
        for shard, ring in rings.items():
            number, total = (cursor or {}).get(shard, [-1, -1])
            new = [chunk for chunk in ring if chunk.number > number]
            if not new:
                continue
            if 0 <= number < new[0].number - 1:
                skipped += max(0, new[0].total - new[0].seen - total)
            seen += sum(chunk.seen for chunk in new)
            events += [event for chunk in new for event in chunk.events]
            moved[shard] = [new[-1].number, new[-1].total]
        events.sort(key=lambda event: event["arrived_ms"])
        return Tail(tuple(events), moved, seen, skipped)

    def _fresh(self) -> list[Head]:
        with self._lock:
            now = self._clock()
            if now - self._read_at >= FRESH_SECONDS:
                self._refresh(now)
                self._read_at = self._clock()
            return [*self._heads.values()]

    def _refresh(self, now: float) -> None:
        is_whole = now - self._whole_at >= WHOLE_SECONDS
        since = now - (live.COUNTED_SECONDS + 600 if is_whole else RECENT_SLOTS_SECONDS)
        heads = {head.shard: head for head in map(live_items.head_of, self._query(live.HEADS, "-"))}
        changed: set[int] = set()
        for shard, head in heads.items():
            known = self._heads.get(shard)
            if known and known.written_at == head.written_at and not is_whole:
                continue
            for item in self._query(live_items.counts_partition(shard), live.slot_key(int(since))):
                start, counts, _ = live_items.counts_in(item)
                self._slots.setdefault(start, {})[shard] = counts
                changed.add(start)
            self._read_ring(shard)
        for start in changed:
            self._sums[start] = merged(self._slots[start].values())
        self._heads = heads
        if is_whole:
            self._whole_at = now
            oldest = now - live.COUNTED_SECONDS - 600
            for start in [start for start in self._slots if start < oldest]:
                del self._slots[start]
                self._sums.pop(start, None)

    def _read_ring(self, shard: str) -> None:
        ring = self._rings.setdefault(shard, deque(maxlen=MEMORY_CHUNKS))
        partition = live_items.ring_partition(shard)
        if ring:
            ring.extend(map(live_items.chunk_of, self._query(partition, live.slot_key(ring[-1].number + 1))))
        else:
            newest = [*map(live_items.chunk_of, self._query(partition, "-", newest=MEMORY_CHUNKS // 4))]
            ring.extend(reversed(newest))

    def _query(self, partition: str, start: str, newest: int = 0) -> Iterator[Mapping[str, Any]]:
        from botocore.exceptions import BotoCoreError, ClientError

        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk >= :sk",
            "ExpressionAttributeValues": {":pk": {"S": partition}, ":sk": {"S": start}},
            "ScanIndexForward": not newest,
        }
        if newest:
            arguments["Limit"] = newest
        while True:
            try:
                self.asked += 1
                page = self._client.query(**arguments)
            except (BotoCoreError, ClientError) as error:
                raise LiveError(f"the live table {self._table!r} can't be read: {error}") from error
            yield from page["Items"]
            if newest or "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def matches(event: Mapping[str, Any], services: Iterable[str], levels: Iterable[str], text: str) -> bool:
    """Tell whether an event is of the services and levels named, if any, and holds a text, in whatever case."""
    if levels and told_level(event.get("level")) not in levels:
        return False
    if services and told_text(event.get("service")) not in services:
        return False
    if not text:
        return True
    wanted = text.lower()
    return any(
        wanted in str(event.get(name) or "").lower() for name in ("message", "error_type", "endpoint", "trace_id")
    )
