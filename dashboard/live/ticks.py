"""What a browser gets each second: the rows that are new to it, and what is not shown, in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.live import Counts, merged
from catalog.live_feed import Cursor, Feed, Tail, matches
from catalog.schema import told_level, told_text
from dashboard.components.detail import local_time, took
from dashboard.view import View

NOBODY = "<no service>"
MOST_ROWS = 200
"""Rows of one tick: more can't be read, and the browser must stay quick."""
RATE_SECONDS = 60
ERRORS_SECONDS = 300
CHART_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Tick:
    """New rows, newest first; `waiting` counts events while paused; `thinned` those that found no room in this tick."""

    rows: Sequence[Mapping[str, Any]]
    cursor: Cursor
    waiting: int = 0
    skipped: int = 0
    thinned: int = 0
    seen: int = 0
    kept: int = 0


def narrowed(view: View, allowed: Sequence[str]) -> View:
    """Return a view of those of its services that a person may see; `allowed` is empty for one who may see all."""
    if not allowed:
        return view
    chosen_services = tuple(name for name in view.services if name in allowed) if view.services else tuple(allowed)
    return replace(view, services=chosen_services or (NOBODY,))


def tick(feed: Feed, view: View, cursor: Cursor | None, is_paused: bool) -> Tick:
    """Return what came after `cursor` and passes the view's filters; nothing but its count while paused."""
    tail = feed.tail(cursor)
    events = [event for event in tail.events if matches(event, view.services, view.levels, view.search)]
    if is_paused and cursor is not None:
        return Tick((), cursor, len(events), tail.skipped, 0, tail.seen, tail.kept)
    shown = chosen(events) if cursor is not None else events[-MOST_ROWS:]
    rows = [_row(event, view.zone) for event in reversed(shown)]
    thinned = len(events) - len(shown) if cursor is not None else 0
    if tail.skipped:
        rows.append(_gap(tail))
    return Tick(rows, tail.cursor, 0, tail.skipped, thinned, tail.seen, tail.kept)


def chosen(events: Sequence[Mapping[str, Any]], most: int = MOST_ROWS) -> list[Mapping[str, Any]]:
    """Return at most `most` events in their order: errors first, then the others evenly."""
    if len(events) <= most:
        return list(events)
    errors = [place for place, event in enumerate(events) if event.get("level") in ("ERROR", "CRITICAL")][-most:]
    others = [place for place, event in enumerate(events) if event.get("level") not in ("ERROR", "CRITICAL")]
    room = most - len(errors)
    step = len(others) / room if room else 1.0
    even = [others[int(number * step)] for number in range(room if others else 0)]
    return [events[place] for place in sorted({*errors, *even})]


def _row(event: Mapping[str, Any], zone: str) -> dict[str, Any]:
    return {
        **event,
        **{name: told_text(event.get(name)) for name in ("level", "service", "message")},
        "time": local_time(str(event.get("timestamp") or "")[:23].replace("T", " "), zone),
        "took": took({"response_time_ms": str(event.get("response_time_ms"))}),
        "row_id": f"{event.get('event_id')}-{event['arrived_ms']}",
    }


def _gap(tail: Tail) -> dict[str, Any]:
    number = "-".join(str(place[0]) for place in tail.cursor.values())
    return {"row_id": f"gap-{number}", "gap": True, "message": f"≈ {tail.skipped:,} lines skipped here"}


@dataclass(frozen=True, slots=True)
class Facts:
    """The last minute in numbers, of the view's services; `rate` is of its levels too."""

    rate: float
    error_rate: float | None
    p95: float | None
    errors: Sequence[tuple[tuple[str, str], int]]


def facts(slots: Mapping[int, Counts], view: View, read_to: float) -> Facts:
    """Return the facts of the last whole slots before `read_to`."""
    from catalog.latency import percentile

    end = int(read_to) // 10 * 10
    recent = merged(counts for start, counts in slots.items() if end - RATE_SECONDS <= start < end)
    longer = merged(counts for start, counts in slots.items() if end - ERRORS_SECONDS <= start)
    of_services = recent.where(view.services)
    failed = of_services.where(levels=("ERROR", "CRITICAL")).total
    histogram: dict[int, int] = {}
    for part in of_services.latencies.values():
        for bucket, count in part.items():
            histogram[bucket] = histogram.get(bucket, 0) + count
    return Facts(
        recent.where(view.services, view.levels).total / RATE_SECONDS,
        failed / of_services.total if of_services.total else None,
        percentile(histogram, 0.95),
        longer.where(view.services).errors.most_common(8),
    )


def rates(slots: Mapping[int, Counts], view: View, now: float) -> dict[str, list[float | None]]:
    """Return events per second by level for each slot of the chart; None where nothing was counted at all."""
    starts = chart_starts(now)
    levels: dict[str, list[float | None]] = {}
    for place, start in enumerate(starts):
        for (_, level, _), count in (
            slots[start].where(view.services, view.levels).events.items() if start in slots else ()
        ):
            course = levels.setdefault(told_level(level), [0.0 if each in slots else None for each in starts])
            course[place] = (course[place] or 0.0) + count / 10
    return levels


def chart_starts(now: float) -> list[int]:
    """Return the slots that the chart shows, the oldest first."""
    last = int(now) // 10 * 10
    return list(range(last - CHART_SECONDS, last + 1, 10))
