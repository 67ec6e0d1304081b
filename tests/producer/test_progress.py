from pathlib import Path

import orjson
import pytest

from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.progress import line, panel, report


def busy() -> Counts:
    counts = Counts()
    counts.add(generated=12_345_678, sent=12_340_000, acknowledged=12_339_000, failed=12, malformed=3)
    counts.add(records=120_000, retried_records=40, calls=1_400, bytes=6_000_000_000)
    counts.broke(["no service", "no timestamp", "no timestamp"])
    for seconds in [0.02] * 97 + [0.5] * 3:
        counts.waited(seconds)
    return counts


def test_a_panel_shows_every_count_within_a_narrow_terminal() -> None:
    lines = panel("kinesis", {**busy().snapshot(), "lag_ms": 1200.0}, 2000.5, 3723, 20_000_000)
    assert all(len(text) < 80 for text in lines)
    assert lines == [
        "[##############..........]  62% kinesis  62:03  2,000.5 events/s, 1.2 s behind",
        "  generated 12,345,678  sent 12,340,000  acknowledged 12,339,000  failed 12",
        "  6,000.0 MB in 1,400 calls  p50 20.1 ms  p99 503.1 ms",
        "  120,000 records of 102.8 events, 40 sent again",
    ]


def test_a_line_of_a_log_says_the_same() -> None:
    assert line({**busy().snapshot(), "lag_ms": 1200.0}, 2000.5, 20_000_000) == (
        "12,345,678 events, 2,000.5/s, 12,340,000 sent, 12,339,000 acknowledged, 40 records retried, 12 failed,"
        " 6,000.0 MB, 102.8 a record, p50 20 ms, p99 503 ms, 1.2 s behind, 62% done"
    )


def test_the_counts_at_the_end_name_each_kind_of_malformed_event(capsys: pytest.CaptureFixture[str]) -> None:
    report(busy(), DeadLetters(Path("none")), 10.0, as_json=True, err=False)
    assert orjson.loads(capsys.readouterr().out)["malformed_by_way"] == {"no timestamp": 2, "no service": 1}
    report(busy(), DeadLetters(Path("none")), 10.0, as_json=False, err=False)
    assert "malformed: 2 events: no timestamp\nmalformed: 1 events: no service\n" in capsys.readouterr().err
