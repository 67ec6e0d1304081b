"""Records of the stream opened into user records, and user records into events that can be counted, or why not."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from catalog import kpl
from catalog.errors import SchemaError
from catalog.live import OTHER, position_of
from catalog.names import key_name
from catalog.schema import EVENT_COLUMNS, INT_BITS, LEVEL_ALIASES, LEVELS, PYTHON_TYPES, parse_timestamp, validate

BROKEN_AGGREGATE = "a KPL aggregate whose MD5, index or protobuf is broken"
NOT_JSON = "not a JSON object in UTF-8"
Event = dict[str, Any]
_CLASSES = tuple(
    (column.name, frozenset(PYTHON_TYPES[column.type] + (() if column.required else (type(None),))))
    for column in EVENT_COLUMNS
)
_LIMITS = tuple(
    (column.name, 2.0 ** (INT_BITS[column.type] - 1)) for column in EVENT_COLUMNS if column.type in INT_BITS
)
_DOUBLES = tuple(column.name for column in EVENT_COLUMNS if column.type == "double")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the stream gives it; `sub_sequence_number` when somebody has opened its aggregate already."""

    sequence_number: str
    arrival_ms: int
    data: bytes
    sub_sequence_number: int | None = None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One event's bytes, with its place in the shard."""

    position: str
    arrival_ms: int
    data: bytes


def open_record(record: Record) -> Iterator[UserRecord]:
    """Yield the user records of a record, in order; one that is no whole aggregate is one user record."""
    if record.sub_sequence_number is not None or not record.data.startswith(kpl.MAGIC):
        position = position_of(record.sequence_number, record.sub_sequence_number or 0)
        yield UserRecord(position, record.arrival_ms, record.data)
        return
    base = position_of(record.sequence_number)[:-6]
    for place, (_, data) in enumerate(kpl.open_kpl(record.data, "")):
        yield UserRecord(f"{base}{place:06d}", record.arrival_ms, data)


def parse(data: bytes) -> tuple[Event, float]:
    """Return an event with its level and service as the lake writes them, and its epoch second.

    Raises `SchemaError`, without any of the event's content, for what the lake would reject.
    """
    try:
        event = orjson.loads(data)
    except ValueError:
        raise SchemaError(BROKEN_AGGREGATE if data.startswith(kpl.MAGIC) else NOT_JSON) from None
    if event.__class__ is not dict:
        raise SchemaError(NOT_JSON)
    level = event.get("level")
    if level not in LEVELS and level.__class__ is str:
        level = level.strip().upper()
        event["level"] = LEVEL_ALIASES.get(level, level)
    try:
        if not _looks_sound(event):
            validate(event)
        moment = parse_timestamp(event["timestamp"]).timestamp()
    except SchemaError as error:
        raise SchemaError(str(error).partition("; got")[0]) from None
    event["service"] = _service(event["service"])
    return event, moment


def _looks_sound(event: Event) -> bool:
    """Tell, several times faster than `validate`, that it would not complain, but for the timestamp's form."""
    get = event.get
    for name, classes in _CLASSES:
        if get(name).__class__ not in classes:
            return False
    for name, limit in _LIMITS:
        if not -limit < (get(name) or 0) < limit:
            return False
    return event["level"] in LEVELS and all(math.isfinite(get(name) or 0) for name in _DOUBLES)


@lru_cache(maxsize=4096)
def _service(name: str) -> str:
    return key_name(name)


@lru_cache(maxsize=1024)
def status_class(status: int | None) -> str | None:
    """Return `1xx` to `5xx` for a status, `OTHER` for one that HTTP does not know; None without one."""
    if status is None:
        return None
    return f"{status // 100}xx" if 100 <= status < 600 else OTHER


def is_error(event: Mapping[str, Any]) -> bool:
    """Return whether an event is of level ERROR or CRITICAL."""
    return event["level"] in ("ERROR", "CRITICAL")
