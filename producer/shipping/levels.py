"""How severe a line is, out of any of the names and numbers that logging libraries have for it."""

import re
from collections.abc import Mapping
from typing import Any

from catalog.schema import LEVEL_ALIASES, LEVELS

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_DIGITS = re.compile("[0-9]{1,2}")
_WORDS: Mapping[str, str] = {**{level: level for level in LEVELS}, **LEVEL_ALIASES}
_PINO = {10: "DEBUG", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "CRITICAL"}
_SYSLOG = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")
_OPENTELEMETRY = ("DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_OUTCOMES = {"success": "INFO", "failure": "ERROR", "error": "ERROR", "timeout": "ERROR"}
_SAID = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(_WORDS)})(?![A-Za-z])")
_SAID_EARLY = 80
"""In how much of a message its level is looked for."""


def level_of(value: Any) -> str | None:
    """Return the level that a word (any case, also coloured), pino's 10 to 60 or syslog's 0 to 7 means, else None."""
    if isinstance(value, str):
        word = _WORDS.get(value) or _WORDS.get(_COLOUR.sub("", value).strip().upper())
        return word or (level_of(int(value)) if _DIGITS.fullmatch(value) else None)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return _SYSLOG[value] if 0 <= value < len(_SYSLOG) else _PINO.get(value)


def level_of_number(value: Any) -> str | None:
    """Return what Python's `levelno`, 10 to 50, means: the highest level that is not above it."""
    if not isinstance(value, int) or value <= 0:
        return None
    return LEVELS[min(max(value // 10, 1), len(LEVELS)) - 1]


def level_of_severity(value: Any) -> str | None:
    """Return what OpenTelemetry's `severityNumber`, 1 to 24, means."""
    if not isinstance(value, int) or not 1 <= value <= 24:
        return None
    return _OPENTELEMETRY[(value - 1) // 4]


def level_of_outcome(value: Any) -> str | None:
    """Return what the status of a Lambda invocation means."""
    return _OUTCOMES.get(value) if isinstance(value, str) else None


def level_of_status(status_code: int) -> str:
    """Return how severe an answer with this HTTP status is."""
    return "ERROR" if status_code >= 500 else "WARNING" if status_code >= 400 else "INFO"


def level_said(message: str) -> str | None:
    """Return the level that the beginning of a message names in capitals, as in `[ERROR] 2026-11-28 …`."""
    found = _SAID.search(message, 0, _SAID_EARLY)
    return _WORDS[found[0]] if found else None
