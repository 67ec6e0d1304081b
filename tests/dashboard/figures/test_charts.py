"""The charts of a small cube: which traces, of what, in which units; and what they say when there is nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from catalog.latency import bucket_of
from dashboard.blocks import columns_of
from dashboard.columns import Columns
from dashboard.components.panel import QUANTILES
from dashboard.cube import Cube
from dashboard.figures import charts
from dashboard.statements import COLUMNS, COUNTS, ENDPOINTS, LATENCY
from dashboard.theme import DARK, LIGHT, Theme
from dashboard.timerange import Window
from dashboard.view import View
from tests.dashboard.rollups import columns

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
ZERO = int(START.timestamp())
WINDOW = Window(START, START + timedelta(minutes=10))
DRAWN = (charts.volume, charts.error_rate, charts.latency, charts.rate_by_service, charts.latency_heat)


def _columns(kind: str, rows: list[tuple[object, ...]]) -> Columns:
    return columns(pd.DataFrame(rows, columns=list(COLUMNS[kind])))


@pytest.fixture
def cube() -> Cube:
    """Ten minutes and the ten before; payment fails in the first, nothing is known of the sixth to the eighth."""
    minutes = [minute for minute in range(-10, 10) if minute not in (5, 6, 7)]
    counts = [(ZERO + 60 * minute, "payment", "INFO", "2xx", 120, 9) for minute in minutes]
    counts += [(ZERO, "payment", "ERROR", "5xx", 30, 9), (ZERO + 60, "inventory", "INFO", "2xx", 60, 9)]
    latency = [(ZERO + 60 * minute, "payment", bucket_of(ms), 50) for minute in minutes for ms in (20.0, 200.0)]
    endpoints = [(ZERO + 300 * place, "payment", "/charges", "ERROR", "5xx", 7, 1.0, 1.0) for place in range(2)]
    kept = {
        COUNTS: _columns(COUNTS, counts),
        LATENCY: _columns(LATENCY, latency),
        ENDPOINTS: _columns(ENDPOINTS, endpoints),
    }
    return Cube(WINDOW, kept, {COUNTS: 60, LATENCY: 60, ENDPOINTS: 300}, START + timedelta(minutes=9, seconds=30))


def _drawn(draw: Callable[..., dict[str, Any]], *arguments: Any) -> go.Figure:
    """The figure as Plotly takes it, which raises for a property that it does not know."""
    return go.Figure(draw(*arguments))


def _named(figure: go.Figure) -> dict[str, go.Figure]:
    return {trace.name: trace for trace in figure.data}


def test_volume_stacks_the_severe_on_top_in_their_colours_and_pales_the_unfinished_bar(cube: Cube) -> None:
    figure = _drawn(charts.volume, cube, View(), LIGHT)
    assert [trace.name for trace in figure.data] == ["INFO", "ERROR"]
    assert figure.layout.barmode == "stack"
    info, error = figure.data
    assert (info.marker.color, error.marker.color) == (LIGHT.levels["INFO"], LIGHT.levels["ERROR"])
    assert (info.y[:2], error.y[:2]) == ((120, 180), (30, 0))
    assert info.x[0] == "2026-11-21 10:00:30"
    assert list(info.marker.opacity) == [1.0] * 6 + [0.45]


def test_volume_of_an_endpoint_draws_bars_as_wide_as_the_rollups_grain(cube: Cube) -> None:
    figure = _drawn(charts.volume, cube, View(facets={"endpoint": ("/charges",)}), LIGHT)
    assert figure.data[0].width == pytest.approx(300_000 * 0.86)
    assert figure.data[0].x == ("2026-11-21 10:02:30", "2026-11-21 10:07:30")


def test_moments_are_drawn_in_the_viewers_zone(cube: Cube) -> None:
    assert _drawn(charts.volume, cube, View(zone="Asia/Tokyo"), LIGHT).data[0].x[0] == "2026-11-21 19:00:30"


def test_what_is_missing_is_a_band_and_a_gap_and_never_a_zero(cube: Cube) -> None:
    figure = _drawn(charts.error_rate, cube, View(), LIGHT)
    [band] = figure.layout.shapes
    assert (band.x0, band.x1) == ("2026-11-21 10:05:00", "2026-11-21 10:08:00")
    assert [note.text for note in figure.layout.annotations] == ["no data yet"]
    rate = _named(figure)["error rate"]
    assert rate.y == (0.2, 0, 0, 0, 0, None, None, None, 0, 0)
    assert rate.connectgaps is False


def test_error_rate_is_in_percent_with_the_period_before_dotted(cube: Cube) -> None:
    figure = _drawn(charts.error_rate, cube, View(), LIGHT)
    assert figure.layout.yaxis.tickformat == ".2~%"
    assert _named(figure)["previous"].line.dash == "dot"
    assert _named(figure)["previous"].y == (0,) * 10


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_lines_have_the_colours_that_their_legends_say(cube: Cube, theme: Theme) -> None:
    named = {"var(--accent)": theme.accent} | {
        f"var(--level-{level.lower()})": colour for level, colour in theme.levels.items()
    }
    lines = _named(_drawn(charts.latency, cube, View(), theme))
    assert {name: lines[name].line.color for name in QUANTILES} == {
        name: named[told] for name, told in QUANTILES.items()
    }
    services = _named(_drawn(charts.rate_by_service, cube, View(), theme))
    told = charts.service_colours(cube, View(), theme)
    assert {name: line.line.color for name, line in services.items()} == told
    assert len(set(told.values())) == len(told) == 2


def test_latency_draws_three_quantiles_in_milliseconds(cube: Cube) -> None:
    figure = _drawn(charts.latency, cube, View(), DARK)
    assert [trace.name for trace in figure.data] == ["p95 previous", "p99", "p95", "p50"]
    assert figure.layout.yaxis.ticksuffix == " ms"
    assert _named(figure)["p50"].y[0] == pytest.approx(20, rel=0.03)
    assert _named(figure)["p99"].y[0] == pytest.approx(200, rel=0.03)


def test_rate_is_events_per_second_one_line_for_each_chosen_service(cube: Cube) -> None:
    figure = _drawn(charts.rate_by_service, cube, View(), LIGHT)
    assert [trace.name for trace in figure.data] == ["inventory", "payment"]
    assert _named(figure)["payment"].y[0] == 2.5
    assert figure.layout.yaxis.ticksuffix == "/s"
    chosen = _drawn(charts.rate_by_service, cube, View(services=("payment",)), LIGHT)
    assert [trace.name for trace in chosen.data] == ["payment"]
    assert chosen.data[0].line.color == _named(figure)["payment"].line.color


def test_heat_is_on_a_log_scale_from_the_panels_colour(cube: Cube) -> None:
    figure = _drawn(charts.latency_heat, cube, View(), DARK)
    assert figure.layout.yaxis.type == "log"
    assert figure.data[0].colorscale[0][1] == DARK.panel
    assert sum(sum(row) for row in figure.data[0].customdata) == 7 * 100


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_chart_of_nothing_says_so(draw: Callable[..., dict[str, Any]]) -> None:
    nothing = Cube(WINDOW, {COUNTS: columns_of(COUNTS, []), LATENCY: columns_of(LATENCY, [])}, {})
    figure = _drawn(draw, nothing, View(), LIGHT)
    assert not figure.data
    assert figure.layout.annotations[0].text.startswith("No ")


def test_volume_is_told_in_a_sentence(cube: Cube) -> None:
    assert charts.describe(cube, View()) == "930 events, 30 of them errors (3.23 %)"
