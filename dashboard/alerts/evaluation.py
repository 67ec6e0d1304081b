"""Evaluating a rule: a cube in, a finding per service (or new message) out. Nothing here asks anybody.

The window ends where the lake is complete, not now: an incomplete minute is no drop in traffic.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard import cube as cubes
from dashboard.alerts.rules import Rule
from dashboard.cube import ERROR_LEVELS, Cube
from dashboard.patterns import OTHER, pattern_id
from dashboard.statements import COUNTS, LATENCY, PATTERNS
from dashboard.timerange import Window, absolute
from dashboard.view import View, query_string
from dashboard.wording import age, count, duration, share

MAX_SUBJECTS = 20
"""New messages that one evaluation may raise; an incident invents hundreds of them."""
EVERYTHING = "all services"
SETTLING = timedelta(minutes=2)
"""Delivery buffers each service by itself: the last minutes may hold one service and lack another."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found of one subject, a service or a message: a value, whether it breaks the rule, and where to look.

    `query` is the query of Explore that shows exactly the range and rows that the value is of.
    """

    subject: str
    value: float
    is_breach: bool
    text: str
    query: str


def window_of(rule: Rule, complete_to: datetime) -> Window:
    """Return the window that a rule looks at: whole minutes up to where the lake is complete."""
    end = _settled(complete_to)
    return Window(end - timedelta(minutes=rule.window_minutes), end)


def needed(rules: Iterable[Rule], complete_to: datetime) -> Window:
    """Return the window whose cube, with the period before it, answers every rule."""
    hours = max((_reach_hours(rule) for rule in rules), default=1.0)
    end = _settled(complete_to)
    return Window(end - timedelta(hours=hours), end)


def _settled(complete_to: datetime) -> datetime:
    return complete_to.replace(second=0, microsecond=0) - SETTLING


def _reach_hours(rule: Rule) -> float:
    return rule.lookback_hours / 2 if rule.kind == "new_pattern" else rule.window_minutes / 60 * 2


def evaluate(rule: Rule, cube: Cube, complete_to: datetime, now: datetime) -> list[Finding]:
    """Return a rule's findings, breach or not; a service without enough events to judge has none."""
    window = window_of(rule, complete_to)
    match rule.kind:
        case "error_rate":
            return [found for name in _services(rule, cube) for found in _error_rate(rule, cube, window, name)]
        case "p95":
            return [found for name in _services(rule, cube) for found in _p95(rule, cube, window, name)]
        case "volume_drop":
            return [found for name in _services(rule, cube) for found in _volume_drop(rule, cube, window, name)]
        case "new_pattern":
            return _new_patterns(rule, cube, window)
        case _:
            return [_stale(rule, complete_to, now)]


def _services(rule: Rule, cube: Cube) -> Sequence[str]:
    return rule.services or cube.services


def _error_rate(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    rows = cube.rows(COUNTS, window, View(services=(service,)))
    events = int(rows["events"].sum())
    if events < rule.min_events:
        return []
    rate = cubes.error_share(rows) or 0.0
    text = f"{share(rate)} of {count(events)} events of {service} are errors, in {rule.window_minutes} min"
    return [Finding(service, rate, rate > rule.threshold, text, _query(window, service, ERROR_LEVELS))]


def _p95(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    grain = cube.grains.get(LATENCY, 60)
    start = datetime.fromtimestamp(window.start.timestamp() // grain * grain, UTC)
    window = Window(start, window.end)
    rows = cube.rows(LATENCY, window, View(services=(service,)))
    if rows["events"].sum() < rule.min_events:
        return []
    p95 = cubes.quantile(rows, 0.95) or 0.0
    text = f"p95 of {service} is {duration(p95)}, in {rule.window_minutes} min"
    return [Finding(service, p95, p95 > rule.threshold, text, _query(window, service, ()))]


def _volume_drop(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    view = View(services=(service,))
    now, before = (int(cube.rows(COUNTS, stretch, view)["events"].sum()) for stretch in (window, window.previous))
    if before < rule.min_events:
        return []
    drop = max(0.0, 1 - now / before)
    text = f"{service} sent {count(now)} events in {rule.window_minutes} min, {count(before)} in the period before"
    return [Finding(service, drop, drop > rule.threshold, text, _query(window, service, ()))]


def _new_patterns(rule: Rule, cube: Cube, window: Window) -> list[Finding]:
    frame = cube.columns[PATTERNS].frame()
    frame = frame[frame["level"].isin(ERROR_LEVELS) & (frame["pattern"] != OTHER)]
    if rule.services:
        frame = frame[frame["service"].isin(rule.services)]
    grain = cube.grains.get(PATTERNS, 300)
    start = window.start.timestamp() // grain * grain
    earlier = set(frame.loc[frame["slot"] < start, "pattern"])
    recent = frame[(frame["slot"] >= start) & (frame["slot"] < window.end.timestamp())]
    if not len(cube.rows(PATTERNS, cube.window.previous)) and not earlier:
        return []  # without a past everything is new
    unseen = recent[~recent["pattern"].isin(earlier)]
    groups = unseen.groupby(["pattern", "service"], observed=True)["events"].sum()
    ranked = groups[groups >= rule.threshold].sort_values(ascending=False).head(MAX_SUBJECTS)
    seen = Window(datetime.fromtimestamp(start, UTC), window.end)
    return [
        _new_pattern(str(pattern), str(service), int(events), seen) for (pattern, service), events in ranked.items()
    ]


def _new_pattern(pattern: str, service: str, events: int, window: Window) -> Finding:
    query = _query(window, service, ERROR_LEVELS, {"pattern_id": (pattern_id(pattern),)})
    text = f"new error of {service}, {count(events)} times: {pattern}"
    return Finding(f"{service}: {pattern}"[:200], events, True, text, query)


def _stale(rule: Rule, complete_to: datetime, now: datetime) -> Finding:
    late = (now - complete_to).total_seconds() / 60
    text = f"the lake is complete to {complete_to:%Y-%m-%d %H:%M:%S} UTC, {age(late * 60)} ago"
    window = Window(complete_to - timedelta(minutes=30), complete_to)
    return Finding(EVERYTHING, late, late > rule.threshold, text, _query(window, "", ()))


def _query(
    window: Window, service: str, levels: Sequence[str], facets: dict[str, tuple[str, ...]] | None = None
) -> str:
    services = (service,) if service else ()
    return query_string(View(absolute(window), tuple(levels), services, facets=facets or {}))
