"""One shard's counters and ring in memory: records in, items out, without AWS.

What a slot adds up to is a function of the shard's records up to a position. So whoever reads the shard comes to the
same numbers, and a write that finds a further position stored may simply adopt what is there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from catalog.errors import SchemaError
from catalog.latency import bucket_of
from catalog.live import (
    AHEAD_SECONDS,
    COUNTED_SECONDS,
    NO_STATUS,
    OTHER,
    RING_AGE_SECONDS,
    SLOT_SECONDS,
    Chunk,
    Counts,
    Head,
)
from catalog.masking import Masking
from consumer.records import Event, Record, UserRecord, is_error, open_record, parse, status_class
from consumer.ring import MOST_CHUNKS, Sample, error_text, parts, room_for, slim

MOST_SERVICES = 100
"""Services that a slot counts by name: with every latency, level and status of each it fits into one item."""
MOST_ERRORS = 50
MOST_REASONS = 30


@dataclass(slots=True)
class Slot:
    """Ten seconds of a shard: what its events up to `position` add up to."""

    counts: Counts = field(default_factory=Counts)
    position: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the table holds of a shard."""

    head: Head
    slots: dict[int, Slot] = field(default_factory=dict)
    last_chunk: Chunk | None = None


class Shard:
    """Adds records up; `dirty` names the slots to write, `chunk` the ring's next part, `head` how far it is.

    Nothing here is lost or doubled by writing twice, or by reading records again that were counted.
    """

    def __init__(self, shard_id: str, stored: Stored, masking: Masking, now: float) -> None:
        self.id = shard_id
        self.position = ""
        self.slots = dict(stored.slots)
        self.dirty: set[int] = set()
        self.totals: Counter[str] = Counter(stored.head.totals)
        self.read_to = stored.head.read_to
        self.covered_from = stored.head.covered_from
        self.last_event_at = stored.head.last_event_at
        self.last_arrival = stored.head.read_to
        self.ended = False
        self.new_reasons: list[str] = []
        self._masking = masking
        self._totals_at = stored.head.position
        last = stored.last_chunk
        self._ring_at, self._ring_number = (last.position, last.number) if last else ("", 0)
        self._flushed_at = now
        self._sample = Sample(room_for(1.0))
        self._settled_at = max([self._totals_at, self._ring_at, *(slot.position for slot in self.slots.values())])

    def add(self, records: Iterable[Record]) -> int:
        """Count the records and return how many user records they held."""
        count = 0
        for record in records:
            for user_record in open_record(record):
                self._add(user_record)
                count += 1
        return count

    def _add(self, record: UserRecord) -> None:
        self.position = record.position
        arrival = self.last_arrival = record.arrival_ms / 1000
        is_new = record.position > self._totals_at
        try:
            event, moment = parse(record.data)
        except Exception as error:  # whatever one record does to us, those behind it must be read
            if is_new:
                self._reject(str(error) if isinstance(error, SchemaError) else f"{type(error).__name__} on reading it")
            return
        if is_new:
            self.totals["events"] += 1
            self.last_event_at = max(self.last_event_at, arrival)
        if arrival - COUNTED_SECONDS <= moment <= arrival + AHEAD_SECONDS:
            self._count(event, int(moment) // SLOT_SECONDS * SLOT_SECONDS, record.position)
        elif is_new:
            self.totals["late"] += 1
        if record.position > self._ring_at and moment > arrival - RING_AGE_SECONDS:
            self._sample.offer(event, record.arrival_ms, record.position, self.totals["events"])

    def _reject(self, reason: str) -> None:
        name = f"rejected: {reason}"
        if name not in self.totals:
            if len(self.totals) > MOST_REASONS:
                name = f"rejected: {OTHER}"
            if name not in self.totals:
                self.new_reasons.append(reason)
        self.totals[name] += 1

    def _count(self, event: Event, start: int, position: str) -> None:
        slot = self.slots.get(start)
        if slot is None:
            slot = self.slots[start] = Slot()
        elif position <= self._settled_at and position <= slot.position:
            return
        self.dirty.add(start)
        counts, service = slot.counts, event["service"]
        duration = event.get("response_time_ms")
        histogram = counts.latencies.get(service)
        if histogram is None:
            if len(counts.latencies) >= MOST_SERVICES:
                service = OTHER
            histogram = counts.latencies.setdefault(service, Counter())
        if duration is not None:
            histogram[bucket_of(duration)] += 1
        counts.events[service, event["level"], status_class(event.get("status_code")) or NO_STATUS] += 1
        if is_error(event):
            key = (service, error_text(event, self._masking))
            if key not in counts.errors and len(counts.errors) >= MOST_ERRORS:
                key = (OTHER, OTHER)
            counts.errors[key] += 1

    def chunks(self) -> list[Chunk]:
        """Return the ring's next chunks, as many as the table's limit makes of them; none when nothing new was seen.

        Each reaches to its last event, the last one to the present; it also counts what found no room.
        """
        if not self._sample.seen or self.position <= self._ring_at:
            return []
        return [*self._cut()]

    def _cut(self) -> Iterator[Chunk]:
        kept, seen, place = self._sample.chosen(), 0, 0
        found = [*parts(slim(kept, self._masking))][:MOST_CHUNKS]
        for number, events in enumerate(found[:-1], self._ring_number + 1):
            place += len(events)
            last = kept[place - 1]
            yield Chunk(number, last.position, last.seen - seen, last.total, tuple(events))
            seen = last.seen
        number, total = self._ring_number + len(found), self.totals["events"]
        yield Chunk(number, self.position, self._sample.seen - seen, total, tuple(found[-1]))

    def head(self, now: float, checkpoint: str = "") -> Head:
        """Return the shard's head as of now."""
        return Head(
            self.id,
            max(self.position, self._totals_at),
            self.read_to,
            self.covered_from,
            now,
            self.last_event_at,
            self.ended,
            dict(self.totals),
            checkpoint,
        )

    def read_until(self, moment: float) -> None:
        """Note that everything which had arrived by `moment` was read."""
        self.read_to = max(self.read_to, moment)

    def wrote_slot(self, start: int) -> None:
        """Note that a slot is stored up to the present position."""
        self.slots[start].position = self.position
        self.dirty.discard(start)

    def adopt_slot(self, start: int, stored: Slot) -> None:
        """Take a slot as somebody else stored it, who had read further."""
        self.slots[start] = stored
        self.dirty.discard(start)
        self._settled_at = max(self._settled_at, stored.position)

    def wrote_chunk(self, chunk: Chunk, now: float) -> None:
        """Note that a chunk, ours or somebody else's, is the ring's last; what it holds is not kept again."""
        self._ring_at, self._ring_number = max(chunk.position, self._ring_at), chunk.number
        self._settled_at = max(self._settled_at, self._ring_at)
        self._sample = Sample(room_for(now - self._flushed_at), chunk.position)
        self._flushed_at = now

    def adopt_totals(self, head: Head) -> None:
        """Take the totals of somebody who had read further."""
        self.totals, self._totals_at = Counter(head.totals), head.position
        self._settled_at = max(self._settled_at, head.position)

    def forget_before(self, moment: float) -> None:
        """Forget slots that no event can fall into any more."""
        for start in [start for start in self.slots if start < moment and start not in self.dirty]:
            del self.slots[start]
