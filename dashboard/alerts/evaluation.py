"""Evaluating a rule: a cube and a window in, a finding per service (or new message) out. Nothing here asks anybody.

Windows end where the lake is complete, not now: a minute that the lake does not have yet is no drop in traffic. Nor is
one in which no service at all sent anything: that is the lake's silence, which `stale` is for.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from dashboard import cube as cubes
from dashboard.alerts.rules import Rule, amount
from dashboard.cube import ERROR_LEVELS, Cube
from dashboard.patterns import OTHER, pattern_id
from dashboard.statements import COUNTS, LATENCY, PATTERNS
from dashboard.timerange import Window, absolute
from dashboard.view import View, query_string
from dashboard.wording import age, count, moment

MAX_SUBJECTS = 20
"""New messages that one evaluation may raise; an incident invents hundreds of them."""
EVERYTHING = "all services"
MINUTE = timedelta(minutes=1)
SETTLING = timedelta(minutes=2)
"""Delivery buffers each service by itself: the last minutes may hold one service and lack another."""
CATCH_UP = timedelta(hours=1)
"""How far back minutes are judged that no evaluation has judged yet: curation brings many at once."""
LATE_MINUTES = 30.0
"""A lake that is later than this, and than every `stale` rule allows, says nothing of what is going on."""
LONGEST_REACH = timedelta(days=6)
"""Further back the rollup is asked in hours, not minutes."""


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

    @property
    def service(self) -> str:
        """The service that it is of."""
        return self.subject.partition(": ")[0]


def windows(rule: Rule, complete_to: datetime, judged_to: datetime | None = None) -> list[Window]:
    """Return the windows to judge, the oldest first: one a minute since `judged_to`, and always the newest.

    Each is of whole minutes and ends where the lake is complete; one that compares services also leaves delivery time.
    """
    whole = complete_to.replace(second=0, microsecond=0)
    end = whole - SETTLING if rule.kind == "volume_drop" else whole
    first = max(judged_to + MINUTE, end - CATCH_UP) if judged_to else end
    count = max(0, (end - first) // MINUTE)
    span = timedelta(minutes=rule.window_minutes)
    ends = [end - MINUTE * place for place in range(count, -1, -1)]
    return [Window(end - span, end) for end in ends]


def needed(rules: Iterable[Rule], complete_to: datetime, looking_back: bool = True) -> Window:
    """Return the window whose cube, with the period before it, answers every rule, with its lookback or without."""
    spans = [_judged_span(rule) + (rule.lookback if looking_back else timedelta()) for rule in rules]
    reach = min(LONGEST_REACH, max(spans, default=2 * MINUTE))
    end = complete_to.replace(second=0, microsecond=0)
    return Window(end - reach / 2, end)


def _judged_span(rule: Rule) -> timedelta:
    return timedelta(minutes=rule.window_minutes) + CATCH_UP + SETTLING


def late_to(rules: Iterable[Rule], complete_to: datetime, now: datetime) -> datetime | None:
    """Return up to when the lake is known if that is too long ago for what goes on now; None while it is not."""
    allowed = max([LATE_MINUTES, *(rule.threshold for rule in rules if rule.kind == "stale")])
    return complete_to if now - complete_to > timedelta(minutes=allowed) else None


def seen_minutes(cube: Cube) -> dict[str, int]:
    """Return in how many minutes of a cube each service sent anything."""
    rows = cube.columns[COUNTS]
    texts = rows.texts["service"]
    sent = rows["events"] > 0
    pairs = np.unique(np.stack([texts.codes[sent], rows["slot"][sent] // 60]), axis=1)[0]
    return {texts.values[place]: int((pairs == place).sum()) for place in np.unique(pairs).tolist()}


def is_telling(cube: Cube, window: Window) -> bool:
    """Return whether any service sent something in at least half of a window's minutes: else silence is no news."""
    return _told_minutes(cube, window) * 2 * MINUTE >= window.span


def evaluate(rule: Rule, cube: Cube, window: Window, services: Collection[str]) -> list[Finding]:
    """Return a rule's findings of `services`, breach or not; one without enough events to judge has none."""
    if rule.kind == "new_pattern":
        return _new_patterns(rule, cube, window, services)
    judge = {"error_rate": _error_rate, "p95": _p95, "volume_drop": _volume_drop}[rule.kind]
    return [found for name in sorted(services) for found in judge(rule, cube, window, name)]


def stale(rule: Rule, complete_to: datetime, now: datetime) -> Finding:
    """Return how late the lake is."""
    late = (now - complete_to).total_seconds() / 60
    text = (
        f"the lake is complete to {moment(complete_to)} only, {age(late * 60)} ago "
        f"(limit {amount('stale', rule.threshold)}); "
        "'loglake status' or the Pipeline page shows which stage stands still"
    )
    window = Window(complete_to - timedelta(minutes=30), complete_to)
    return Finding(EVERYTHING, late, late > rule.threshold, text, _query(window, "", ()))


def unreadable(rule: Rule, since: datetime, now: datetime, reason: str) -> Finding:
    """Return for how long the lake could not be asked how late it is."""
    late = (now - since).total_seconds() / 60
    limit = amount("stale", rule.threshold)
    text = f"the lake can't be read since {moment(since)}, {age(late * 60)} ago (limit {limit}): {reason}"
    return Finding(
        EVERYTHING, late, late > rule.threshold, text, _query(Window(since - timedelta(minutes=30), since), "", ())
    )


def _error_rate(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    rows = cube.rows(COUNTS, window, View(services=(service,)))
    events = int(rows["events"].sum())
    if events < rule.min_events:
        return []
    rate = cubes.error_share(rows) or 0.0
    text = f"{_amount(rule, rate)} of {count(events)} events of {service} are errors{_against(rule, window)}"
    return [Finding(service, rate, rate > rule.threshold, text, _query(window, service, ERROR_LEVELS))]


def _p95(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    grain = cube.grains.get(LATENCY, 60)
    start = datetime.fromtimestamp(window.start.timestamp() // grain * grain, UTC)
    window = Window(start, window.end)
    rows = cube.rows(LATENCY, window, View(services=(service,)))
    events = int(rows["events"].sum())
    if events < rule.min_events:
        return []
    p95 = cubes.quantile(rows, 0.95) or 0.0
    text = f"5 % of {count(events)} events of {service} took longer than {_amount(rule, p95)}{_against(rule, window)}"
    return [Finding(service, p95, p95 > rule.threshold, text, _query(window, service, ()))]


def _volume_drop(rule: Rule, cube: Cube, window: Window, service: str) -> list[Finding]:
    """Compare with the latest stretch before in which the service sent enough: whoever is silent stays silent."""
    now, told = _traffic(cube, window, service)
    earlier = _earlier(rule, cube, window, service)
    if earlier is None or not told:
        return []
    before, per_minute = earlier
    drop = max(0.0, 1 - now / told / per_minute)
    sent, used, limit = (count(events) for events in (now, per_minute * told, per_minute * told * (1 - rule.threshold)))
    text = (
        f"{service} sent {sent} events, {used} would be usual (limit {limit}), {_range(window)}; "
        f"usual is {_range(before)}{_last_sent(cube, window, service)}"
    )
    return [Finding(service, drop, drop > rule.threshold, text, _query(window, service, ()))]


def _earlier(rule: Rule, cube: Cube, window: Window, service: str) -> tuple[Window, float] | None:
    """Return the latest stretch before a window with enough events, and how many came each minute; None for none."""
    before = window.previous
    while before.start >= max(cube.window.previous.start, window.start - rule.lookback):
        events, told = _traffic(cube, before, service)
        if told and events >= rule.min_events:
            return before, events / told
        before = before.previous
    return None


def _traffic(cube: Cube, window: Window, service: str) -> tuple[int, int]:
    """Return a service's events, and the minutes that tell of them; 0 minutes for a window that is not telling."""
    events = int(cube.rows(COUNTS, window, View(services=(service,)))["events"].sum())
    return events, _told_minutes(cube, window) if is_telling(cube, window) else 0


def _told_minutes(cube: Cube, window: Window) -> int:
    return len(np.unique(cube.rows(COUNTS, window)["slot"] // 60))


def _last_sent(cube: Cube, window: Window, service: str) -> str:
    rows = cube.rows(COUNTS, Window(cube.window.previous.start, window.end), View(services=(service,)))
    slots = rows["slot"]
    return f"; its last event came at {moment(datetime.fromtimestamp(int(slots[-1]), UTC))}" if len(slots) else ""


def _new_patterns(rule: Rule, cube: Cube, window: Window, services: Collection[str]) -> list[Finding]:
    frame = cube.columns[PATTERNS].frame()
    frame = frame[frame["level"].isin(ERROR_LEVELS) & (frame["pattern"] != OTHER)]
    frame = frame[frame["service"].isin(list(services))]
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
        _new_pattern(rule, str(pattern), str(service), int(events), seen)
        for (pattern, service), events in ranked.items()
    ]


def _new_pattern(rule: Rule, pattern: str, service: str, events: int, window: Window) -> Finding:
    query = _query(window, service, ERROR_LEVELS, {"pattern_id": (pattern_id(pattern),)})
    text = f"new error of {service}, {count(events)} times{_against(rule, window)}: {pattern}"
    return Finding(f"{service}: {pattern}"[:200], events, True, text, query)


def _amount(rule: Rule, value: float) -> str:
    return amount(rule.kind, value)


def _against(rule: Rule, window: Window) -> str:
    return f" (limit {_amount(rule, rule.threshold)}), {_range(window)}"


def _range(window: Window) -> str:
    return f"{window.start:%H:%M}–{window.end:%H:%M} UTC"


def _query(
    window: Window, service: str, levels: Sequence[str], facets: dict[str, tuple[str, ...]] | None = None
) -> str:
    services = (service,) if service else ()
    return query_string(View(absolute(window), tuple(levels), services, facets=facets or {}))
