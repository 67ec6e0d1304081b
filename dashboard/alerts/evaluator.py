"""The evaluator: judges the rules every minute over the blocks that the dashboard's viewers share.

What it judges is as new as the lake has, or it is not judged: a rule is *unknown* then, which is told and pages nobody.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.errors import LoglakeError
from dashboard.alerts import delivery, evaluation
from dashboard.alerts.judge import Judge
from dashboard.alerts.messages import unknown_lines
from dashboard.alerts.rules import Rule, RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.lake import Lake
from dashboard.wording import from_epoch


@dataclass(frozen=True, slots=True)
class Round:
    """What one evaluation did; `error` says since when and why some rules could not be judged."""

    rules: int
    breaches: int
    taken: int
    refused: int
    error: str = ""

    def __str__(self) -> str:
        said = f"; {self.error}" if self.error else ""
        return f"{self.rules} rules, {self.breaches} breaches, {self.taken} sent, {self.refused} not sent{said}"


class Evaluator:
    """Evaluates the rules of a file over a lake, keeps what it finds, and sends what is due."""

    def __init__(self, lake: Lake, rule_file: RuleFile, store: AlertStore) -> None:
        self._lake = lake
        self._rule_file = rule_file
        self._store = store

    def once(self) -> Round:
        """Evaluate every enabled rule; one that can't be is noted as unknown, and its firings stay as they are."""
        now = self._lake.clock()
        book = self._rule_file.read()
        rules = [rule for rule in book.rules if rule.is_enabled]
        self._store.retire([rule.name for rule in rules], now.timestamp())
        breaches = self._judge_all(rules, now) if rules else 0
        publish, served = self._lake.engine.publish, self._rule_file.served()
        taken, refused = delivery.send_due(self._store, book, publish, now.timestamp(), served)
        unknown = unknown_lines(self._store.evaluations())
        return Round(len(rules), breaches, taken, refused, "; ".join(unknown))

    def run(self, interval_seconds: float, stopping: threading.Event, say: Callable[[str], None]) -> None:
        """Evaluate until told to stop; whatever goes wrong is said, and tried again next time."""
        while True:
            try:
                say(str(self.once()))
            except Exception as error:  # an evaluator that has ended tells nobody anything
                say(f"nothing was evaluated: {_said(error)}")
            if stopping.wait(interval_seconds):
                return

    def _judge_all(self, rules: Sequence[Rule], now: datetime) -> int:
        try:
            judge = Judge(self._lake, rules, now)
        except Exception as error:
            return sum(self._unreadable(rule, now, _said(error)) for rule in rules)
        return sum(self._judge(rule, judge, evaluation.late_to(rules, judge.complete_to, now), now) for rule in rules)

    def _judge(self, rule: Rule, judge: Judge, late_to: datetime | None, now: datetime) -> int:
        """Return a rule's breaches; none when nothing is known of it."""
        try:
            if late_to and rule.kind != "stale":
                self._store.unknown(rule.name, "the lake has nothing newer", now.timestamp(), late_to.timestamp())
                return 0
            before = self._store.evaluations().get(rule.name, {}).get("judged_to")
            judged = judge.judged(rule, from_epoch(before) if before else None)
            self._store.keep_all(rule, [(end.timestamp(), findings) for end, findings in judged], now.timestamp())
            return sum(found.is_breach for found in judged[-1][1])
        except Exception as error:
            self._store.unknown(rule.name, _said(error), now.timestamp())
            return 0

    def _unreadable(self, rule: Rule, now: datetime, error: str) -> int:
        """Note that nothing is known; only `stale` may fire, once that has lasted as long as data may be late."""
        failing_since = self._store.unknown(rule.name, error, now.timestamp())
        if rule.kind != "stale":
            return 0
        found = evaluation.unreadable(rule, from_epoch(failing_since), now, error)
        if found.is_breach:
            self._store.breach(rule, found, now.timestamp())
        return int(found.is_breach)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, LoglakeError) else f"{type(error).__name__}: {error}"
