"""`loglake tail` on a terminal or in a pipe: events as lines, and what is not shown in words."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.live_feed import Cursor, Feed, Tail, matches
from catalog.schema import told_text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = {"CRITICAL": "1;35", "ERROR": "31", "WARNING": "33", "INFO": "36", "DEBUG": "2"}
LEVEL_CHARS = 8
SERVICE_CHARS = 14
LONG_MS = 1e9


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; empty means all. `pattern` is searched for in the whole event."""

    services: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def __call__(self, event: Mapping[str, Any]) -> bool:
        if not matches(event, self.services, self.levels, ""):
            return False
        return self.pattern is None or bool(self.pattern.search(" ".join(str(value) for value in event.values())))


@dataclass(frozen=True, slots=True)
class Look:
    """How a line looks: how wide it may be (0: as wide as it is), in colours or not, or as JSON."""

    width: int = 0
    colours: bool = False
    as_json: bool = False


def line(event: Mapping[str, Any], look: Look) -> str:
    """Return an event as one line, safe for a terminal: control characters are shown, not sent."""
    if look.as_json:
        return json.dumps({k: v for k, v in event.items() if k != "arrived_ms"}, ensure_ascii=False)
    level, service = (_shown(told_text(event.get(name))) for name in ("level", "service"))
    took = event.get("response_time_ms")
    facts = [str(event["status_code"])] if event.get("status_code") is not None else []
    facts += [f"{took:.0f} ms" if abs(took) < LONG_MS else f"{took:.3g} ms"] if took is not None else []
    facts += [told_text(event.get("message"))]
    clock = _shown(str(event.get("timestamp") or "")[11:23])
    head = f"{clock:<12} {level[:LEVEL_CHARS]:<{LEVEL_CHARS}} {service[:SERVICE_CHARS]:<{SERVICE_CHARS}} "
    text = head + _shown(" ".join(facts))
    if look.width and len(text) > look.width:
        text = text[: look.width - 1] + "…"
    if not look.colours:
        return text
    return f"{text[:13]}\x1b[{COLOURS.get(level, '0')}m{text[13:21]}\x1b[0m{text[21:]}"


def _shown(text: str) -> str:
    """Return a text with its control characters shown."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def remarks(tail: Tail, state_before: str, state: Any) -> list[str]:
    """Return what is to be said besides the events: a gap, and a change of the live path's state."""
    said = []
    if tail.skipped:
        said.append(f"{tail.skipped:,} lines skipped: the ring was overrun")
    if state.word != state_before:
        said.append(state_text(state))
    return [text for text in said if text]


def state_text(state: Any) -> str:
    """Return the state of the live path in words."""
    match state.word:
        case "none":
            return "no consumer has ever run here: start one with 'loglake consume' (or 'loglake up')"
        case "stopped":
            return "the consumer does not run: start it with 'loglake consume' (or 'loglake up')"
        case "behind":
            return f"the consumer is {state.lag_seconds:,.0f} s behind the stream"
        case "silent":
            return f"no records for {state.silent_seconds:,.0f} s"
    return f"live, {state.lag_seconds:.1f} s behind the stream"


class Follower:
    """Follows a feed: `step` returns the lines and the remarks that are new. Paused, it counts what waits."""

    def __init__(self, feed: Feed, wanted: Filter, first: int) -> None:
        self._feed, self._wanted, self._first = feed, wanted, first
        self._cursor: Cursor | None = None
        self._state = ""
        self._sampled = False
        self.paused = False
        self.waiting = 0
        self._held: list[Mapping[str, Any]] = []

    def step(self) -> tuple[list[Mapping[str, Any]], list[str]]:
        """Return new events that are wanted, oldest first, and what is to be said."""
        state = self._feed.state()
        tail = self._feed.tail(self._cursor)
        is_first, self._cursor = self._cursor is None, tail.cursor
        said = remarks(tail, self._state, state)
        self._state = state.word
        said += self._sampling(tail, is_first)
        events = [event for event in tail.events if self._wanted(event)]
        if is_first:
            events = events[-self._first :] if self._first else []
        return self._hold(events), said

    def _sampling(self, tail: Tail, is_first: bool) -> list[str]:
        sampled = tail.kept < tail.seen
        if is_first or sampled == self._sampled or not tail.seen:
            return []
        self._sampled = sampled
        if not sampled:
            return ["every event is shown again"]
        return [f"sampled: {tail.kept:,} of {tail.seen:,} events are shown, errors first"]

    def _hold(self, events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        if self.paused:
            self.waiting += len(events)
            self._held = [*self._held, *events][-1000:]
            return []
        held, self._held, self.waiting = self._held, [], 0
        return [*held, *events]


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Return names once each, in their order, split at commas."""
    return tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
