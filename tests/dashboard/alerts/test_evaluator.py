from pathlib import Path

from dashboard.alerts.evaluator import Evaluator
from dashboard.alerts.rules import Rule, RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.lake import Lake
from dashboard.state import StateFile
from tests.dashboard.duck_athena import DuckAthena

RULES = """
channels: {oncall: {sns: 'arn:aws:sns:us-east-1:000000000000:oncall'}}
link: https://logs.example.com/
rules:
  - {name: errors, kind: error_rate, threshold: 0.03, window_minutes: 60, min_events: 50, notify: [oncall]}
  - {name: slow, kind: p95, threshold: 50000, window_minutes: 60}
  - {name: new, kind: new_pattern, threshold: 1, window_minutes: 50, lookback_hours: 2}
"""


def _evaluator(lake: Lake, folder: Path) -> tuple[Evaluator, AlertStore]:
    (folder / "alerts.yaml").write_text(RULES)
    store = AlertStore(StateFile(folder))
    return Evaluator(lake, RuleFile(folder), store), store


def test_the_incident_is_found_told_once_and_asked_of_athena_once(
    lake: Lake, athena: DuckAthena, tmp_path: Path
) -> None:
    evaluator, store = _evaluator(lake, tmp_path)
    first = evaluator.once()
    assert first.error == ""
    assert {(row["rule"], row["subject"]) for row in store.open_firings()} >= {("errors", "payment")}
    asked = len(athena.started)
    evaluator.once()
    assert len(athena.started) == asked
    told = [subject for _, subject, _ in athena.published]
    assert told.count("FIRING errors: payment") == 1


def test_rules_that_can_not_be_evaluated_say_why_and_keep_their_firings(
    lake: Lake, athena: DuckAthena, tmp_path: Path
) -> None:
    evaluator, store = _evaluator(lake, tmp_path)
    store.keep(Rule("errors", "error_rate", 0.1), [], 1)
    athena.before = _refuse
    done = evaluator.once()
    assert "Athena is down" in done.error
    assert "Athena is down" in store.evaluations()["errors"]["error"]


def _refuse(sql: str) -> None:
    from catalog.errors import QueryError

    raise QueryError("Athena is down")
