"""The judge: what rules find in the lake of one moment. It asks for what they need, once for all of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from catalog.errors import LoglakeError
from dashboard.alerts import arrivals, evaluation
from dashboard.alerts.evaluation import Finding
from dashboard.alerts.rules import Rule
from dashboard.athena import SUCCEEDED
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.loading import complete_moment
from dashboard.statements import COUNTS, LATENCY, PATTERNS, completeness
from dashboard.timerange import Window, absolute
from dashboard.view import View

VIEWER = "alerts"
WAIT_SECONDS = 120.0
ARRIVALS_SECONDS = 600.0
NEEDS = {"new_pattern": (COUNTS, PATTERNS), "p95": (COUNTS, LATENCY)}
Judged = tuple[datetime, list[Finding]]


class Judge:
    """Judges by what the lake holds now; raises `LoglakeError` when that can't be known, never takes what is older."""

    def __init__(self, lake: Lake, rules: Sequence[Rule], now: datetime) -> None:
        self._lake = lake
        self._rules = [rule for rule in rules if rule.kind != "stale"]
        self._now = now
        self.complete_to = min(self._completeness(), now)
        self._since = lake.clock()  # what is asked from here on holds all that `complete_to` promises
        self._cubes: dict[tuple[str, ...], Cube] = {}

    def judged(self, rule: Rule, judged_to: datetime | None) -> list[Judged]:
        """Return what a rule finds in each window not judged yet, and always in the newest, by the windows' ends."""
        if rule.kind == "stale":
            return [(self._now, [self._lateness(rule)])]
        seen = evaluation.seen_minutes(self._cube((COUNTS,)))
        services = [name for name in rule.services or seen if seen.get(name, 0) >= rule.seen_minutes]
        cube = self._cube(NEEDS.get(rule.kind, (COUNTS,)))
        windows = evaluation.windows(rule, self.complete_to, judged_to)
        windows = [window for window in windows if rule.kind != "volume_drop" or evaluation.is_telling(cube, window)]
        if not windows:
            raise LoglakeError(f"no service sent anything in most of the latest {rule.window_minutes} minutes")
        found = ((window.end, evaluation.evaluate(rule, cube, window, services)) for window in windows)
        return [(end, self._without_shipped(rule, findings)) for end, findings in found]

    def _lateness(self, rule: Rule) -> Finding:
        """Return how late the lake is; one that was fed for less than an hour in all is not late, it was shipped to."""
        found = evaluation.stale(rule, self.complete_to, self._now)
        if found.is_breach:
            fed = self._lake.ask_anew(arrivals.fed(), VIEWER, ARRIVALS_SECONDS, WAIT_SECONDS)
            found = replace(found, is_breach=arrivals.was_fed(fed.content or b""))
        return found

    def _completeness(self) -> datetime:
        answer = self._lake.ask_anew(completeness(), VIEWER, 0.0, WAIT_SECONDS)
        complete_to = complete_moment(answer.content)
        if complete_to is None:
            raise LoglakeError("nothing is curated yet; run 'loglake curate'")
        return complete_to

    def _cube(self, needs: tuple[str, ...]) -> Cube:
        if needs not in self._cubes:
            rules = [rule for rule in self._rules if needs in ((COUNTS,), NEEDS.get(rule.kind))]
            window = evaluation.needed(rules, self.complete_to, looking_back=LATENCY not in needs)
            loaded = self._lake.load(View(absolute(window)), needs, VIEWER, WAIT_SECONDS, self._since)
            if loaded.state != SUCCEEDED or loaded.is_revalidating or not loaded.token:
                raise LoglakeError(loaded.error or f"no answer within {WAIT_SECONDS:.0f} s")
            self._cubes[needs] = self._lake.cube(loaded.token)
        return self._cubes[needs]

    def _without_shipped(self, rule: Rule, findings: list[Finding]) -> list[Finding]:
        """Return findings in which what was shipped, rather than sent live, breaks no rule that it can't break.

        Who sends in bulk, hours at once, is not silent in between; what was shipped only once is no service at all.
        """
        suspects = sorted({found.service for found in findings if found.is_breach})
        if not suspects or not rule.seen_minutes:
            return findings
        next_hour = self.complete_to.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        window = Window(next_hour - rule.lookback, next_hour)  # the same for an hour, so that it is asked seldom
        answer = self._lake.ask_anew(arrivals.arrivals(window, suspects), VIEWER, ARRIVALS_SECONDS, WAIT_SECONDS)
        excused = {
            name
            for name, stretches in arrivals.read_arrivals(answer.content or b"").items()
            if not arrivals.is_live(stretches) and (rule.kind == "volume_drop" or arrivals.was_shipped_once(stretches))
        }
        return [replace(found, is_breach=found.is_breach and found.service not in excused) for found in findings]
