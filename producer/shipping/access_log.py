r"""Access logs of Apache and nginx: the common and the combined format (https://httpd.apache.org/docs/current/logs.html).

127.0.0.1 - frank [10/Oct/2026:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://referer/" "Mozilla/4.08"
"""

import re
from typing import Any

from producer.shipping.levels import level_of_status
from producer.shipping.unparsable import Unparsable

_LINE = re.compile(
    r"(?P<host>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\d+|-)'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?(?P<rest> .*)?'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+)(?: HTTP/[\d.]+)?")
_VARIABLE = re.compile(r"[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LONGEST_SEGMENT = 40


def access_event(line: str) -> dict[str, Any]:
    """Return the event of one line, without id and service; raise `Unparsable` for one of another format."""
    match = _LINE.fullmatch(line)
    if not match:
        raise Unparsable("a line must be in the common or the combined format")
    status = int(match["status"])
    request = _REQUEST.fullmatch(match["request"])
    return {
        "timestamp": match["time"],
        "level": level_of_status(status),
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


def method_of(request: Any) -> str | None:
    """Return the method of a request line, `GET /a HTTP/1.1`; None if it is none."""
    match = _REQUEST.fullmatch(request) if isinstance(request, str) else None
    return match["method"] if match else None


def target_of(request: Any) -> str | None:
    """Return the route of a request line's target; None if it is none."""
    match = _REQUEST.fullmatch(request) if isinstance(request, str) else None
    return route_of(match["target"]) if match else None


def route_of(target: str) -> str:
    """Return a route for a request's target: without query, numbers and ids in it as `{id}`, so that routes are few."""
    path = target.partition("?")[0].partition("#")[0]
    return "/".join("{id}" if _is_variable(segment) else segment for segment in path.split("/")) or "/"


def _is_variable(segment: str) -> bool:
    return len(segment) > LONGEST_SEGMENT or bool(_VARIABLE.fullmatch(segment))


def _known(text: str | None) -> str | None:
    return None if text in (None, "", "-") else text
