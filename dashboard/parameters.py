"""Values that people type for a named query's parameters, as the SQL literals that Athena is given."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from catalog.errors import UsageError
from catalog.named_queries import Parameter
from dashboard.statements import text_literal
from dashboard.timerange import parse_moment

MAX_CHARS = 300
_INTEGER = re.compile(r"-?\d{1,18}")
PLACEHOLDERS = {"timestamp": "2026-11-21 10:00:00, or now-1h", "string": "text", "integer": "number"}


def literals(
    parameters: tuple[Parameter, ...], values: list[str | None], now: datetime, zone: ZoneInfo
) -> tuple[str, ...]:
    """Return the literals for what was typed; raise `UsageError` naming the first value that won't do."""
    if len(values) != len(parameters):
        raise UsageError(f"the query takes {len(parameters)} values; got {len(values)}")
    return tuple(
        literal(parameter, value or "", now, zone) for parameter, value in zip(parameters, values, strict=True)
    )


def literal(parameter: Parameter, text: str, now: datetime, zone: ZoneInfo) -> str:
    """Return one value's literal: a timestamp's text is a moment in `zone`, or one relative to now."""
    text = text.strip()[:MAX_CHARS]
    if not text:
        raise UsageError(f"`{parameter.name}` must be given ({parameter.description}); got nothing")
    if parameter.type == "timestamp":
        return text_literal(f"{parse_moment(text, now, zone):%Y-%m-%d %H:%M:%S}")
    if parameter.type == "integer":
        if not _INTEGER.fullmatch(text):
            raise UsageError(f"`{parameter.name}` must be a whole number; got {text!r}")
        return text
    return text_literal(text)
