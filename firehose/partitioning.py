"""Where an event goes: the partition keys that become its S3 folder."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from catalog.names import key_name
from catalog.schema import MAX_AGE, MAX_AHEAD

QUARANTINE = date(1970, 1, 1).toordinal()
"""The one day for timestamps out of reason, so that garbage cannot open thousands of partitions."""


class Partitions:
    """The partitions of events that arrive at `now`."""

    def __init__(self, now: datetime) -> None:
        self._earliest = now - MAX_AGE
        self._latest = now + MAX_AHEAD

    def keys(self, service: str, timestamp: datetime) -> Mapping[str, str]:
        """Return `service`, `year`, `month` and `day` of an event, by its own time in UTC; not to be changed.

        A timestamp older than `MAX_AGE` or further ahead than `MAX_AHEAD` goes to `QUARANTINE`.
        """
        if self._earliest <= timestamp <= self._latest:
            return _keys(service, timestamp.toordinal())
        return _keys(service, QUARANTINE)


@lru_cache(maxsize=4096)
def _keys(service: str, ordinal: int) -> Mapping[str, str]:
    day = date.fromordinal(ordinal)
    return {
        "service": key_name(service),
        "year": f"{day.year:04}",
        "month": f"{day.month:02}",
        "day": f"{day.day:02}",
    }
