"""The live page's chart: events per second by level."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from catalog.live import Counts
from catalog.schema import LEVELS, OTHER_LEVEL
from dashboard.figures.axes import FONT, Figure, value_axis
from dashboard.live.ticks import chart_starts, rates
from dashboard.theme import Theme, level_colour
from dashboard.view import View


def rate(slots: Mapping[int, Counts], view: View, theme: Theme, now: float) -> Figure:
    """Return stacked bars of ten seconds each, the severe on top, over the last ten minutes."""
    zone = ZoneInfo(view.zone)
    starts = chart_starts(now)
    x = [f"{datetime.fromtimestamp(start + 5, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}" for start in starts]
    courses = rates(slots, view, now)
    bars = [
        {
            "type": "bar",
            "x": x,
            "y": courses[level],
            "name": level,
            "marker": {"color": level_colour(theme, level), "line": {"width": 0}},
            "hovertemplate": "%{y:,.1f}/s",
        }
        for level in (OTHER_LEVEL, *LEVELS)
        if level in courses
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.12,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": theme.muted},
        "margin": {"l": 48, "r": 12, "t": 8, "b": 28},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": theme.panel, "bordercolor": theme.line, "font": {"color": theme.text, "size": 12}},
        "xaxis": {
            "type": "date",
            "range": [x[0], x[-1]],
            "gridcolor": "rgba(0,0,0,0)",
            "linecolor": theme.line,
            "tickformat": "%H:%M",
            "hoverformat": "%H:%M:%S",
            "nticks": 9,
            "fixedrange": True,
        },
        "yaxis": value_axis(theme, fixedrange=True),
        "uirevision": "live",
    }
    return {"data": bars, "layout": layout}
