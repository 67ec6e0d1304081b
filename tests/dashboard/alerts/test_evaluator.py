import threading
from collections.abc import Callable
from pathlib import Path

from catalog.errors import QueryError
from dashboard.alerts.evaluator import Evaluator
from dashboard.alerts.rules import Rule, RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.lake import Lake
from dashboard.state import Address, StateFile
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


def test_the_incident_is_found_and_told_once_and_its_hours_are_asked_of_athena_once(
    lake: Lake, athena: DuckAthena, tmp_path: Path
) -> None:
    evaluator, store = _evaluator(lake, tmp_path)
    first = evaluator.once()
    assert first.error == ""
    assert {(row["rule"], row["subject"]) for row in store.open_firings()} >= {("errors", "payment")}
    asked = len(athena.started)
    evaluator.once()
    assert not [again for again in athena.started[asked:] if "level" in again.sql]
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


def test_whatever_goes_wrong_is_said_and_tried_again(lake: Lake, athena: DuckAthena, tmp_path: Path) -> None:
    evaluator, _ = _evaluator(lake, tmp_path)
    said: list[str] = []
    stopping = Rounds(4)
    stopping.before[2] = lambda: (tmp_path / "state.db").write_text("no database at all")
    stopping.before[3] = lambda: [path.unlink() for path in tmp_path.glob("state.db*")]
    evaluator.run(0.0, stopping, said.append)
    assert said[0].startswith("3 rules, ")
    assert said[2].startswith("nothing was evaluated: the state file must be a SQLite database that can be written; ")
    assert said[3].startswith("3 rules, ")


def test_rules_that_can_not_be_read_are_said_and_read_again(lake: Lake, tmp_path: Path) -> None:
    evaluator, _ = _evaluator(lake, tmp_path)
    (tmp_path / "alerts.yaml").write_text("rules: [")
    said: list[str] = []
    stopping = Rounds(2)
    stopping.before[1] = lambda: (tmp_path / "alerts.yaml").write_text(RULES)
    evaluator.run(0.0, stopping, said.append)
    assert said[0].startswith("nothing was evaluated: the alert rules must be YAML; ")
    assert said[1].startswith("3 rules, ")


def test_a_table_that_is_missing_makes_only_what_needs_it_unknown(
    lake: Lake, athena: DuckAthena, tmp_path: Path
) -> None:
    evaluator, store = _evaluator(lake, tmp_path)
    athena.before = _refuse_patterns
    assert "unknown since " in evaluator.once().error
    unknown = {name for name, found in store.evaluations().items() if found["error"]}
    assert unknown == {"new"}


def test_links_lead_to_where_the_dashboard_is_served(lake: Lake, athena: DuckAthena, tmp_path: Path) -> None:
    for link in ("", "http://127.0.0.1:8050/"):
        (tmp_path / "state.db").unlink(missing_ok=True)
        (tmp_path / "alerts.yaml").write_text(RULES.replace("https://logs.example.com/", repr(link)))
        Address(tmp_path).write("http://127.0.0.1:8077/")
        athena.published.clear()
        Evaluator(lake, RuleFile(tmp_path), AlertStore(StateFile(tmp_path))).once()
        assert athena.published
        assert all("look: http://127.0.0.1:8077/explore?" in text for _, _, text in athena.published)


class Rounds(threading.Event):
    """Stops after so many rounds; `before` holds what is to happen before a round."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.done = 0
        self.before: dict[int, Callable[[], object]] = {}

    def wait(self, timeout: float | None = None) -> bool:
        self.done += 1
        self.before.get(self.done, lambda: None)()
        return self.done >= self.rounds


def _refuse_patterns(sql: str) -> None:
    if "UNNEST(patterns)" in sql:
        raise QueryError("COLUMN_NOT_FOUND: patterns")


def _refuse(sql: str) -> None:
    raise QueryError("Athena is down")
