"""What the raw bucket holds: distinct events by service and minute, rejected lines, and error records."""

import base64
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import orjson

from catalog.errors import SchemaError
from catalog.schema import MAX_AGE, MAX_AHEAD, RECEIVED_AT, parse_timestamp, validate
from producer.ledger import minute_name
from producer.verify import Lake, Minute

_GZIP_WBITS = 31
_CHUNK_BYTES = 1 << 20
_STAMP = re.compile(rb',?"%s":"[^"]*"' % RECEIVED_AT.name.encode())


class RawCounter:
    """Counts raw objects as they are read, each event once however often it was stored."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._rejects: set[bytes] = set()
        self._errors: set[bytes] = set()
        self._undelivered: dict[bytes, Minute] = {}
        self._minutes: Counter[Minute] = Counter()
        self._untimely: Counter[Minute] = Counter()
        self._doubles = 0

    def add_events(self, body: bytes) -> None:
        """Count the lines of one object under `logs/`."""
        for line in lines_of(body):
            self._add_line(line)
        if (torn := torn_line(body)) is not None:
            self._rejects.add(reject_identity(torn))

    def add_errors(self, body: bytes) -> None:
        """Count the records of one object under `errors/`."""
        for line in lines_of(body):
            data = error_data(line)
            event = _valid_event(data)
            if event is None:
                self._errors.add(_digest(data))
            else:
                self._undelivered[_identity(event)] = _place(event)

    def fill(self, lake: Lake) -> None:
        """Put what was counted into `lake`."""
        lake.raw = self._minutes
        lake.raw_doubles = self._doubles
        lake.raw_rejects = len(self._rejects)
        lake.raw_untimely = self._untimely
        lake.errors = len(self._errors)
        lake.undelivered = Counter(place for identity, place in self._undelivered.items() if identity not in self._seen)

    def _add_line(self, line: bytes) -> None:
        event = _valid_event(line)
        if event is None:
            self._rejects.add(reject_identity(line))
            return
        identity = _identity(event)
        if identity in self._seen:
            self._doubles += 1
            return
        self._seen.add(identity)
        self._minutes[_place(event)] += 1
        if _is_untimely(event):
            self._untimely[_place(event)] += 1


def lines_of(body: bytes) -> Iterator[bytes]:
    """Yield the lines of an object, unpacked if it is gzip, blank ones left out; of a damaged one its whole lines."""
    data, is_whole = _unpacked(body)
    lines = data.split(b"\n")
    return (line for line in (lines if is_whole else lines[:-1]) if line.strip())


def torn_line(body: bytes) -> bytes | None:
    """Return what is left of the line in which an object is damaged, a reject of the Glue job; None for a sound one."""
    data, is_whole = _unpacked(body)
    return None if is_whole else data.rpartition(b"\n")[2]


def _unpacked(body: bytes) -> tuple[bytes, bool]:
    """Return the text of an object as far as it can be unpacked, and whether that is all of it."""
    if body[:2] != b"\x1f\x8b":
        return body, True
    texts = []
    while body:
        member = zlib.decompressobj(_GZIP_WBITS)
        try:
            for place in range(0, len(body), _CHUNK_BYTES):
                texts.append(member.decompress(body[place : place + _CHUNK_BYTES]))
                if member.eof:
                    break
        except zlib.error:
            return b"".join(texts), False
        if not member.eof:
            return b"".join(texts), False
        body = member.unused_data + body[place + _CHUNK_BYTES :]
    return b"".join(texts), True


def error_data(line: bytes) -> bytes:
    """Return the producer's own bytes from one line of an error object; the line itself if it holds none."""
    try:
        return base64.b64decode(orjson.loads(line)["rawData"]).rstrip(b"\n")
    except (ValueError, KeyError, TypeError):
        return line


def reject_identity(line: bytes) -> bytes:
    """Return what makes a rejected line the same line when it was delivered twice: all but when it was received."""
    try:
        fields = orjson.loads(line)
        if isinstance(fields, dict):
            fields.pop(RECEIVED_AT.name, None)
        return _digest(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS))
    except ValueError:
        return _digest(line.strip())
    except TypeError:  # orjson reads deeper than it writes
        return _digest(_STAMP.sub(b"", line.strip()))


def _valid_event(line: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(line)
        validate(event)
    except (ValueError, SchemaError, AttributeError):
        return None
    valid: dict[str, Any] = event
    return valid


def _identity(event: dict[str, Any]) -> bytes:
    return _digest(event["event_id"].encode("utf-8", "surrogatepass"))


def _is_untimely(event: dict[str, Any]) -> bool:
    """Return whether an event's time is too far from its arrival, as far as it says when that was."""
    try:
        arrived = parse_timestamp(event[RECEIVED_AT.name])
    except (KeyError, SchemaError):
        return False
    moment = parse_timestamp(event["timestamp"])
    return moment - arrived > MAX_AHEAD or arrived - moment > MAX_AGE


def _place(event: dict[str, Any]) -> Minute:
    return event["service"], minute_name(parse_timestamp(event["timestamp"]))


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=12).digest()
