from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import numpy as np
import pandas as pd

from catalog.latency import bucket_of
from dashboard.alerts.evaluation import SETTLING, Finding, evaluate, late_to, needed, seen_minutes, stale, windows
from dashboard.alerts.rules import Rule
from dashboard.cube import Cube
from tests.dashboard.rollups import columns

MINUTE = timedelta(minutes=1)
COMPLETE = datetime(2026, 11, 21, 10, 2, 30, tzinfo=UTC)
END = COMPLETE.replace(second=0)


def _cube(
    rule: Rule, counts: list[tuple[int, str, str, int]], patterns: Sequence[tuple[int, str, str, str, int]] = ()
) -> Cube:
    """A cube whose rows are given by minutes before `END`."""
    end = int(END.timestamp())
    frame = pd.DataFrame(counts, columns=["slot", "service", "level", "events"])
    latency = frame.assign(bucket=np.array([bucket_of(900.0 if level == "SLOW" else 20.0) for level in frame["level"]]))
    spelled = pd.DataFrame(list(patterns), columns=["slot", "service", "level", "pattern", "events"])
    frames = {"counts": frame, "latency": latency, "patterns": spelled}
    for found in frames.values():
        found["slot"] = end - found["slot"].astype("int64") * 60
    kept = {name: columns(frame) for name, frame in frames.items()}
    return Cube(needed([rule], COMPLETE), kept, {"patterns": 60})


def _judge(rule: Rule, cube: Cube) -> list[Finding]:
    return evaluate(rule, cube, windows(rule, COMPLETE)[-1], cube.services)


def test_error_rate_is_judged_for_each_service_over_the_rules_own_window() -> None:
    rule = Rule("r", "error_rate", 0.1, window_minutes=5, min_events=50)
    rows = [
        (1, "a", "ERROR", 20),
        (2, "a", "INFO", 80),
        (6, "a", "ERROR", 900),
        (1, "b", "INFO", 70),
        (1, "few", "ERROR", 9),
    ]
    findings = {found.subject: found for found in _judge(rule, _cube(rule, rows))}
    assert findings["a"].value == 0.2
    assert findings["a"].is_breach
    assert not findings["b"].is_breach
    assert "few" not in findings


def test_a_finding_links_to_exactly_its_range_service_and_levels() -> None:
    rule = Rule("r", "error_rate", 0.1, window_minutes=5)
    query = parse_qs(_judge(rule, _cube(rule, [(1, "a", "ERROR", 20)]))[0].query)
    assert query["from"] == ["2026-11-21T09:57:00Z"]
    assert query["to"] == ["2026-11-21T10:02:00Z"]
    assert query["service"] == ["a"]
    assert query["level"] == ["ERROR|CRITICAL"]


def test_p95_breaks_above_its_milliseconds() -> None:
    rule = Rule("r", "p95", 500, window_minutes=10)
    found = _judge(rule, _cube(rule, [(1, "a", "SLOW", 10), (1, "a", "INFO", 90), (1, "b", "INFO", 100)]))
    assert [(one.subject, one.is_breach) for one in found] == [("a", True), ("b", False)]


def test_volume_that_vanishes_is_a_drop_and_a_service_that_never_spoke_is_none() -> None:
    rule = Rule("r", "volume_drop", 0.7, window_minutes=5, min_events=100)
    minutes = range(1, 15)
    rows = [(minute, "calm", "INFO", 100 + minute) for minute in minutes]
    rows += [(minute, "gone", "INFO", 200) for minute in minutes if minute > 7]
    rows += [(minute, "tiny", "INFO", 9) for minute in minutes if minute > 7]
    found = {one.subject: one for one in _judge(rule, _cube(rule, rows))}
    assert not found["calm"].is_breach
    assert found["gone"].value == 1.0
    assert found["gone"].is_breach
    assert "tiny" not in found


def test_minutes_in_which_nobody_sent_anything_say_nothing_of_one_service() -> None:
    rule = Rule("r", "volume_drop", 0.5, window_minutes=10, min_events=100)
    sparse = [(minute, name, "INFO", 100) for minute in (*range(3, 6), *range(13, 23)) for name in ("a", "b")]
    assert _judge(rule, _cube(rule, sparse)) == []
    half = [(minute, name, "INFO", 100) for minute in (*range(3, 9), *range(13, 23)) for name in ("a", "b")]
    assert [(found.subject, found.value) for found in _judge(rule, _cube(rule, half))] == [("a", 0.0), ("b", 0.0)]


def test_windows_are_those_that_were_not_judged_and_always_the_newest() -> None:
    rule = Rule("r", "error_rate", 0.1, window_minutes=5)
    ends = [[window.end for window in windows(rule, COMPLETE, judged)] for judged in (None, END, END - 3 * MINUTE)]
    assert ends == [[END], [END], [END - 2 * MINUTE, END - MINUTE, END]]
    assert len(windows(rule, COMPLETE, END - timedelta(days=2))) == 61
    drop = Rule("r", "volume_drop", 0.1, window_minutes=5)
    assert windows(drop, COMPLETE)[0].end == END - SETTLING


def test_seen_minutes_are_those_in_which_a_service_sent_anything() -> None:
    rule = Rule("r", "volume_drop", 0.7)
    rows = [(1, "a", "INFO", 5), (1, "a", "ERROR", 1), (2, "a", "INFO", 0), (3, "b", "INFO", 1), (4, "b", "INFO", 1)]
    assert seen_minutes(_cube(rule, rows)) == {"a": 1, "b": 2}
    assert seen_minutes(_cube(rule, [])) == {}


def test_only_an_error_message_that_the_lookback_never_saw_is_new() -> None:
    rule = Rule("r", "new_pattern", 5, window_minutes=10, lookback_hours=4)
    patterns = [
        (2, "a", "ERROR", "pool exhausted after <*>", 4),
        (2, "a", "CRITICAL", "pool exhausted after <*>", 3),
        (2, "a", "ERROR", "rare <*>", 4),
        (2, "a", "INFO", "hello <*>", 70),
        (2, "a", "ERROR", "timeout <*>", 70),
        (200, "a", "ERROR", "timeout <*>", 1),
        (2, "a", "ERROR", "<other>", 70),
    ]
    found = _judge(rule, _cube(rule, [(1, "a", "INFO", 1)], patterns))
    assert [one.subject for one in found] == ["a: pool exhausted after <*>"]
    assert "f.pattern_id=" in found[0].query


def test_nothing_is_new_in_a_lake_without_a_past() -> None:
    rule = Rule("r", "new_pattern", 5, window_minutes=10)
    assert _judge(rule, _cube(rule, [(1, "a", "INFO", 1)], [(2, "a", "ERROR", "x", 70)])) == []


def test_lake_that_lags_behind_is_stale() -> None:
    late = stale(Rule("r", "stale", 2), COMPLETE, COMPLETE + 3 * MINUTE)
    assert late.is_breach
    assert late.value == 3.0
    assert late.text == (
        "the lake is complete to 2026-11-21 10:02 UTC only, 3 min ago (limit 2 min); "
        "'loglake status' or the Pipeline page shows which stage stands still"
    )


def test_lake_says_nothing_of_now_when_it_is_later_than_every_rule_allows() -> None:
    now = COMPLETE + 45 * MINUTE
    assert late_to([Rule("r", "p95", 2)], COMPLETE, now) == COMPLETE
    assert late_to([Rule("r", "stale", 2)], COMPLETE, COMPLETE + 20 * MINUTE) is None
    assert late_to([Rule("r", "stale", 60)], COMPLETE, now) is None
