"""One event made uniform: its level in our words, when it was received, and nobody's personal data."""

from collections.abc import Callable
from typing import Any

from catalog.schema import LEVEL_ALIASES, LEVELS, RECEIVED_AT

LEVEL_RAW = "level_raw"
"""The key that keeps a level as the application wrote it, when that differs."""

_LEVELS = frozenset(LEVELS)
_RECEIVED_AT = RECEIVED_AT.name
FieldMasks = tuple[tuple[str, Callable[[str], str]], ...]


def normalise(event: dict[str, Any], received_at: str, masks: FieldMasks) -> None:
    """Change `event` in place: level normalised, `received_at` stamped, personal fields masked, in its message too.

    Unknown keys, and values of a wrong type, stay as they are: the Glue job rejects what it can't use.
    """
    level = event.get("level")
    if level.__class__ is str and level not in _LEVELS:
        _normalise_level(event, level)
    event[_RECEIVED_AT] = received_at
    for name, mask in masks:
        value = event.get(name)
        if value.__class__ is str and value:
            event[name] = masked = mask(value)
            message = event.get("message")
            if message.__class__ is str and value in message:
                event["message"] = message.replace(value, masked)


def _normalise_level(event: dict[str, Any], level: str) -> None:
    upper = level.strip().upper()
    normal = LEVEL_ALIASES.get(upper, upper)
    if normal in _LEVELS:
        event["level"], event[LEVEL_RAW] = normal, level
