"""Sending events again that finally failed: the lines of a dead-letter file, byte for byte, with their own ids."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson

from catalog.errors import SchemaError, UsageError
from catalog.schema import LEVELS, parse_timestamp, validate
from producer import counting
from producer.counting import Kind
from producer.events import Block

_CHUNK = 1_000
_NOBODYS = int(Kind.UNREADABLE)


def replayed(path: Path, services: Sequence[str]) -> Iterator[Block]:
    """Yield the lines of `path` as blocks; raise `UsageError` for a file that can't be read or is not of ours."""
    try:
        with path.open("rb") as file:
            lines: list[bytes] = []
            for line in file:
                lines.append(line.rstrip(b"\n"))
                if len(lines) == _CHUNK:
                    yield _block(lines, services)
                    lines = []
            if lines:
                yield _block(lines, services)
    except OSError as error:
        raise UsageError(f"--replay must be a readable file; got {error.strerror} for {str(path)!r}") from None


def _block(lines: list[bytes], services: Sequence[str]) -> Block:
    keys = np.array([key_of(line, services) for line in lines], dtype=np.int64)
    return Block(lines, (keys >> 16) * 60_000, keys)


def key_of(line: bytes, services: Sequence[str]) -> int:
    """Return the key of one event as it was first counted; raise `UsageError` if its service is none of `services`."""
    try:
        event = orjson.loads(line)
        moment = parse_timestamp(event["timestamp"])
        service = event["service"]
    except (ValueError, SchemaError, KeyError, TypeError):
        return _NOBODYS
    if service not in services:
        raise UsageError(f"--replay takes events of {', '.join(services)}; got {service!r}")
    try:
        validate(event)
        level, kind = LEVELS.index(event["level"]), Kind.GOOD
    except SchemaError:
        level, kind = 0, Kind.REJECTED
    time_ms = np.array([int(moment.timestamp() * 1000)])
    return int(counting.pack(time_ms, np.array([services.index(service)]), np.array([level]))[0]) + kind
