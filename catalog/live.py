"""The live table: what the consumer writes to DynamoDB, and what the dashboard and `loglake tail` read from it.

Items, by partition key `pk` and sort key `sk`; every one has `expires_at`, the table's TTL:

    shards           <shard id>             a shard's head: how far it was read, its totals, its ring's last chunk
    counts#<shard>   <slot, 12 digits>      what the shard's events of ten seconds add up to
    ring#<shard>     <chunk, 12 digits>     some recent events of the shard, in their order

Counts and chunks carry `position`, the place in the shard that they reach. They are written under the condition that
what is stored reaches less far, and they say the same whoever writes them: so a replay adds nothing.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.schema import told_level

SLOT_SECONDS = 10
COUNTED_SECONDS = 3600
"""An event that is older than this when it arrives is counted as late, and in no slot: the lake has it."""
AHEAD_SECONDS = 60
"""So is one from further in the future."""
COUNTS_KEPT_SECONDS = 3 * 3600
RING_KEPT_SECONDS = 1800
RING_CHUNKS = 600
"""Chunks that a shard's ring holds: the one that leaves it is deleted when a new one is written."""
RING_EVENTS_PER_SECOND = 250
"""Events that one shard keeps for the tail per second: all its errors, then an even sample of the others."""
RING_AGE_SECONDS = 600
"""An event that arrived longer ago than this is not put into the ring: the reader is catching up."""
HEADS = "shards"
HEAD_KEPT_SECONDS = 7 * 86_400
OTHER = "<other>"
NO_STATUS = "none"
FIELDS: tuple[str, ...] = (
    "event_id",
    "timestamp",
    "level",
    "service",
    "host",
    "http_method",
    "endpoint",
    "status_code",
    "response_time_ms",
    "trace_id",
    "error_type",
    "message",
)
"""The fields of an event that the ring keeps; the message is masked and cut."""
MESSAGE_CHARS = 1000

Key = tuple[str, str, str]
"""Service, level, status class."""


@dataclass(slots=True)
class Counts:
    """What events add up to: counts by service, level and status class, latencies by service, errors by message."""

    events: Counter[Key] = field(default_factory=Counter)
    latencies: dict[str, Counter[int]] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: "Counts") -> None:
        """Add another's counts to these."""
        self.events.update(other.events)
        self.errors.update(other.errors)
        for service, histogram in other.latencies.items():
            self.latencies.setdefault(service, Counter()).update(histogram)

    @property
    def total(self) -> int:
        return sum(self.events.values())

    def where(self, services: Iterable[str] = (), levels: Iterable[str] = ()) -> "Counts":
        """Return the counts of some services and levels; of all, where none is named. Latencies know no level."""
        wanted, chosen = frozenset(services), frozenset(levels)
        return Counts(
            Counter({k: n for k, n in self.events.items() if _in(k[0], wanted) and _in(told_level(k[1]), chosen)}),
            {name: histogram for name, histogram in self.latencies.items() if _in(name, wanted)},
            Counter({k: n for k, n in self.errors.items() if _in(k[0], wanted)}),
        )


def _in(value: str, wanted: frozenset[str]) -> bool:
    return not wanted or value in wanted


def merged(parts: Iterable[Counts]) -> Counts:
    """Return the sum of many counts."""
    total = Counts()
    for part in parts:
        total.add(part)
    return total


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a shard's ring: `seen` events were read for it, of which `events` were kept.

    `total` counts the shard's events up to its end, so that what lies between two chunks is known when chunks between
    them are gone.
    """

    number: int
    position: str
    seen: int
    total: int
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Head:
    """How far a shard was read. Moments are epoch seconds.

    `read_to` is the moment up to which everything that had arrived was read; `covered_from` the one since which
    nothing was left out.
    """

    shard: str
    position: str = ""
    read_to: float = 0.0
    covered_from: float = 0.0
    written_at: float = 0.0
    last_event_at: float = 0.0
    ended: bool = False
    totals: Mapping[str, int] = field(default_factory=dict)
    """`events`, `late`, and `rejected: <reason>` for each reason."""
    checkpoint: str = ""
    """The sequence number after which the poll engine reads on; the KCL engine keeps its own."""


def position_of(sequence_number: str, sub_sequence_number: int = 0) -> str:
    """Return the place of a user record in its shard as a text that sorts as places do."""
    return f"{sequence_number:0>60}/{sub_sequence_number:06d}"


def slot_key(slot: int) -> str:
    """Return the sort key of a slot, given its first epoch second, or of a chunk, given its number."""
    return f"{slot:012d}"


def pack(value: Any) -> bytes:
    """Return a value as compressed JSON."""
    return zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"), 1)


def unpack(content: bytes) -> Any:
    """Return what `pack` was given."""
    return json.loads(zlib.decompress(content))


def counts_to_bytes(counts: Counts) -> bytes:
    """Return counts as the table keeps them."""
    return pack(
        {
            "events": [[*key, count] for key, count in counts.events.items()],
            "latencies": {name: [*histogram.items()] for name, histogram in counts.latencies.items()},
            "errors": [[*key, count] for key, count in counts.errors.items()],
        }
    )


def counts_of(content: bytes) -> Counts:
    """Return the counts that the table keeps."""
    found = unpack(content)
    return Counts(
        Counter({(service, level, status): n for service, level, status, n in found["events"]}),
        {name: Counter(dict(map(tuple, pairs))) for name, pairs in found["latencies"].items()},
        Counter({(service, message): n for service, message, n in found["errors"]}),
    )
