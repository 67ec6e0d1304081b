from localcloud.jobs.intervals import Intervals


def test_due_counts_from_when_a_name_is_first_seen() -> None:
    intervals = Intervals(60)

    assert intervals.due(["a"], 1000) == []
    assert intervals.due(["a", "b"], 1059) == []
    assert intervals.due(["a", "b"], 1060) == ["a"]
    assert intervals.due(["a", "b"], 1119) == ["b"]


def test_late_name_fires_once_and_counts_on_from_then() -> None:
    intervals = Intervals(60)
    intervals.due(["a"], 0)

    assert intervals.due(["a"], 600) == ["a"]
    assert intervals.due(["a"], 659) == []


def test_name_that_went_away_starts_anew() -> None:
    intervals = Intervals(60)
    intervals.due(["a"], 0)
    intervals.due([], 30)

    assert intervals.due(["a"], 61) == []
