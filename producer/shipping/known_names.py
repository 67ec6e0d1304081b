"""Under which names applications write what is a column of ours: one table, which docs/producer.md shows.

For each column, names in the order in which they are tried. A dot leads into an object, or is part of the name. A name
that stands with a reader is only taken when the reader makes something of its value: `status` is a column when it is
200, and is left alone when it is "ok".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.schema import EVENT_COLUMNS
from producer.shipping.access_log import method_of, route_of, target_of
from producer.shipping.levels import level_of, level_of_number, level_of_outcome, level_of_severity

Reader = Callable[[Any], Any]
"""Makes a column's value of what a line has, or None when it is something else."""


def text(value: Any) -> str | None:
    """Read a text, or a number as one."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def named(value: Any) -> str | None:
    """Read a text that nginx writes as empty or `-` when there is none."""
    return None if value in ("", "-") else text(value)


def whole(value: Any) -> int | None:
    """Read a whole number, also one in digits."""
    number = decimal(value)
    return int(number) if number is not None and number == int(number) else None


def decimal(value: Any) -> float | None:
    """Read a number, also one in digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = value if isinstance(value, int) else float(value)
    except ValueError:
        return None
    return number if abs(number) < 1 << 63 else None


def seconds(value: Any) -> float | None:
    """Read a time in seconds as milliseconds."""
    number = decimal(value)
    return None if number is None else round(number * 1000, 3)


def status(value: Any) -> int | None:
    """Read an HTTP status."""
    number = whole(value)
    return number if number is not None and 100 <= number <= 599 else None


def trace(value: Any) -> str | None:
    """Read a trace id of 32 hex digits."""
    digits = value.replace("-", "").lower() if isinstance(value, str) else ""
    return digits if len(digits) == 32 and not digits.strip("0123456789abcdef") else None


def method(value: Any) -> str | None:
    """Read an HTTP method."""
    return value if isinstance(value, str) and value in _METHODS else None


def route(value: Any) -> str | None:
    """Read a request's path or URL as its route."""
    return route_of(value) if isinstance(value, str) and value else None


def as_json(value: Any) -> str | None:
    """Read an object or an array as its JSON text."""
    return orjson.dumps(value).decode("utf-8") if isinstance(value, dict | list) and value else None


def raised(value: Any) -> str | None:
    """Read the class of the exception in a stack trace: Python's last line has it, Java's and JavaScript's first."""
    if not isinstance(value, str) or not value.strip():
        return None
    lines = value.strip().splitlines()
    match = _RAISED.match(lines[-1] if lines[0].startswith("Traceback ") else lines[0])
    return match[1] if match else None


def platform(value: Any) -> str | None:
    """Read the type of a platform event of AWS Lambda."""
    return value if isinstance(value, str) and value.startswith("platform.") else None


def log_group(value: Any) -> str | None:
    """Read the last part of a log group's name, `123456789012:/aws/lambda/checkout`."""
    return value.rpartition("/")[2] or None if isinstance(value, str) else None


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"))
_RAISED = re.compile(r"([A-Za-z_][\w.$]*)(?::|$)")

Name = str | tuple[str, Reader]

NAMES: Mapping[str, tuple[Name, ...]] = {
    "event_id": (),
    "timestamp": (
        *("@timestamp", "time", "ts", "asctime", "datetime", "date", "time_iso8601", "time_local", "timeUnixNano"),
        *("observedTimeUnixNano", "eventTime", "msec", "created", "@t"),
    ),
    "level": (
        ("severityNumber", level_of_severity),
        *("levelname", "severity", "log.level", "log_level", "loglevel", "lvl", "severityText", "severity_text", "@l"),
        ("levelno", level_of_number),
        ("record.status", level_of_outcome),
    ),
    "service": ("service.name", "service_name", "serviceName", "app", "application", ("@log", log_group)),
    "environment": ("env", "deployment.environment.name", "deployment.environment", "service.environment"),
    "host": ("hostname", "host.name", "server_name"),
    "http_method": (
        *((name, method) for name in ("method", "request_method", "http.request.method", "http.method", "req.method")),
        ("request", method_of),
    ),
    "endpoint": (
        *("route", "http.route"),
        *((name, route) for name in ("request_uri", "uri", "path", "req.url", "url.path", "http.target", "url")),
        ("request", target_of),
    ),
    "status_code": tuple(
        (name, status)
        for name in ("status", "http.response.status_code", "http.status_code", "res.statusCode", "statusCode")
    ),
    "response_time_ms": (
        *("responseTime", "duration_ms", "elapsed_ms", "latency_ms", "record.metrics.durationMs"),
        ("request_time", seconds),
    ),
    "request_bytes": ("request_length", "http.request.body.size"),
    "response_bytes": ("body_bytes_sent", "bytes_sent", "http.response.body.size"),
    "client_ip": ("remote_addr", "clientIp", "client.address", "client.ip", "req.remoteAddress"),
    "user_id": ("userId", "user.id", "enduser.id", ("remote_user", named)),
    "user_agent": (
        *("userAgent", "user_agent.original", "req.headers.user-agent"),
        ("http_user_agent", named),
    ),
    "trace_id": tuple((name, trace) for name in ("traceId", "trace.id", "traceID", "otelTraceID", "dd.trace_id")),
    "message": (
        *("msg", "@message", "event", "body", "log", "short_message", "@m", "@mt"),
        *("message.errorMessage", "message.message", "message.msg", "body.message", "body.msg", "errorMessage"),
        *("error.message", "exception.message", "err.message"),
        *((name, as_json) for name in ("message", "msg", "event", "body")),
        ("type", platform),
    ),
    "error_type": (
        *("errorType", "message.errorType", "error.type", "exception.type", "err.type", "err.name", "exception.class"),
        *("exc_type", "exception_class"),
        *(
            (name, raised)
            for name in ("exc_info", "exception", "stack_trace", "error.stack_trace", "err.stack", "stack")
        ),
    ),
}
"""Column -> the names under which others write it, after its own."""

_READERS: Mapping[str, Reader] = {"string": text, "int": whole, "bigint": whole, "double": decimal}
_OWN: Mapping[str, Reader] = {"level": level_of, "timestamp": lambda value: value if value != "" else None}


@dataclass(frozen=True, slots=True)
class Known:
    """What a name means: a column, how its value is read, and its rank: a lower one goes before a higher."""

    column: str
    read: Reader
    rank: int


def _known() -> dict[str, tuple[Known, ...]]:
    known: dict[str, tuple[Known, ...]] = {}
    for column in EVENT_COLUMNS:
        usual = _OWN.get(column.name, _READERS[column.type])
        for rank, entry in enumerate((column.name, *NAMES[column.name])):
            name, read = (entry, usual) if isinstance(entry, str) else entry
            known[name] = (*known.get(name, ()), Known(column.name, read, rank))
    return known


KNOWN: Mapping[str, tuple[Known, ...]] = _known()
"""Name -> what it may mean."""

PARENTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    parent: tuple((name, tuple(name.split(".")[1:])) for name in KNOWN if name.startswith(f"{parent}."))
    for parent in {name.partition(".")[0] for name in KNOWN if "." in name}
}
"""Name of an object -> the known names inside it, each with the keys that lead there from the object."""
