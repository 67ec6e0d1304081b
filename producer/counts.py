"""What has happened so far in one run; the sum that must hold at its end is generated = acknowledged + failed."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Counts:
    """Running counts of events (`generated`, `acknowledged`, `failed`), records, calls and bytes; safe for threads."""

    generated: int = 0
    acknowledged: int = 0
    failed: int = 0
    malformed: int = 0
    records: int = 0
    retried_records: int = 0
    calls: int = 0
    failed_calls: int = 0
    bytes: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, **amounts: int) -> None:
        """Add to the named counts."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def snapshot(self) -> dict[str, int]:
        """Return all counts as of one moment."""
        with self._lock:
            return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}
