"""What of a flush goes into the ring: all errors as far as there is room, then an even sample of the rest."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog.live import FIELDS, MESSAGE_CHARS, RING_EVENTS_PER_SECOND
from catalog.live_items import fits
from catalog.masking import Masking, suspicions
from catalog.schema import parse_timestamp
from consumer.records import Event, is_error

LEAST_KEPT = 50
MOST_CHUNKS = 8
"""Chunks that one flush may write, however large its events are: what finds no room in them is seen and not kept."""
_VARYING = re.compile(r"\S*\d\S*")


@dataclass(frozen=True, slots=True)
class Kept:
    """An event of a sample: how many events were seen up to it, and how many of the shard were counted."""

    seen: int
    event: Event
    arrival_ms: int
    position: str = ""
    total: int = 0


class Sample:
    """Keeps of any number of events at most `room` in their order, errors before others, each other one as likely."""

    def __init__(self, room: int, seed: str = "") -> None:
        self.seen = 0
        self._room = room
        self._random = random.Random(seed)
        self._errors: list[Kept] = []
        self._others: list[Kept] = []
        self._errors_seen = 0

    def offer(self, event: Event, arrival_ms: int, position: str = "", total: int = 0) -> None:
        """Count an event, and keep it if it is chosen."""
        self.seen += 1
        entry = Kept(self.seen, event, arrival_ms, position, total)
        if is_error(event):
            self._errors_seen += 1
            self._choose(self._errors, self._errors_seen, entry)
        else:
            self._choose(self._others, self.seen - self._errors_seen, entry)

    def _choose(self, kept: list[Kept], seen: int, entry: Kept) -> None:
        if len(kept) < self._room:
            kept.append(entry)
        elif (place := int(self._random.random() * seen)) < self._room:
            kept[place] = entry

    def chosen(self) -> list[Kept]:
        """Return the events kept, in the order they came."""
        room = max(0, self._room - len(self._errors))
        others = self._others if len(self._others) <= room else self._random.sample(self._others, room)
        return sorted(self._errors + others, key=lambda kept: kept.seen)


def room_for(seconds: float) -> int:
    """Return how many events a flush may keep that comes `seconds` after the one before."""
    return max(LEAST_KEPT, int(RING_EVENTS_PER_SECOND * min(seconds, 5.0)))


def parts(events: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield events in their order as parts that each fit into an item of the table, by halves where they don't."""
    if len(events) <= 1 or fits(events):
        yield events
        return
    middle = len(events) // 2
    yield from parts(events[:middle])
    yield from parts(events[middle:])


def slim(kept: Sequence[Kept], masking: Masking) -> list[dict[str, Any]]:
    """Return events as the ring keeps them: known fields, milliseconds in UTC, masked and cut messages."""
    suspicious = suspicions([each.event["message"] for each in kept])
    small_ones = []
    for place, each in enumerate(kept):
        event = each.event
        small = {name: event[name] for name in FIELDS if event.get(name) is not None}
        if place in suspicious:
            small["message"] = masking.mask_text(event["message"], suspicious[place])
        moment = parse_timestamp(event["timestamp"])
        small["timestamp"] = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        small_ones.append({**{k: _short(v) for k, v in small.items()}, "arrived_ms": each.arrival_ms})
    return small_ones


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MESSAGE_CHARS:
        return value
    return value[: MESSAGE_CHARS - 1] + "…"


@lru_cache(maxsize=8192)
def pattern(message: str) -> str:
    """Return a message with `<*>` for each word that holds a digit, at most 120 characters: what errors are grouped by.

    Such words are what identifies anybody; what is left of a masked message is masked already.
    """
    return _VARYING.sub("<*>", message[:300])[:120]


def error_text(event: Mapping[str, Any], masking: Masking) -> str:
    """Return what an error is counted under: its type, and its message's pattern."""
    text = pattern(masking.mask_text(event["message"][:300]))
    kind = event.get("error_type")
    return f"{kind[:80]}: {text}" if kind and not text.startswith(kind) else text
