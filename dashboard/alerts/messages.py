"""What alerts say away from the page: to whoever is woken by one, in the log, and to `loglake alerts list`."""

from collections.abc import Mapping
from typing import Any

from dashboard.wording import age, from_epoch, moment

LATE_SECONDS = 300
"""Rules that were evaluated longer ago than this are not being evaluated."""


def link(address: str, query: str) -> str:
    """Return the link of a firing into Explore; `address` is where the dashboard is reached."""
    return f"{address.rstrip('/')}/explore?{query}"


def title(firing: Mapping[str, Any], kind: str) -> str:
    """Return one line: what became of which rule for which subject."""
    return f"{kind.upper()} {firing['rule']}: {firing['subject']}"


def message(firing: Mapping[str, Any], kind: str, address: str) -> str:
    """Return a notification in full: what, since when, how much against what, how urgent, and where to look."""
    lines = [title(firing, kind), "", firing["text"]]
    since = f"since {moment(from_epoch(firing['started_at']))}"
    if firing["resolved_at"]:
        since += f", over at {moment(from_epoch(firing['resolved_at']))}"
        since += f" after {age(firing['resolved_at'] - firing['started_at'])}"
    if firing["acknowledged_by"]:
        since += f"; {firing['acknowledged_by']} is on it"
    ways = f"{address.rstrip('/')}/alerts, or 'loglake alerts ack {firing['id']}'"
    lines += [
        since,
        f"severity {firing['severity']}, alert {firing['id']}",
        "",
        f"look: {link(address, firing['query'])}",
    ]
    return "\n".join(lines + ([] if firing["resolved_at"] else [f"take it: {ways}"]))


def unknown_lines(evaluations: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return, for the rules of which nothing is known, since when and why, those with the same reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, found in sorted(evaluations.items()):
        if found["error"]:
            groups.setdefault((moment(from_epoch(found["unknown_since"])), found["error"]), []).append(name)
    return [f"unknown since {since}: {', '.join(rules)} ({error})" for (since, error), rules in groups.items()]
