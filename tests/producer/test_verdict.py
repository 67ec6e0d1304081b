import json

import pytest

from producer.verdict import print_verdict
from producer.verification import Finding, Verdict

CLEAN = Verdict([], [], ["ledger"], 10, 0, {"raw": 10, "rollup": 10}, 0, "2026-11-22T01:00", 1.5)


def test_a_clean_verdict_says_so_in_words_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdict(CLEAN, as_json=False)
    assert "verified: nothing lost, nothing doubled" in capsys.readouterr().out
    print_verdict(CLEAN, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "findings": [],
        "unledgered": [],
        "ledgers": ["ledger"],
        "acknowledged": 10,
        "in_doubt": 0,
        "stages": {"raw": 10, "rollup": 10},
        "raw_doubles": 0,
        "until": "2026-11-22T01:00",
        "waited_s": 1.5,
    }


def test_a_loss_is_named_with_stage_service_and_minute(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Verdict(
        [Finding("rollup", "lost", "payment", "2026-11-22T00:59", 3)], [], ["a"], 10, 0, {}, 0, "2026-11-22T01:00", 1.5
    )
    print_verdict(lost, as_json=True)
    assert json.loads(capsys.readouterr().out)["findings"][0]["service"] == "payment"


def test_events_of_no_ledger_are_named_by_service_and_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    foreign = [Finding("raw", "in no ledger", "web", f"2026-11-22T00:{minute}", 600) for minute in (58, 59)]
    foreign.append(Finding("errors", "in no ledger", "(all)", "(all)", 2))
    print_verdict(Verdict([], foreign, ["a", "b"], 10, 0, {"raw": 1210}, 0, "2026-11-22T01:00", 1.5), as_json=False)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "2 ledgers: 10 acknowledged, 0 in doubt; compared minutes before 2026-11-22T01:00Z, after 2 s"
    assert out[2:] == [
        "in no ledger: 1,202 events (web 1,200, broken, in errors 2) of producers without --ledger;"
        " a loss in their minutes could hide behind them",
        "verified: nothing lost, nothing doubled",
    ]
