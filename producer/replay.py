"""Sending events again that finally failed: the lines of a dead-letter file, byte for byte, with their own ids."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import orjson

from catalog.errors import LoglakeError, SchemaError, UsageError
from catalog.schema import LEVELS, parse_timestamp, validate
from producer import counting
from producer.counting import Kind
from producer.events import Block

_CHUNK = 1_000
_NOBODYS = int(Kind.UNREADABLE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


class ServiceNumbers:
    """Numbers services as they come up; `names` are theirs, in order, and grow."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str) -> int:
        """Return the number of a service; raise `LoglakeError` when there are too many to count."""
        if name not in self._numbers:
            if len(self.names) == counting.MAX_SERVICES:
                raise LoglakeError(f"a run must have at most {counting.MAX_SERVICES} services; got {name!r} beyond")
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]


def replayed(path: Path, services: ServiceNumbers) -> Iterator[Block]:
    """Yield the lines of `path` as blocks; raise `UsageError` for a file that can't be read."""
    try:
        with path.open("rb") as file:
            while lines := [line.rstrip(b"\n") for line in islice(file, _CHUNK)]:
                yield block_of(lines, services)
    except OSError as error:
        raise UsageError(f"--replay must be a readable file; got {error.strerror} for {str(path)!r}") from None


def block_of(lines: list[bytes], services: ServiceNumbers) -> Block:
    """Return events that were rendered before as a block."""
    keys = np.array([key_of(line, services) for line in lines], dtype=np.int64)
    return Block(lines, counting.minutes(keys) * 60_000, keys)


def key_of(line: bytes, services: ServiceNumbers) -> int:
    """Return the key of one event as it was first counted."""
    try:
        event = orjson.loads(line)
        minute = parse_timestamp(event["timestamp"]) - _EPOCH
        service = services.number(event["service"])
    except (ValueError, SchemaError, KeyError, TypeError):
        return _NOBODYS
    try:
        validate(event)
        level, kind = LEVELS.index(event["level"]), Kind.GOOD
    except SchemaError:
        level, kind = 0, Kind.REJECTED
    return counting.key(minute // _MINUTE, service, level, kind)
