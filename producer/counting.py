"""Which count an event belongs to: its minute, service, level and kind packed into one integer."""

from collections.abc import Iterable, Iterator
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

MAX_SERVICES = 1 << 16


class Kind(IntEnum):
    """What becomes of an event: `GOOD` is curated, `UNREADABLE` ends in errors/, `REJECTED` in the rejects."""

    GOOD = 0
    UNREADABLE = 1
    REJECTED = 2


def pack(times_ms: Integers, services: Integers, levels: Integers) -> Integers:
    """Return the keys of good events; add a `Kind` to make one of another kind."""
    return (times_ms // 60_000) << 24 | services << 8 | levels << 4


def key(minute: int, service: int, level: int, kind: Kind) -> int:
    """Return one key."""
    return minute << 24 | service << 8 | level << 4 | kind


def unpack(key: int) -> tuple[int, int, int, Kind]:
    """Return minute (since the epoch), service, level and kind of a key."""
    return key >> 24, key >> 8 & 0xFFFF, key >> 4 & 0xF, Kind(key & 0xF)


def broken(key: int, way: int, kind: Kind) -> int:
    """Return the key of a good event made malformed: its level gives way to the way in which it is broken."""
    return key & ~0xFF | way << 4 | kind


def ways(keys: Integers) -> Integers:
    """Return the way in which each malformed event is broken; see `producer.malformed`."""
    return np.asarray(keys[kinds(keys) != Kind.GOOD] >> 4 & 0xF, dtype=np.int64)


def minutes(keys: Integers) -> Integers:
    """Return the minute (since the epoch) of each key."""
    return keys >> 24


def services(keys: Integers) -> Integers:
    """Return the number of each key's service."""
    return keys >> 8 & 0xFFFF


def kinds(keys: Integers) -> Integers:
    """Return the `Kind` of each key."""
    return keys & 0xF


def tally(keys: Integers | Iterable[Integers]) -> Iterator[tuple[int, int]]:
    """Yield each distinct key with how often it occurs."""
    together = keys if isinstance(keys, np.ndarray) else np.concatenate(list(keys))
    distinct, counts = np.unique(together, return_counts=True)
    yield from zip(distinct.tolist(), counts.tolist(), strict=True)
