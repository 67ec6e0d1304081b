"""The charts over time: volume by level, error rate, latency quantiles and the latency heatmap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard import cube as cubes
from dashboard.cube import Cube
from dashboard.figures.axes import Figure, empty, layout, missing_bands, times, value_axis
from dashboard.theme import Theme, level_colour
from dashboard.view import View
from dashboard.wording import share

QUANTILE_NAMES = {0.5: "p50", 0.95: "p95", 0.99: "p99"}


def volume(cube: Cube, view: View, theme: Theme, bars: int = 120) -> Figure:
    """Return stacked bars of events by level, the severe on top; the last, unfinished bar is paler."""
    step = cubes.step_seconds(cube.window, bars, cube.grains.get(cubes.counting(cube, view), 60))
    table = cubes.volume(cube, view, step)
    if table.empty:
        return empty(theme, "No events in this range with these filters")
    return stacked(table, cube, view, theme, step)


def stacked(table: pd.DataFrame, cube: Cube, view: View, theme: Theme, step: int) -> Figure:
    """Return the bars of a table of events: index slot, one column per level."""
    end = cube.complete_to or cube.window.end
    opacity = [0.45 if slot + step > end.timestamp() else 1.0 for slot in table.index]
    middles = times(table.index.to_numpy() + step // 2, view.zone)
    bars = [
        {
            "type": "bar",
            "x": middles,
            "y": table[level].tolist(),
            "name": level,
            "marker": {"color": level_colour(theme, str(level)), "line": {"width": 0}, "opacity": opacity},
            "width": step * 1000 * 0.86,
            "hovertemplate": "%{y:,}",
        }
        for level in table.columns
    ]
    return _figure(bars, layout(theme, cube, view, step, barmode="stack"), theme, view, cube, step)


def error_rate(cube: Cube, view: View, theme: Theme) -> Figure:
    """Return the share of errors over time, the previous window's behind it, dashed."""
    now = cubes.error_rate(cube, view)
    before = cubes.error_rate(cube, view, cube.window.previous)
    if now.is_empty:
        return empty(theme, "No events in this range")
    colour = theme.levels["ERROR"]
    x = times(now.slots + now.step // 2, view.zone)
    ghost = before["rate"][: len(x)]
    area = {"fill": "tozeroy", "fillcolor": _pale(colour)}
    lines = [
        {"x": x, "y": _plain(ghost), "name": "previous"} | _line(colour, 1.2, "dot", 0.55),
        {"x": x, "y": _plain(now["rate"]), "name": "error rate"} | area | _line(colour, 2),
    ]
    axes = layout(theme, cube, view, now.step, yaxis=value_axis(theme, tickformat=".2~%"))
    return _figure(lines, axes, theme, view, cube, now.step, "%{y:.2%}")


def latency(cube: Cube, view: View, theme: Theme) -> Figure:
    """Return p50, p95 and p99 over time; p50 heaviest, the previous window's p95 dotted."""
    now = cubes.quantile_lines(cube, view)
    if now.is_empty:
        return empty(theme, "No response times in this range")
    x = times(now.slots + now.step // 2, view.zone)
    before = cubes.quantile_lines(cube, view, cube.window.previous)[0.95][: len(x)]
    lines = [{"x": x, "y": _plain(before), "name": "p95 previous"} | _line(theme.muted, 1.2, "dot", 0.6)]
    widths = {0.5: 2.4, 0.95: 1.7, 0.99: 1.1}
    for wanted, colour in zip(
        (0.99, 0.95, 0.5), (theme.levels["CRITICAL"], theme.levels["WARNING"], theme.accent), strict=True
    ):
        y = _plain(now[wanted])
        lines.append({"x": x, "y": y, "name": QUANTILE_NAMES[wanted]} | _line(colour, widths[wanted]))
    axes = layout(theme, cube, view, now.step, yaxis=value_axis(theme, tickformat=",.0f", ticksuffix=" ms"))
    return _figure(lines, axes, theme, view, cube, now.step, "%{y:.0f} ms")


def rate_by_service(cube: Cube, view: View, theme: Theme) -> Figure:
    """Return events per second of each service over time: at most six lines, the rest left out."""
    colours = service_colours(cube, view, theme)
    if not colours:
        return empty(theme, "No events in this range")
    step = cubes.step_seconds(cube.window, 60, cube.grains.get("counts", 60))
    lines = []
    for name, colour in colours.items():
        rates = cubes.error_rate(cube, View(services=(name,)), step=step)
        x = times(rates.slots + step // 2, view.zone)
        lines.append({"x": x, "y": _plain(rates["events"] / step), "name": name} | _line(colour, 1.6))
    axes = layout(theme, cube, view, step, yaxis=value_axis(theme, ticksuffix="/s", tickformat=".2~f"))
    return _figure(lines, axes, theme, view, cube, step, "%{y:.2f}/s")


def service_colours(cube: Cube, view: View, theme: Theme) -> dict[str, str]:
    """Return the services that have a line of their own, at most as many as there are colours, and its colour."""
    most = len(theme.services)
    shown = [name for name in cube.services if not view.services or name in view.services][:most]
    return {name: theme.services[cube.services.index(name) % most] for name in shown}


def latency_heat(cube: Cube, view: View, theme: Theme) -> Figure:
    """Return how response times spread over time: darker is more events, one hue, log scale."""
    slots, milliseconds, cells = cubes.heat(cube, view)
    if not cells.any():
        return empty(theme, "No response times in this range")
    step = int(slots[1] - slots[0]) if len(slots) > 1 else 60
    scale = [[place / (len(theme.heat) - 1), colour] for place, colour in enumerate(theme.heat)]
    trace = {
        "type": "heatmap",
        "x": times(slots + step // 2, view.zone),
        "y": milliseconds.tolist(),
        "z": np.sqrt(cells).round(2).tolist(),
        "customdata": cells.tolist(),
        "colorscale": scale,
        "showscale": False,
        "hovertemplate": "%{x}<br>about %{y:.0f} ms: %{customdata:,} events<extra></extra>",
    }
    axis = value_axis(
        theme,
        type="log",
        rangemode="normal",
        ticksuffix=" ms",
        dtick=1,
        tickformat=",.0f",
        nticks=None,
        ticks="",
        gridcolor="rgba(0,0,0,0)",
    )
    return {"data": [trace], "layout": layout(theme, cube, view, step, hovermode="closest", yaxis=axis)}


def describe(cube: Cube, view: View) -> str:
    """Return one sentence about the volume chart, for those who can't see it."""
    rows = cube.rows(cubes.counting(cube, view), cube.window, view)
    total, errors = int(cubes.total_events(rows) or 0), int(cubes.total_errors(rows) or 0)
    return f"{total:,} events, {errors:,} of them errors ({share(errors / total if total else None)})"


def _figure(
    traces: Sequence[dict[str, Any]],
    axes: dict[str, Any],
    theme: Theme,
    view: View,
    cube: Cube,
    step: int,
    hover: str = "",
) -> Figure:
    """Return traces over their axes, with a band wherever there is no data."""
    told = [trace | {"hovertemplate": hover} if hover else trace for trace in traces]
    return {"data": told, "layout": axes | missing_bands(theme, cubes.gaps(cube, step), view, cube)}


def _line(colour: str, width: float, dash: str = "solid", opacity: float = 1.0) -> dict[str, Any]:
    line = {"color": colour, "width": width, "dash": dash, "shape": "linear"}
    return {"type": "scatter", "mode": "lines", "line": line, "opacity": opacity, "connectgaps": False}


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 5) for value in values]
