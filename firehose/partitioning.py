"""Where an event goes: the partition keys that become its S3 folder."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from catalog.names import key_name
from catalog.schema import MAX_AGE, MAX_AHEAD

QUARANTINE = (1970, 1, 1)
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
            return _keys(service, timestamp.year, timestamp.month, timestamp.day)
        return _keys(service, *QUARANTINE)


@lru_cache(maxsize=4096)
def _keys(service: str, year: int, month: int, day: int) -> Mapping[str, str]:
    return {"service": key_name(service), "year": f"{year:04}", "month": f"{month:02}", "day": f"{day:02}"}
