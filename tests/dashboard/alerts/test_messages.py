import json
from pathlib import Path

import plotly

from dashboard.alerts.messages import unknown_lines
from dashboard.alerts.rules import Rule
from dashboard.alerts.store import AlertStore
from dashboard.components.alert_tables import rules_table
from dashboard.state import StateFile

RULES = [Rule(name, "error_rate", 0.1) for name in ("errors", "more-errors", "fine")]


def test_unknown_rules_are_told_together_where_time_and_reason_are_the_same(tmp_path: Path) -> None:
    store = AlertStore(StateFile(tmp_path))
    for rule in RULES:
        store.keep(rule, [], 60)
    assert unknown_lines(store.evaluations()) == []
    for name in ("errors", "more-errors"):
        store.unknown(name, "Athena is down", 120)
    store.unknown("never-judged", "no table", 180)
    assert unknown_lines(store.evaluations()) == [
        "unknown since 1970-01-01 00:01 UTC: errors, more-errors (Athena is down)",
        "unknown since 1970-01-01 00:03 UTC: never-judged (no table)",
    ]


def test_rules_table_says_since_when_and_why_a_rule_is_unknown(tmp_path: Path) -> None:
    store = AlertStore(StateFile(tmp_path))
    store.keep(RULES[0], [], 60)
    store.unknown("errors", "Athena is down", 120)
    table = rules_table(RULES[:1], store.evaluations(), 180, may_edit=False)
    assert "unknown since 1970-01-01 00:01 UTC: Athena is down" in json.dumps(
        table, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False
    )
