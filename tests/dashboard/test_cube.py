from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from catalog.latency import bucket_of, percentile
from dashboard import cube as cubes
from dashboard import rankings
from dashboard.components import status_line
from dashboard.cube import Cube
from dashboard.timerange import Window
from dashboard.view import View
from tests.dashboard.rollups import columns

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(minutes=10))
ZERO = int(START.timestamp())


def _cube(counts: list[tuple[int, str, str, int]], latency: list[tuple[int, str, float, int]] = ()) -> Cube:
    """A cube from (minute, service, level, events) and (minute, service, milliseconds, events)."""
    rows = [(ZERO + 60 * m, s, level, "5xx" if level == "ERROR" else "2xx", n, 0) for m, s, level, n in counts]
    heat = [(ZERO + 60 * m, s, bucket_of(ms), n) for m, s, ms, n in latency]
    names = ["slot", "service", "level", "status_class", "events", "response_bytes"]
    frames = {
        "counts": pd.DataFrame(rows, columns=names),
        "latency": pd.DataFrame(heat, columns=["slot", "service", "bucket", "events"]),
    }
    return Cube(WINDOW, {name: columns(frame) for name, frame in frames.items()}, {"counts": 60, "latency": 60})


def test_volume_is_events_by_bar_and_level_least_severe_first() -> None:
    cube = _cube([(0, "a", "ERROR", 1), (0, "a", "INFO", 5), (1, "b", "INFO", 7), (-1, "a", "INFO", 99)])
    table = cubes.volume(cube, View(), 60)
    assert list(table.columns) == ["INFO", "ERROR"]
    assert table.to_numpy().tolist() == [[5, 1], [7, 0]]
    assert cubes.volume(cube, View(services=("b",)), 60).to_numpy().tolist() == [[7]]


def test_missing_minutes_are_gaps_and_not_zeros() -> None:
    cube = _cube([(0, "a", "INFO", 1), (3, "a", "INFO", 1)])
    assert cubes.gaps(cube, 60) == [(ZERO + 60, ZERO + 180), (ZERO + 240, ZERO + 600)]
    assert np.isnan(cubes.error_rate(cube, View(), step=60)["rate"][1])
    assert cubes.error_rate(cube, View(), step=60)["rate"][0] == 0


def test_quantiles_of_services_together_are_those_of_the_added_histograms() -> None:
    values = [(0, "a", 10.0, 90), (0, "b", 1000.0, 10), (1, "a", 20.0, 5)]
    lines = cubes.quantile_lines(_cube([], values), View(), step=60)
    histogram = {bucket_of(10.0): 90, bucket_of(1000.0): 10}
    for wanted in cubes.QUANTILES:
        assert lines[wanted][0] == pytest.approx(percentile(histogram, wanted))
    assert lines[0.5][1] == pytest.approx(20.0, rel=0.03)
    assert np.isnan(lines[0.5][2:]).all()


def test_quantile_of_rows_is_the_catalogs_percentile() -> None:
    rng = np.random.default_rng(3)
    values = [
        (0, "a", float(ms), int(n)) for ms, n in zip(rng.lognormal(4, 1, 200), rng.integers(1, 9, 200), strict=True)
    ]
    rows = _cube([], values).columns["latency"]
    histogram = rows.frame().groupby("bucket")["events"].sum().to_dict()
    for wanted in (0.01, 0.5, 0.95, 0.999, 1.0):
        assert cubes.quantile(rows, wanted) == pytest.approx(percentile(histogram, wanted))


def test_tiles_compare_with_no_window_whose_events_are_a_sample() -> None:
    cube = _cube([(0, "a", "INFO", 90), (-1, "a", "INFO", 1)], [(0, "a", 100.0, 1), (-1, "a", 9.0, 1)])
    whole = replace(cube, compare_from=START - timedelta(minutes=10))
    assert cubes.kpis(whole, View())[0].change == 89
    sampled = replace(cube, compare_from=START - timedelta(minutes=9))
    assert {kpi.change for kpi in cubes.kpis(sampled, View())} == {None}
    assert cubes.kpis(sampled, View())[0].value == 90
    [said] = status_line.sampled(WINDOW, sampled.compare_from, "UTC")
    assert said.children == "before 09:51:00 history is a sample: nothing is compared with it"
    assert status_line.sampled(WINDOW, whole.compare_from, "UTC") == []


def test_tiles_compare_with_the_window_before() -> None:
    counts = [(0, "a", "INFO", 90), (1, "a", "ERROR", 10), (-1, "a", "INFO", 49), (-2, "a", "ERROR", 1)]
    tiles = {kpi.name: kpi for kpi in cubes.kpis(_cube(counts, [(0, "a", 100.0, 1)]), View())}
    assert (tiles["events"].value, tiles["events"].previous, tiles["events"].change) == (100, 50, 1.0)
    assert tiles["error_rate"].change == pytest.approx(0.1 / 0.02 - 1)
    assert tiles["p95"].previous is None
    assert tiles["p95"].change is None


def test_empty_window_has_no_numbers_rather_than_zeros() -> None:
    cube = _cube([], [])
    assert [kpi.value for kpi in cubes.kpis(cube, View())] == [None] * 6
    assert rankings.by_service(cube, View()) == []


def test_service_that_changed_most_comes_first() -> None:
    calm = [(minute, "calm", "INFO", 100) for minute in range(-10, 10)]
    broken = [(minute, "broken", "INFO", 100) for minute in range(-10, 0)] + [
        (minute, "broken", "ERROR", 50) for minute in range(10)
    ]
    records = rankings.by_service(_cube(calm + broken), View())
    assert [record["service"] for record in records] == ["broken", "calm"]


def test_facets_include_exclude_and_count_under_the_other_filters() -> None:
    cube = _cube([(0, "a", "INFO", 5), (0, "a", "ERROR", 2), (0, "b", "INFO", 3)])
    assert rankings.facet_counts(cube, View(levels=("ERROR",)), "level") == [("INFO", 8), ("ERROR", 2)]
    assert rankings.facet_counts(cube, View(levels=("ERROR",)), "service") == [("a", 2)]
    without = View(facets={"status_class": ("!5xx",)})
    assert cubes.volume(cube, without, 60).to_numpy().tolist() == [[8]]


@pytest.mark.parametrize(("minutes", "step"), [(60, 60), (360, 300), (1440, 900), (10_080, 7200)])
def test_bar_is_the_shortest_round_step_that_fits(minutes: int, step: int) -> None:
    assert cubes.step_seconds(Window(START, START + timedelta(minutes=minutes))) == step
