from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from dashboard import rankings, rows
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.patterns import like, pattern_id
from dashboard.rows import Source, Sources
from dashboard.timerange import TimeRange, Window, resolve
from dashboard.view import View
from tests.dashboard.rollups import columns

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(hours=1))
NOW, BEFORE = int(START.timestamp()), int(START.timestamp()) - 3600


def _cube(rows_: list[tuple[int, str, str, str, int]]) -> Cube:
    frame = pd.DataFrame(rows_, columns=["slot", "service", "level", "pattern", "events"])
    return Cube(WINDOW, {"patterns": columns(frame), "counts": columns(frame)}, {"patterns": 300})


def test_a_pattern_is_ranked_by_its_events_and_judged_by_the_period_before() -> None:
    table = rankings.by_pattern(
        _cube(
            [
                (NOW, "a", "INFO", "answered <*>", 50),
                (BEFORE, "a", "INFO", "answered <*>", 49),
                (NOW + 600, "a", "ERROR", "pool exhausted after <*>", 20),
                (NOW, "b", "ERROR", "timeout <*>", 30),
                (BEFORE, "b", "ERROR", "timeout <*>", 10),
                (BEFORE, "b", "WARNING", "slow <*>", 15),
            ]
        ),
        View(),
    )
    assert table[["pattern", "events", "previous_events", "verdict"]].to_numpy().tolist() == [
        ["answered <*>", 50, 49, ""],
        ["timeout <*>", 30, 10, "rising"],
        ["pool exhausted after <*>", 20, 0, "new"],
        ["slow <*>", 0, 15, "gone"],
    ]
    assert table["first_slot"][2] == NOW + 600
    assert sum(table["series"][0]) == 50


def test_nothing_is_new_when_nothing_was_recorded_before() -> None:
    assert rankings.by_pattern(_cube([(NOW, "a", "INFO", "x", 5)]), View())["verdict"].tolist() == [""]


def test_patterns_of_a_range_without_events_are_no_rows() -> None:
    assert rankings.by_pattern(_cube([]), View()).empty


def test_pattern_id_is_what_the_job_writes() -> None:
    assert pattern_id("GET <*> answered <*> in <*> ms") == "76a7d67d17999bc2"  # as md5sum prints it


def test_like_leaves_open_what_the_pattern_does_and_nothing_else() -> None:
    assert like("100% of a_b took <*> ms") == r"100\% of a\_b took % ms%"


def test_pattern_is_sought_by_id_in_the_curated_table_and_by_its_words_in_the_raw_ones() -> None:
    curated = Sources((Source("logs", (*rows.FIELDS, "pattern_id"), False),), False)
    statement = rows.page_statement(curated, View(facets={"pattern_id": ("abc",)}), WINDOW)
    assert '"pattern_id" IN (?)' in statement.sql
    raw = Sources((Source("payment", rows.FIELDS, True),), True)
    statement = rows.page_statement(raw, View(facets={"pattern": ("took <*> ms",)}), WINDOW)
    assert statement.parameters[-1] == "'took % ms%'"


@pytest.mark.parametrize("level", ["ERROR", "INFO"])
def test_events_of_a_pattern_are_found_in_both_kinds_of_table(lake: Lake, level: str) -> None:
    view = View(TimeRange("now-2h", "now"), levels=(level,), services=("payment",))
    loaded = lake.load(view, ("counts", "patterns"), "test", wait=30)
    table = rankings.by_pattern(lake.cube(loaded.token), view)
    chosen = table.iloc[0]
    asked = View(view.time_range, (level,), ("payment",), facets={"pattern_id": (chosen["pattern_id"],)})
    window = resolve(view.time_range, lake.clock())
    found = lake.rows_below(asked, window, ["payment"], None, "test", "", limit=5000)
    assert len(found) == pytest.approx(chosen["events"], rel=0.1)
    words = [word for word in chosen["pattern"].split("<*>") if word.strip()]
    assert all(all(word in (row["message"] or "") for word in words) for row in found)


def test_many_patterns_with_no_period_before_are_ranked_all_the_same() -> None:
    """Beyond 127 categories pandas numbers them in two bytes, and can't join them with an index of none."""
    table = rankings.by_pattern(_cube([(NOW, "a", "ERROR", f"p{place}", 5) for place in range(200)]), View())
    assert len(table) == 200
    assert set(table["verdict"]) == {""}
