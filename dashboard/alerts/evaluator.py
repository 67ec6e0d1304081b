"""The evaluator: asks the lake every minute what the rules need, in one cube that the dashboard's viewers share."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from catalog.errors import LoglakeError
from dashboard.alerts import delivery, evaluation
from dashboard.alerts.rules import Rule, RuleBook, RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.loading import complete_moment
from dashboard.statements import completeness
from dashboard.timerange import absolute
from dashboard.view import View

VIEWER = "alerts"
WAIT_SECONDS = 120.0
FRESH_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one evaluation did."""

    rules: int
    breaches: int
    taken: int
    refused: int
    error: str = ""


class Evaluator:
    """Evaluates the rules of a file over a lake, keeps what it finds, and sends what is due."""

    def __init__(self, lake: Lake, rule_file: RuleFile, store: AlertStore) -> None:
        self._lake = lake
        self._rule_file = rule_file
        self._store = store

    def once(self) -> Round:
        """Evaluate every enabled rule; what can't be evaluated is noted, and old firings stay as they are."""
        now = self._lake.clock()
        book = self._rule_file.read()
        try:
            breaches, error = self._evaluate(book, now), ""
        except LoglakeError as failure:
            breaches, error = 0, str(failure)
            for rule in book.rules:
                self._store.fail(rule.name, error, now.timestamp())
        taken, refused = delivery.send_due(self._store, book, self._lake.engine.publish, now.timestamp())
        return Round(len(book.rules), breaches, taken, refused, error)

    def run(self, interval_seconds: float, stopping: threading.Event, say: Callable[[str], None]) -> None:
        """Evaluate until told to stop; an unreadable rule file is said, and read again next time."""
        while True:
            try:
                done = self.once()
                said = f"; {done.error}" if done.error else ""
                say(f"{done.rules} rules, {done.breaches} breaches, {done.taken} sent, {done.refused} not sent{said}")
            except LoglakeError as error:
                say(str(error))
            if stopping.wait(interval_seconds):
                return

    def _evaluate(self, book: RuleBook, now: datetime) -> int:
        rules = [rule for rule in book.rules if rule.is_enabled]
        self._store.retire([rule.name for rule in rules], now.timestamp())
        if not rules:
            return 0
        answer = self._lake.ask(completeness(), VIEWER, FRESH_SECONDS, WAIT_SECONDS)
        complete_to = complete_moment(answer.content)
        if complete_to is None:
            raise LoglakeError("nothing is curated yet; run 'loglake curate'")
        complete_to = min(complete_to, now)
        breaches = 0
        for needs, group in _groups(rules):
            cube = self._cube(needs, group, complete_to)
            for rule in group:
                findings = evaluation.evaluate(rule, cube, complete_to, now)
                self._store.keep(rule, findings, now.timestamp())
                breaches += sum(finding.is_breach for finding in findings)
        return breaches

    def _cube(self, needs: tuple[str, ...], rules: list[Rule], complete_to: datetime) -> Cube:
        view = View(absolute(evaluation.needed(rules, complete_to)))
        loaded = self._lake.load(view, needs, VIEWER, WAIT_SECONDS)
        if not loaded.token:
            raise LoglakeError(loaded.error or f"no answer within {WAIT_SECONDS:.0f} s")
        return self._lake.cube(loaded.token)


def _groups(rules: list[Rule]) -> list[tuple[tuple[str, ...], list[Rule]]]:
    """Return the rules that one cube answers: new messages need a long past, the others minutes but fine ones."""
    patterns = [rule for rule in rules if rule.kind == "new_pattern"]
    others = [rule for rule in rules if rule.kind != "new_pattern"]
    groups = [(("counts", "latency"), others), (("counts", "patterns"), patterns)]
    return [(needs, group) for needs, group in groups if group]
