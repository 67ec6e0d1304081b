"""The SQL that the dashboard asks, and the parameters it asks it with.

No text comes from a user: values travel as execution parameters, identifiers come from the catalog. Every statement
names its partitions as strings, so that Athena prunes. Moments are asked for as epoch seconds: no zones, no formats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.errors import UsageError
from catalog.names import key_name
from dashboard.timerange import Window


@dataclass(frozen=True, slots=True)
class Statement:
    """One question to Athena: its text, and the SQL literals that its `?` stand for."""

    sql: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to roll up `log_minutes`: its grain, the columns it groups by, and the block it is cached in."""

    name: str
    grain_seconds: int
    block_seconds: int

    @property
    def key(self) -> str:
        return f"{self.name}-{self.grain_seconds}"


COUNTS = "counts"
LATENCY = "latency"
ENDPOINTS = "endpoints"
ENDPOINT_LATENCY = "endpoint-latency"
PATTERNS = "patterns"

COLUMNS: dict[str, dict[str, str]] = {
    COUNTS: {
        "slot": "int64",
        "service": "string",
        "level": "string",
        "status_class": "string",
        "events": "int64",
        "response_bytes": "int64",
    },
    LATENCY: {"slot": "int64", "service": "string", "bucket": "int32", "events": "int64"},
    ENDPOINTS: {
        "slot": "int64",
        "service": "string",
        "endpoint": "string",
        "level": "string",
        "status_class": "string",
        "events": "int64",
        "response_time_ms": "float64",
        "response_time_ms_max": "float64",
    },
    ENDPOINT_LATENCY: {
        "slot": "int64",
        "service": "string",
        "endpoint": "string",
        "bucket": "int32",
        "events": "int64",
    },
    PATTERNS: {"slot": "int64", "service": "string", "level": "string", "pattern": "string", "events": "int64"},
}
"""Columns and Arrow types of each kind's rows, in the order its statement selects them."""

READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN")
_SLOT = "CAST(floor(to_unixtime(minute) / {grain}) AS bigint) * {grain}"
_SELECTS = {
    COUNTS: "{slot} AS slot, service, level, status_class, sum(event_count) AS events, "
    "sum(response_bytes_sum) AS response_bytes FROM log_minutes WHERE {where} "
    "GROUP BY {slot}, service, level, status_class",
    LATENCY: "{slot} AS slot, service, bucket, sum(events) AS events FROM log_minutes "
    "CROSS JOIN UNNEST(latency_histogram) AS t(bucket, events) WHERE {where} GROUP BY {slot}, service, bucket",
    ENDPOINTS: "{slot} AS slot, service, endpoint, level, status_class, sum(event_count) AS events, "
    "sum(response_time_ms_sum) AS response_time_ms, max(response_time_ms_max) AS response_time_ms_max "
    "FROM log_minutes WHERE {where} GROUP BY {slot}, service, endpoint, level, status_class",
    ENDPOINT_LATENCY: "{slot} AS slot, service, endpoint, bucket, sum(events) AS events FROM log_minutes "
    "CROSS JOIN UNNEST(latency_histogram) AS t(bucket, events) WHERE {where} "
    "GROUP BY {slot}, service, endpoint, bucket",
    PATTERNS: "{slot} AS slot, service, level, pattern, sum(events) AS events FROM log_minutes "
    "CROSS JOIN UNNEST(patterns) AS t(pattern, events) WHERE {where} GROUP BY {slot}, service, level, pattern",
}


def text_literal(text: str) -> str:
    """Return `text` as a SQL string literal: quoted, quotes doubled, NUL removed."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def timestamp_literal(moment: datetime) -> str:
    """Return a moment as a SQL timestamp literal in UTC, in milliseconds."""
    return f"TIMESTAMP '{moment.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]}'"


def iso_literal(moment: datetime) -> str:
    """Return a moment as the raw tables write it: an ISO-8601 string literal, UTC, milliseconds, `Z`."""
    return f"'{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z'"


def rollup(kind: Kind, window: Window, services: Sequence[str] = ()) -> Statement:
    """Return the statement for one kind's rows over a window that starts and ends on minutes, of `services` alone."""
    days, day_parameters = partitions(window)
    slot = _SLOT.format(grain=kind.grain_seconds)
    only, names = among("service", services)
    where = f"{days} AND minute >= ? AND minute < ?{only}"
    bounds = (timestamp_literal(window.start), timestamp_literal(window.end))
    return Statement("SELECT " + _SELECTS[kind.name].format(slot=slot, where=where), day_parameters + bounds + names)


def manifest(window: Window, services: Sequence[str] = ()) -> Statement:
    """Return the statement that counts each hour's events: a block whose count is unchanged need not be asked again.

    The rollup is additive, so whatever arrives late changes the count of its hour.
    """
    days, parameters = partitions(window)
    slot = _SLOT.format(grain=3600)
    only, names = among("service", services)
    sql = f"SELECT {slot} AS slot, sum(event_count) AS events FROM log_minutes WHERE {days}{only} GROUP BY {slot}"
    return Statement(sql, parameters + names)


def among(column: str, values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return ` AND column IN (?, …)` and its parameters; nothing when any value will do."""
    if not values:
        return "", ()
    return f" AND {column} IN ({', '.join('?' * len(values))})", tuple(text_literal(value) for value in values)


def completeness() -> Statement:
    """Return the statement for the moment up to which the lake is complete, as epoch seconds."""
    return Statement("SELECT CAST(to_unixtime(max(newest_received_at)) AS bigint) AS complete_to FROM runs")


def recent_runs() -> Statement:
    """Return the statement for the job's latest micro-batches."""
    columns = (
        "run_id, batch_id, CAST(to_unixtime(started_at) AS bigint) AS started_at, "
        "CAST(to_unixtime(finished_at) AS bigint) AS finished_at, input_objects, input_rows, log_rows, minute_rows, "
        "counted_rows, reject_rows, duplicate_rows, dropped_level_rows, "
        "CAST(to_unixtime(newest_received_at) AS bigint) AS newest_received_at"
    )
    return Statement(f"SELECT {columns} FROM runs ORDER BY finished_at DESC LIMIT 100")


def reading(sql: str) -> Statement:
    """Return the statement that someone wrote; raise `UsageError` unless it is one, and only reads."""
    text = sql.strip().rstrip(";").strip()
    first = text.split(None, 1)[0].upper() if text else ""
    if first not in READING or ";" in text:
        starts = ", ".join(READING)
        raise UsageError(
            f"SQL here must only read: one statement that starts with {starts}; got {text[:40]!r}; "
            "'loglake query' runs others, and asks before it drops what the stack made"
        )
    return Statement(text)


def arrived(now: datetime) -> Statement:
    """Return the statement for what the job read in the last day: events, stored bytes, and over how long."""
    since = timestamp_literal(now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1))
    return Statement(
        "SELECT sum(input_rows) AS events, sum(input_bytes) AS stored_bytes, "
        "CAST(to_unixtime(max(newest_received_at)) - to_unixtime(min(oldest_received_at)) AS bigint) AS seconds "
        "FROM runs WHERE finished_at >= ?",
        (since,),
    )


def recent_rejects(now: datetime, services: Sequence[str] = ()) -> Statement:
    """Return the statement for the lines that the job could not curate, of today and yesterday."""
    days, parameters = partitions(Window(now - timedelta(days=1), now + timedelta(minutes=1)))
    folders = [text_literal(f"%logs/{key_name(service)}/%") for service in services]
    only = " AND (" + " OR ".join(["source_object LIKE ?"] * len(folders)) + ")" if folders else ""
    return Statement(
        "SELECT CAST(to_unixtime(rejected_at) AS bigint) AS rejected_at, reason, raw_line, source_object "
        f"FROM rejects WHERE {days}{only} ORDER BY rejected_at DESC LIMIT 50",
        (*parameters, *folders),
    )


def partitions(window: Window) -> tuple[str, tuple[str, ...]]:
    """Return the predicate, and its parameters, that keeps the day partitions of a window: one clause per month."""
    months: dict[tuple[str, str], list[str]] = {}
    for day in _days(window):
        months.setdefault((f"{day:%Y}", f"{day:%m}"), []).append(f"{day:%d}")
    clause = "(year = ? AND month = ? AND day BETWEEN ? AND ?)"
    parameters = [
        text_literal(value) for (year, month), days in months.items() for value in (year, month, days[0], days[-1])
    ]
    return "(" + " OR ".join([clause] * len(months)) + ")", tuple(parameters)


def _days(window: Window) -> Sequence[datetime]:
    first = window.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    count = (window.end.astimezone(UTC) - first) // timedelta(days=1) + 1
    days = [first + timedelta(days=number) for number in range(count)]
    return [day for day in days if day < window.end] or days[:1]
