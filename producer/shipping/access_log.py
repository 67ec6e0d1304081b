r"""Access logs of Apache and nginx: the common and the combined format (https://httpd.apache.org/docs/current/logs.html).

127.0.0.1 - frank [10/Oct/2026:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://referer/" "Mozilla/4.08"
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from producer.shipping.unparsable import Unparsable

_LINE = re.compile(
    r"(?P<host>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\d+|-)'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?(?P<rest> .*)?'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+)(?: HTTP/[\d.]+)?")
_TIME = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VARIABLE = re.compile(r"[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LONGEST_SEGMENT = 40


def access_event(line: bytes) -> dict[str, Any]:
    """Return the event of one line, without id and service; raise `Unparsable` for one of another format."""
    match = _LINE.fullmatch(_text(line))
    if not match:
        raise Unparsable("a line must be in the common or the combined format")
    status = int(match["status"])
    request = _REQUEST.fullmatch(match["request"])
    return {
        "timestamp": _moment(match["time"]).isoformat(timespec="milliseconds"),
        "level": "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO",
        "http_method": request["method"] if request else None,
        "endpoint": route_of(request["target"]) if request else None,
        "status_code": status,
        "response_bytes": 0 if match["size"] == "-" else int(match["size"]),
        "client_ip": match["host"],
        "user_id": _known(match["user"]),
        "user_agent": _known(match["agent"]),
        "message": f"{match['request']} {status}",
        **({"referer": match["referer"]} if _known(match["referer"]) else {}),
    }


def route_of(target: str) -> str:
    """Return a route for a request's target: without query, numbers and ids in it as `{id}`, so that routes are few."""
    path = target.partition("?")[0].partition("#")[0]
    return "/".join("{id}" if _is_variable(segment) else segment for segment in path.split("/")) or "/"


def _is_variable(segment: str) -> bool:
    return len(segment) > LONGEST_SEGMENT or bool(_VARIABLE.fullmatch(segment))


def _known(text: str | None) -> str | None:
    return None if text in (None, "", "-") else text


def _moment(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if not match or match[2] not in _MONTHS:
        raise Unparsable(f"the time must be as in 10/Oct/2026:13:55:36 +0000; got {text!r}")
    east = timedelta(hours=int(match[8]), minutes=int(match[9])) * (-1 if match[7] == "-" else 1)
    numbers = (int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]), int(match[4]), int(match[5]), int(match[6]))
    try:
        return datetime(*numbers, tzinfo=timezone(east)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unparsable(f"the time must be one; got {text!r}: {error}") from None


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise Unparsable("a line must be UTF-8") from None
