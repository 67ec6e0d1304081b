"""Broken events on purpose: kinds that real applications ship, each with what must become of it."""

from collections.abc import Callable

import orjson

from producer.counting import Kind

Breaker = Callable[[bytes], bytes]


def _without(field: str) -> Breaker:
    def broken(event: bytes) -> bytes:
        fields = orjson.loads(event)
        del fields[field]
        return orjson.dumps(fields)

    return broken


def _with(field: str, value: object) -> Breaker:
    def broken(event: bytes) -> bytes:
        return orjson.dumps({**orjson.loads(event), field: value})

    return broken


BREAKAGES: tuple[tuple[str, Kind, Breaker], ...] = (
    ("cut off in the middle", Kind.UNREADABLE, lambda event: event[: len(event) // 2]),
    ("a line of plain text", Kind.UNREADABLE, lambda event: b"panic: runtime error " + event[13:49]),
    ("an array", Kind.UNREADABLE, lambda event: b"[" + event + b"]"),
    ("no timestamp", Kind.UNREADABLE, _without("timestamp")),
    ("a timestamp that is none", Kind.UNREADABLE, _with("timestamp", "yesterday")),
    ("no service", Kind.UNREADABLE, _without("service")),
    ("a status code as text", Kind.REJECTED, _with("status_code", "two hundred")),
    ("an unknown level", Kind.REJECTED, _with("level", "LOUD")),
    ("no message", Kind.REJECTED, _without("message")),
    ("a response time as text", Kind.REJECTED, _with("response_time_ms", "fast")),
)
"""What is broken, what becomes of it, and how a good event is made into it."""


def break_event(event: bytes, choice: int) -> tuple[bytes, int, Kind]:
    """Return `event` broken in one of the ways, the way's number from 1 on, and what must become of the event."""
    number = choice % len(BREAKAGES)
    _, kind, breaker = BREAKAGES[number]
    return breaker(event), number + 1, kind


def name_of(number: int) -> str:
    """Return what is broken in way `number`; 0 is an event that came broken."""
    return BREAKAGES[number - 1][0] if number else "broken when it came"
