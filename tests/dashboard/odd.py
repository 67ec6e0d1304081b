"""Odd events: everything that the schema lets an event lack, and what a text or a number may be at its worst."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.schema import EVENT_COLUMNS
from tests.dashboard import demo

TEXTS = (
    None,
    "",
    "(none)",
    "x" * 300,
    "<script>alert(1)</script>",
    "a|b",
    "!not",
    "=1+1",
    "\x1b[2Jcontrol\x07\r\nline two",
    "\u202eright to left\u2066",
    "' OR '1'='1",
    "https://a/b?c=d&e#f",
)
LEVELS = (None, "", "LOUD", "error", "ERROR", "CRITICAL", "WARNING", "INFO", "DEBUG")
STATUSES = (None, 0, 42, 200, 404, 503, 999, -1)
LATENCIES = (None, -5.0, 0.0, 12.5, 1e12, 1e300)
SIZES = (None, 0, 2**62, -1)
OF_TYPE: Mapping[str, Sequence[Any]] = {"string": TEXTS, "int": STATUSES, "double": LATENCIES, "bigint": SIZES}
SERVICES = (
    None,
    "(none)",
    "y" * 64,
    "<script>alert(1)</script>",
    "a|b",
    "!not",
    "=1+1",
    "' OR '1'='1",
    "a/b?c#d",
    "payment",
)
"""Without those that no partition can be named by."""
VALUES: Mapping[str, Sequence[Any]] = {
    column.name: {"level": LEVELS, "service": SERVICES}.get(column.name, OF_TYPE[column.type])
    for column in EVENT_COLUMNS
    if column.name != "timestamp"
}
"""The values that each column may have."""
NUMBERS = {"int": "Int32", "bigint": "Int64", "double": "Float64", "string": "string"}


def one_of_each() -> list[dict[str, Any]]:
    """Return an event that lacks everything, and for each odd value of each column one that is plain otherwise."""
    plain = {name: values[-1] if name != "level" else "ERROR" for name, values in VALUES.items()}
    plain |= {"service": "payment", "endpoint": "/charges", "message": "declined", "status_code": 503}
    plain |= {"response_time_ms": 12.5, "request_bytes": 10, "response_bytes": 10}
    odd = [plain | {name: value, "event_id": name} for name, values in VALUES.items() for value in values]
    return [dict.fromkeys(VALUES), *odd, *[plain | {"event_id": value} for value in VALUES["event_id"]]]


def build(events: Sequence[Mapping[str, Any]], folder: Path, end: datetime) -> Path:
    """Write the lake of some events, one a second up to `end`; return the folder."""
    types = {column.name: NUMBERS[column.type] for column in EVENT_COLUMNS if column.name in VALUES}
    frame = pd.DataFrame([{name: event[name] for name in VALUES} for event in events]).astype(types)
    frame["moment"] = pd.to_datetime([end - timedelta(seconds=n + 1) for n in range(len(events))]).tz_localize(None)
    frame["pattern"] = frame["message"]
    return demo.write(frame, folder, end)
