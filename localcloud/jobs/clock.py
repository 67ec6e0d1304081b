"""Which schedules are due: kept in memory only, so a restart or a sleeping laptop never catches up on old firings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from localcloud.jobs.cron import Cron

LATE = timedelta(seconds=90)
"""A firing noticed later than this was missed (the laptop slept) and is left out."""


@dataclass(slots=True)
class _Entry:
    cron: Cron
    due: datetime | None


class Clock:
    """The next firing of each named schedule."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def keep(self, schedules: Mapping[str, Cron], now: datetime) -> None:
        """Take the schedules as they are now: new and changed ones count from `now`, missing ones are forgotten."""
        for name in set(self._entries) - set(schedules):
            del self._entries[name]
        for name, cron in schedules.items():
            known = self._entries.get(name)
            if known is None or known.cron != cron:
                self._entries[name] = _Entry(cron, cron.next_after(now))

    def due(self, now: datetime) -> list[str]:
        """Return the names that fire now, each once however many firings were missed, and move them on."""
        fired = []
        for name, entry in self._entries.items():
            if entry.due is not None and entry.due <= now:
                if now - entry.due <= LATE:
                    fired.append(name)
                entry.due = entry.cron.next_after(now)
        return fired
