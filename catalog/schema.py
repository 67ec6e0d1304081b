"""The event schema: declared once, here.

Glue columns, Spark fields, validation and the documentation derive from `EVENT_COLUMNS`. Standard library only, so that
the transformation Lambda and the Glue job can carry it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its Glue (Hive) type, whether an event must have it, and what it means."""

    name: str
    type: str
    required: bool = False
    doc: str = ""


EVENT_COLUMNS: tuple[Column, ...] = (
    Column("event_id", "string", True, "UUIDv7; the same event sent again carries the same id"),
    Column("timestamp", "string", True, "when it happened: ISO-8601, UTC, milliseconds, `Z`"),
    Column("level", "string", True, "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    Column("service", "string", True, "the service that wrote it"),
    Column("environment", "string", False, "production, staging, …"),
    Column("host", "string", False, "the machine or task that wrote it"),
    Column("http_method", "string", False, "GET, POST, …"),
    Column("endpoint", "string", False, "the route's template, `/users/{id}`, never the path itself"),
    Column("status_code", "int", False, "HTTP status"),
    Column("response_time_ms", "double", False, "milliseconds from request to response"),
    Column("request_bytes", "bigint", False, "size of the request's body"),
    Column("response_bytes", "bigint", False, "size of the response's body"),
    Column("client_ip", "string", False, "address of the caller; truncated by the transformation Lambda"),
    Column("user_id", "string", False, "who asked; null when nobody was logged in"),
    Column("user_agent", "string", False, "the caller's user agent"),
    Column("trace_id", "string", False, "32 hex digits shared by all events of one user request"),
    Column("message", "string", True, "the log line"),
    Column("error_type", "string", False, "class of the failure; null unless it failed"),
)
"""The columns an application writes, in the order of the curated table."""

RECEIVED_AT = Column("received_at", "string", False, "when the delivery stream's Lambda saw it: ISO-8601, UTC, `Z`")

LEVELS: tuple[str, ...] = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""From least to most severe."""

LEVEL_ALIASES: Mapping[str, str] = {
    "TRACE": "DEBUG",
    "NOTICE": "INFO",
    "INFORMATION": "INFO",
    "WARN": "WARNING",
    "ERR": "ERROR",
    "SEVERE": "ERROR",
    "CRIT": "CRITICAL",
    "FATAL": "CRITICAL",
    "EMERG": "CRITICAL",
    "ALERT": "CRITICAL",
}
"""Other tools' names for the same five levels, upper-cased."""

SERVICES: tuple[str, ...] = ("api-gateway", "authentication", "user-service", "payment", "inventory", "notification")
"""The services out of the box."""

MAX_AGE = timedelta(days=400)
"""An event older than this on arrival is quarantined: garbage must not open thousands of partitions."""
MAX_AHEAD = timedelta(days=1)
"""An event further in the future than this on arrival is quarantined."""

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "bigint": (int,),
    "double": (int, float),
}

INT_BITS: Mapping[str, int] = {"int": 32, "bigint": 64}
"""How many bits a column of each type of whole numbers has."""


def parse_timestamp(text: str) -> datetime:
    """Return the moment an ISO-8601 text names, as an aware UTC `datetime`; raise `SchemaError` if it names none.

    A text without an offset is read as UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError):
        raise SchemaError(f"`timestamp` must be ISO-8601; got {text!r}") from None
    except OverflowError:
        raise SchemaError(f"`timestamp` must be of the years 1 to 9999 in UTC; got {text!r}") from None


def validate(event: Mapping[str, Any]) -> None:
    """Raise `SchemaError` unless `event` has every required column, rightly typed and in its type's range.

    Unknown keys are allowed: a producer may run ahead of the catalog. Other columns may be absent or null.
    """
    for column in EVENT_COLUMNS:
        value = event.get(column.name)
        if value is None:
            if column.required:
                raise SchemaError(
                    f"`{column.name}` must be present; got {'null' if column.name in event else 'nothing'}"
                )
            continue
        if not isinstance(value, PYTHON_TYPES[column.type]) or isinstance(value, bool):
            raise SchemaError(f"`{column.name}` must be {column.type}; got {value!r}")
        if not isinstance(value, str):
            _require_range(column, value)
    if event["level"] not in LEVELS:
        raise SchemaError(f"`level` must be one of {', '.join(LEVELS)}; got {event['level']!r}")
    parse_timestamp(event["timestamp"])


def _require_range(column: Column, value: Any) -> None:
    bits = INT_BITS.get(column.type)
    if bits and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise SchemaError(f"`{column.name}` must be {column.type} of {bits} bits; got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SchemaError(f"`{column.name}` must be finite; got {value!r}")
