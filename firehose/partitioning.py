"""Where an event goes: the partition keys that become its S3 folder."""

from datetime import datetime
from functools import lru_cache

from catalog.names import key_name
from catalog.schema import MAX_AGE, MAX_AHEAD

QUARANTINE = {"year": "1970", "month": "01", "day": "01"}
"""The one day for timestamps out of reason, so that garbage cannot open thousands of partitions."""


def partition_keys(service: str, timestamp: datetime, now: datetime) -> dict[str, str]:
    """Return `service`, `year`, `month` and `day` of an event, by its own time in UTC.

    A timestamp older than `MAX_AGE` or further ahead than `MAX_AHEAD` goes to `QUARANTINE`.
    """
    name = _key_name(service)
    if not now - MAX_AGE <= timestamp <= now + MAX_AHEAD:
        return {"service": name, **QUARANTINE}
    return {
        "service": name,
        "year": f"{timestamp.year:04}",
        "month": f"{timestamp.month:02}",
        "day": f"{timestamp.day:02}",
    }


_key_name = lru_cache(maxsize=1024)(key_name)
