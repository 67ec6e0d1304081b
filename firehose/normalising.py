"""One event made uniform: its level in our words, when it was received, and nobody's personal data."""

from typing import Any

from catalog.schema import LEVEL_ALIASES, LEVELS, RECEIVED_AT
from firehose.masking import MASKS

LEVEL_RAW = "level_raw"
"""The key that keeps a level as the application wrote it, when that differs."""


def normalise(event: dict[str, Any], received_at: str) -> None:
    """Change `event` in place: level normalised, `received_at` stamped, personal data masked.

    Unknown keys, and values of a wrong type, stay as they are: the Glue job rejects what it can't use.
    """
    level = event.get("level")
    if isinstance(level, str) and level not in LEVELS:
        upper = level.strip().upper()
        normal = LEVEL_ALIASES.get(upper, upper)
        if normal in LEVELS:
            event["level"], event[LEVEL_RAW] = normal, level
    event[RECEIVED_AT.name] = received_at
    for field, mask in MASKS.items():
        value = event.get(field)
        if isinstance(value, str):
            event[field] = mask(value)
