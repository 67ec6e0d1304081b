"""What of a flush goes into the ring: all errors as far as there is room, then an even sample of the rest."""

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from catalog.live import FIELDS, MESSAGE_CHARS, RING_EVENTS_PER_SECOND
from catalog.masking import Masking, suspicions
from catalog.schema import parse_timestamp
from consumer.records import Event, is_error

LEAST_KEPT = 50
_VARYING = re.compile(r"\S*\d\S*")


class Sample:
    """Keeps of any number of events at most `room` in their order, errors before others, each other one as likely."""

    def __init__(self, room: int, seed: str = "") -> None:
        self.seen = 0
        self._room = room
        self._random = random.Random(seed)
        self._errors: list[tuple[int, Event, int]] = []
        self._others: list[tuple[int, Event, int]] = []
        self._errors_seen = 0

    def offer(self, event: Event, arrival_ms: int) -> None:
        """Count an event, and keep it if it is chosen."""
        self.seen += 1
        entry = (self.seen, event, arrival_ms)
        if is_error(event):
            self._errors_seen += 1
            self._choose(self._errors, self._errors_seen, entry)
        else:
            self._choose(self._others, self.seen - self._errors_seen, entry)

    def _choose(self, kept: list[tuple[int, Event, int]], seen: int, entry: tuple[int, Event, int]) -> None:
        if len(kept) < self._room:
            kept.append(entry)
        elif (place := int(self._random.random() * seen)) < self._room:
            kept[place] = entry

    def chosen(self) -> list[tuple[Event, int]]:
        """Return the events kept with the moment each arrived, in the order they came."""
        room = max(0, self._room - len(self._errors))
        others = self._others if len(self._others) <= room else self._random.sample(self._others, room)
        return [(event, arrival_ms) for _, event, arrival_ms in sorted(self._errors + others, key=lambda kept: kept[0])]


def room_for(seconds: float) -> int:
    """Return how many events a flush may keep that comes `seconds` after the one before."""
    return max(LEAST_KEPT, int(RING_EVENTS_PER_SECOND * min(seconds, 5.0)))


def slim(events: Sequence[tuple[Event, int]], masking: Masking) -> list[dict[str, Any]]:
    """Return events as the ring keeps them: known fields, milliseconds in UTC, masked and cut messages."""
    suspicious = suspicions([event["message"] for event, _ in events])
    kept = []
    for place, (event, arrival_ms) in enumerate(events):
        small = {name: event[name] for name in FIELDS if event.get(name) is not None}
        if place in suspicious:
            small["message"] = masking.mask_text(event["message"], suspicious[place])
        moment = parse_timestamp(event["timestamp"])
        small["timestamp"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        kept.append({**{k: _short(v) for k, v in small.items()}, "arrived_ms": arrival_ms})
    return kept


def _short(value: Any) -> Any:
    return value[:MESSAGE_CHARS] if isinstance(value, str) else value


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
