"""What every figure shares: the layout, time axes in the viewer's zone, and how missing data is drawn."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dashboard.cube import Cube
from dashboard.theme import Theme
from dashboard.view import View

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
STEP_NAMES = {60: "1 min", 120: "2 min", 300: "5 min", 600: "10 min", 900: "15 min", 1800: "30 min", 3600: "1 h"}


LABELS = {"tickangle": 0, "ticklabeloverflow": "allow"}
"""Labels that fit by our margins: to try whether they do, Plotly has the browser lay out the page for each."""

Figure = dict[str, Any]
"""A figure as Plotly's JSON; the tests have Plotly validate each, so that no request has to."""


def layout(theme: Theme, cube: Cube, view: View, step: int, **changes: Any) -> dict[str, Any]:
    """Return the layout of a chart over the view's window: quiet grid, one hover for all traces."""
    axis = time_axis(theme, cube, view, step)
    base = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": theme.muted},
        "margin": {"l": 64, "r": 22, "t": 8, "b": 26 if axis["tickformatstops"][1]["value"] == "%H:%M" else 40},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": theme.panel, "bordercolor": theme.line, "font": {"color": theme.text, "size": 12}},
        "dragmode": False,
        "showlegend": False,
        "bargap": 0.12,
        "xaxis": axis,
        "yaxis": value_axis(theme),
    }
    return base | changes


def time_axis(theme: Theme, cube: Cube, view: View, step: int) -> dict[str, Any]:
    """Return a time axis that spans exactly the window; Plotly does not zoom it, `brush.js` moves the page's range."""
    start = int(cube.window.start.timestamp()) // step * step
    edges = times([start, int(cube.window.end.timestamp())], view.zone)
    is_one_day = edges[0][:10] == edges[1][:10]
    return {
        "type": "date",
        "range": [edges[0], edges[1]],
        "fixedrange": True,
        "gridcolor": "rgba(0,0,0,0)",
        "linecolor": theme.line,
        "tickcolor": theme.line,
        "ticks": "outside",
        "ticklen": 4,
        "tickformatstops": [
            {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
            {"dtickrange": [60_000, 86_400_000], "value": "%H:%M" if is_one_day else "%H:%M\n%d %b"},
            {"dtickrange": [86_400_000, None], "value": "%d %b"},
        ],
        "hoverformat": "%a %d %b, %H:%M",
        "nticks": 9,
    } | LABELS


def value_axis(theme: Theme, **changes: Any) -> dict[str, Any]:
    """Return a value axis from zero."""
    axis = {
        "gridcolor": theme.line,
        "zeroline": False,
        "rangemode": "tozero",
        "fixedrange": True,
        "nticks": 5,
        "tickformat": "~s",
    } | LABELS
    return {name: value for name, value in (axis | changes).items() if value is not None}


def times(slots: Sequence[int] | np.ndarray | pd.Index, zone: str) -> list[str]:
    """Return epoch seconds as zone-less local texts, which is what Plotly draws and what a brush gives back."""
    moments = pd.DatetimeIndex(np.asarray(slots, dtype="datetime64[s]"), tz="UTC").tz_convert(ZoneInfo(zone))
    local = np.datetime_as_string(moments.tz_localize(None).to_numpy(), unit="s")
    return [text.replace("T", " ") for text in local.tolist()]


def missing_bands(theme: Theme, gaps: Sequence[tuple[int, int]], view: View, cube: Cube) -> dict[str, Any]:
    """Return shapes and labels for stretches without any data: missing is drawn as missing, never as zero."""
    shapes = []
    labels = []
    for start, end in gaps:
        left, right = times([start, min(end, int(cube.window.end.timestamp()))], view.zone)
        shapes.append(
            {"type": "rect", "xref": "x", "yref": "paper", "x0": left, "x1": right, "y0": 0, "y1": 1}
            | {"fillcolor": theme.missing, "line": {"width": 0}, "layer": "below"}
        )
        if end - start >= cube.window.span.total_seconds() * 0.12:
            labels.append(
                {"x": times([(start + end) // 2], view.zone)[0], "y": 0.5, "yref": "paper", "text": "no data yet"}
                | {"showarrow": False, "font": {"size": 11, "color": theme.muted}}
            )
    return {"shapes": shapes, "annotations": labels}


def empty(theme: Theme, text: str) -> Figure:
    """Return a figure that says why it shows nothing."""
    hidden = {"visible": False, "fixedrange": True}
    words = {"text": text, "showarrow": False, "font": {"family": FONT, "size": 13, "color": theme.muted}}
    blank = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "xaxis": hidden, "yaxis": hidden}
    return {"data": [], "layout": blank | {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "annotations": [words]}}
