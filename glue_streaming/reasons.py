"""Why a line was rejected, in words: the field, what must hold and the value. Python, for rejected lines only."""

import json
from datetime import UTC, datetime
from typing import Any

from catalog.errors import SchemaError
from catalog.schema import MAX_AGE, MAX_AHEAD, RECEIVED_AT, parse_timestamp, validate

MAX_REASON_CHARS = 500


def reason_of(raw_line: bytes | None, arrived: datetime | None = None) -> str | None:
    """Return why the line is no event that arrived then, on one line of at most `MAX_REASON_CHARS` characters.

    None for None: a line whose reason is known.
    """
    if raw_line is None:
        return None
    reason = _reason(raw_line, arrived and arrived.astimezone(UTC))  # Spark gives it naive, in local time
    return reason if len(reason) <= MAX_REASON_CHARS else reason[: MAX_REASON_CHARS - 1] + "…"


def _reason(raw_line: bytes, arrived: datetime | None) -> str:
    try:
        event = json.loads(raw_line.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return f"a line must be UTF-8; got byte 0x{raw_line[error.start]:02x} at {error.start}; the raw line is base64"
    except RecursionError:
        return "a line must be one JSON object, not nested this deep"
    except ValueError as error:
        return f"a line must be one JSON object; got {error}"
    if not isinstance(event, dict):
        return f"a line must be one JSON object; got {type(event).__name__}"
    try:
        validate(event)
        json.dumps(event, ensure_ascii=False).encode()
    except SchemaError as error:
        return str(error)
    except UnicodeEncodeError as error:
        return f"a text must be Unicode; got half a surrogate pair, {error.object[error.start]!r}"
    return _beyond_schema(event, arrived)


def _beyond_schema(event: dict[str, Any], arrived: datetime | None) -> str:
    """Return what the lake refuses and an application may still send: out of reason in time."""
    received = event.get(RECEIVED_AT.name)
    if received is not None and not isinstance(received, str):
        return f"`{RECEIVED_AT.name}` must be string; got {received!r}"
    moment = parse_timestamp(event["timestamp"])
    if arrived and not arrived - MAX_AGE <= moment <= arrived + MAX_AHEAD:
        return (
            f"`timestamp` must be within {MAX_AGE.days} days before and {MAX_AHEAD.days} day after its arrival "
            f"at {arrived.isoformat()}; got {event['timestamp']!r}"
        )
    return f"a line must be an event that Spark's JSON reader takes; `timestamp` is {event['timestamp']!r}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"the constant {name}, which is not JSON")
