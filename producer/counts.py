"""What has happened so far in one run; at its end, generated = acknowledged + failed + spooled."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from catalog.latency import bucket_of, percentile


@dataclass(slots=True)
class Counts:
    """Running counts of events (`generated`, `acknowledged`, `failed`), records, calls and bytes; safe for threads.

    `sent` are events that have left in a call at least once, whatever became of it; each counts once.
    `spooled` are events of real logs that a stopped run leaves in the spool for the next one.
    `event_bytes` are the bytes of the acknowledged events themselves, `bytes` those of the records that carried them.
    """

    generated: int = 0
    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    spooled: int = 0
    malformed: int = 0
    unparsable: int = 0
    records: int = 0
    retried_records: int = 0
    calls: int = 0
    failed_calls: int = 0
    event_bytes: int = 0
    bytes: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)
    _ways: Counter[str] = field(default_factory=Counter, repr=False)
    _waits: Counter[int] = field(default_factory=Counter, repr=False)

    def add(self, **amounts: int) -> None:
        """Add to the named counts."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def broke(self, ways: Iterable[str]) -> None:
        """Note how malformed events are broken."""
        with self._lock:
            self._ways.update(ways)

    @property
    def malformed_by_way(self) -> dict[str, int]:
        """How many events are broken in which way, the most frequent first."""
        with self._lock:
            return dict(self._ways.most_common())

    def waited(self, seconds: float) -> None:
        """Note how long the sink took for one call, from its start to its answer."""
        with self._lock:
            self._waits[bucket_of(seconds * 1000)] += 1

    def snapshot(self) -> dict[str, float]:
        """Return all counts as of one moment, with what follows from them.

        `events_per_record` is the aggregation ratio; `call_p50_ms` and `call_p99_ms` are the sink's latencies. Each is
        0 while nothing was measured.
        """
        with self._lock:
            counts: dict[str, float] = {name: getattr(self, name) for name in self.__slots__ if name[0] != "_"}
            waits = dict(self._waits)
        counts["events_per_record"] = round(self.acknowledged / self.records, 2) if self.records else 0.0
        for name, quantile in (("call_p50_ms", 0.5), ("call_p99_ms", 0.99)):
            counts[name] = round(percentile(waits, quantile) or 0.0, 2)
        return counts
