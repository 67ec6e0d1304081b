"""The facet rail: the most frequent values of a field, each to include or exclude with one click."""

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.components.still import press
from dashboard.view import View, is_askable
from dashboard.wording import short

TITLES = {
    "level": "Level",
    "service": "Service",
    "status_class": "Status",
    "endpoint": "Endpoint",
    "error_type": "Error type",
    "host": "Host",
    "trace_id": "Trace",
    "pattern_id": "Pattern",
    "event_id": "Event",
}


def facet(field: str, values: Sequence[tuple[str, int]], chosen: Sequence[str]) -> html.Div:
    """Return one field's values with counts and share bars."""
    most = max((count for _, count in values), default=0)
    rows = [_value(field, value, count, most, chosen) for value, count in values]
    return html.Div(
        [
            html.Div(TITLES[field], className="facet-title"),
            *(rows or [html.Div("none in this range", className="facet-none")]),
        ],
        className="facet",
    )


def choose(text: Any, field: str, value: str, sign: str, **properties: Any) -> html.Button:
    """Return a button that filters: `+` includes a value or lets it go again, `-` excludes it, `0` lets it go."""
    return press(text, "explore-facet", {"field": field, "value": value, "sign": sign}, **properties)


def chips(view: View) -> list[html.Span]:
    """Return the active facets, each removable."""
    return [
        html.Span(
            [
                html.Span(f"{TITLES[name]} {'is not' if value.startswith('!') else 'is'} {value.lstrip('!')}"),
                choose("×", name, value.lstrip("!"), "0", className="chip-remove", title="remove this filter"),
            ],
            className="chip",
        )
        for name, values in view.facets.items()
        for value in values
    ]


def _value(field: str, value: str, count: int, most: int, chosen: Sequence[str]) -> html.Div:
    state = " included" if value in chosen else " excluded" if f"!{value}" in chosen else ""
    words = [html.Span(value, className="facet-name"), html.Span(short(count), className="facet-count")]
    if not is_askable(value):
        told = html.Span(words, className="facet-include", title=f"{count:,} events; too long a text to filter by")
        return html.Div([told], className="facet-row")
    parts = [choose(words, field, value, "+", className="facet-include", title=f"only {value}: {count:,} events")]
    if field not in ("level", "service"):
        parts.append(choose("−", field, value, "-", className="facet-exclude", title=f"without {value}"))
    bar = html.Span(
        className=f"facet-bar {'level-' + value.lower() if field == 'level' else ''}",
        style={"width": f"calc((100% - 32px) * {count / most if most else 0:.3f})"},
    )
    return html.Div([*parts, bar], className="facet-row" + state)
