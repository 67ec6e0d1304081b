"""Where the rollup ends and the live counters begin: no minute from both, none from neither."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from catalog.live import Counts
from catalog.live_feed import State
from dashboard import cube as cubes
from dashboard.cube import Cube
from dashboard.live.seam import joined, seam_of
from dashboard.statements import COUNTS, LATENCY
from dashboard.timerange import Window
from dashboard.view import View
from tests.dashboard.rollups import columns

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = END.timestamp()
START = NOW - 3600


def cube(complete_to: float, grain: int = 60) -> Cube:
    """One event a second, as far as the lake is complete; half of the last three minutes is on its way."""
    rows = [
        {
            "slot": int(slot),
            "service": "payment",
            "level": level,
            "status_class": "2xx",
            "events": n,
            "response_bytes": 0,
        }
        for slot in range(int(START - 3600), int(complete_to), 60)
        for level, n in (("INFO", 50 if slot < complete_to - 180 else 25), ("ERROR", 10))
    ]
    latency = [{"slot": row["slot"], "service": "payment", "bucket": 50, "events": row["events"]} for row in rows]
    kept = {COUNTS: columns(pd.DataFrame(rows)), LATENCY: columns(pd.DataFrame(latency))}
    window = Window(END - timedelta(hours=1), END)
    return Cube(window, kept, {COUNTS: grain, LATENCY: grain}, datetime.fromtimestamp(complete_to, UTC))


def slots(since: float) -> dict[int, Counts]:
    first = int(-(-since // 10) * 10)
    return {
        start: Counts(
            Counter({("payment", "INFO", "2xx"): 8, ("payment", "ERROR", "none"): 2}), {"payment": Counter({50: 10})}
        )
        for start in range(first, int(NOW), 10)
    }


def state(covered_from: float = 0.0, word: str = "live") -> State:
    return State(word, 0.5, 0.0, covered_from, NOW - 0.5, 1, {})


def minutes(found: Cube) -> list[int]:
    return [int(total) for total in cubes.volume(found, View(), 60).sum(axis=1)]


def test_every_minute_is_counted_once_and_to_the_present() -> None:
    before = cube(NOW - 400)
    seam = seam_of(before, state())
    assert seam is not None
    assert seam % 60 == 0
    assert NOW - 400 - 180 - 60 < seam <= NOW - 400 - 180
    after = joined(before, slots(seam), seam, NOW)
    assert minutes(after) == [60] * 60
    assert after.columns[LATENCY]["events"].sum() == 60 * 120
    assert after.complete_to == END


def test_consumer_that_began_late_speaks_from_its_first_whole_minute() -> None:
    before = cube(NOW - 600)
    seam = seam_of(before, state(covered_from=NOW - 130))
    assert seam == NOW - 120
    after = joined(before, slots(NOW - 130), seam, NOW)
    assert minutes(after)[-2:] == [60, 60]
    assert 60 * 2 <= sum(minutes(after)[-3:]) <= 60 * 3


def test_nothing_is_joined_where_live_has_nothing_to_say() -> None:
    assert seam_of(cube(NOW - 400), state(word="stopped")) is None
    assert seam_of(cube(NOW - 400), state(word="none")) is None
    assert seam_of(cube(NOW - 400, grain=3600), state()) is None
    past = replace(cube(NOW - 400), window=Window(END - timedelta(hours=5), END - timedelta(hours=4)))
    assert seam_of(past, state()) is None


def test_coarse_grain_moves_the_seam_to_its_own_edges() -> None:
    seam = seam_of(cube(NOW - 400, grain=300), state())
    assert seam is not None
    assert seam % 300 == 0
