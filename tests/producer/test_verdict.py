import json

import pytest

from producer.verdict import print_verdict
from producer.verification import Finding, Verdict

CLEAN = Verdict([], 10, 0, {"raw": 10, "rollup": 10}, 0, "2026-11-22T01:00", 1.5)


def test_a_clean_verdict_says_so_in_words_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdict(CLEAN, as_json=False)
    assert "verified: nothing lost, nothing doubled" in capsys.readouterr().out
    print_verdict(CLEAN, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "findings": [],
        "acknowledged": 10,
        "in_doubt": 0,
        "stages": {"raw": 10, "rollup": 10},
        "raw_doubles": 0,
        "until": "2026-11-22T01:00",
        "waited_s": 1.5,
    }


def test_a_loss_is_named_with_stage_service_and_minute(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Verdict([Finding("rollup", "lost", "payment", "2026-11-22T00:59", 3)], 10, 0, {}, 0, "2026-11-22T01:00", 1.5)
    print_verdict(lost, as_json=True)
    assert json.loads(capsys.readouterr().out)["findings"][0]["service"] == "payment"
