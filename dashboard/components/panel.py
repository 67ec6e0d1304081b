"""Panels: a titled card around a chart or a table, each of which may fail by itself."""

from collections.abc import Callable, Mapping
from typing import Any

from dash import dcc, html, no_update

from catalog.errors import QueryError
from catalog.schema import LEVELS, OTHER_LEVEL
from dashboard.components.still import element, still, written


def panel(title: str, content: Any, note: str = "", aside: Any = None) -> html.Section:
    """Return a card with a title that says what is measured, and a note on how."""
    words = written([html.H2(title), html.Span(note, className="panel-note") if note else None])
    if aside is None:
        return html.Section([still(words, className="panel-head"), content], className="panel")
    head = html.Div([still(words, className="panel-words"), aside], className="panel-head")
    return html.Section([head, content], className="panel")


BLANK = {
    "data": [],
    "layout": {
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    },
}


def chart(name: str, label: str, height: int, figure: dict[str, Any] | None = None, ranges: bool = True) -> dcc.Graph:
    """Return a chart of its final height, blank without a figure; one that `ranges` can be brushed."""
    return dcc.Graph(
        id={"type": "time-chart", "name": name},
        figure=figure or BLANK,
        config={"displayModeBar": False, "responsive": True, "doubleClick": False},
        style={"height": f"{height}px"},
        className="chart brushable" if ranges else "chart",
    )


def legend(name: str, told: str = "") -> html.Div:
    """Return the level colours with their names, and a place for the chart's sentence."""
    colours = {level: f"var(--level-{level.lower()})" for level in LEVELS} | {OTHER_LEVEL: "var(--level-other)"}
    told_place = html.Span(told, id=name, className="panel-note")
    return html.Div([told_place, still(keys(colours), className="legend-keys")], className="legend")


QUANTILES = {"p50": "var(--accent)", "p95": "var(--level-warning)", "p99": "var(--level-critical)"}
"""The lines of response times, in the colours of `figures.charts.latency`."""


def keys(colours: Mapping[str, str]) -> str:
    """Return names with their colours as HTML, for a legend."""
    swatches = {name: element("i", class_="swatch", style=f"background: {colour}") for name, colour in colours.items()}
    return "".join([element("span", swatch, name, class_="legend-key") for name, swatch in swatches.items()])


def message(title: str, text: str, *actions: Any) -> html.Div:
    """Return a designed empty or error state."""
    return html.Div(
        [html.Div(title, className="message-title"), html.Div(text, className="message-text"), html.Div(list(actions))],
        className="message",
    )


def part(draw: Callable[..., Any], *arguments: Any, otherwise: Any = no_update) -> Any:
    """Return a panel's drawing; `otherwise` when it can't be drawn: one panel's failure is one panel's."""
    try:
        return draw(*arguments)
    except QueryError:
        return otherwise
