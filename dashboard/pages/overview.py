"""Overview: is anything wrong, since when, and where."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import dash
from dash import Input, Output, State, callback, html, no_update
from flask import current_app

from dashboard import access, rankings, shell
from dashboard import cube as cubes
from dashboard.components.panel import chart, legend, panel, part
from dashboard.components.services_table import services_table
from dashboard.components.still import HTML, still, written
from dashboard.components.tiles import skeleton_tiles, tile
from dashboard.figures import charts
from dashboard.live import seam
from dashboard.theme import Theme, theme_of
from dashboard.view import View, query_string
from dashboard.wording import clock

dash.register_page(__name__, path="/", name="Overview", title="Overview · Loglake", order=0, icon="◫")


def layout(**query: Any) -> html.Div:
    return shell.frame(query, "Overview", _content)


def _content(opening: shell.Opening) -> list[Any]:
    tiles, volume, told, errors, latency, services, services_class = (
        _kept_drawing(opening.cube, opening.loaded.token, opening.view, opening.theme)
        if opening.cube and opening.loaded
        else _blank()
    )
    note = "errors ÷ events; dotted: the period before"
    return [
        still(tiles, id="overview-tiles", className="tiles"),
        panel(
            "Log events by level",
            chart("overview-volume", "overview-volume", 230, volume),
            aside=legend("overview-legend", told),
        ),
        html.Div(
            [
                panel("Error rate", chart("overview-errors", "overview-errors", 190, errors), note),
                panel(
                    "Response time",
                    chart("overview-latency", "overview-latency", 190, latency),
                    "p50, p95, p99; dotted: p95 before",
                ),
            ],
            className="columns",
        ),
        panel(
            "Services, most changed first",
            still(services, id="overview-services", className=services_class),
        ),
        shell.drawn_store("overview-drawn", opening),
    ]


@callback(
    Output("overview-tiles", HTML),
    Output({"type": "time-chart", "name": "overview-volume"}, "figure"),
    Output("overview-legend", "children"),
    Output({"type": "time-chart", "name": "overview-errors"}, "figure"),
    Output({"type": "time-chart", "name": "overview-latency"}, "figure"),
    Output("overview-services", HTML),
    Output("overview-services", "className"),
    Output("overview-drawn", "data"),
    Input("shell-draw", "data"),
    State("overview-drawn", "data"),
    prevent_initial_call=True,
)
def draw(asked: Any, had: Any) -> Any:
    if not asked:
        return (no_update,) * 8
    cube, live_since = live_cube(asked["answer"])
    if live_since is None:
        return shell.redrawn(asked, had, partial(_kept_drawing, cube, asked["answer"]["token"]))
    return *_drawing(cube, shell.view_of(asked["view"]), theme_of(asked["theme"]), live_since), None


def _kept_drawing(cube: cubes.Cube, token: str, view: View, theme: Theme) -> Any:
    return shell.drawn("overview", token, view, theme, lambda: _drawing(cube, view, theme, None))


def live_cube(answer: Any) -> tuple[cubes.Cube, float | None]:
    """Return the answer's cube with its last minutes from the live counters, and where those begin, if they do."""
    feed = current_app.extensions.get("loglake-live")
    return seam.live_cube(shell.loaded_cube(answer), feed, access.current().services)


def _drawing(cube: cubes.Cube, view: View, theme: Theme, live_since: float | None) -> tuple[Any, ...]:
    """Return what the callback puts out: tiles, volume, its sentence, error rate, latency, the table and its class."""
    return (
        part(lambda: written([tile(kpi, theme) for kpi in cubes.kpis(cube, view)])),
        part(charts.volume, cube, view, theme),
        _told(cube, view, live_since),
        part(charts.error_rate, cube, view, theme),
        part(charts.latency, cube, view, theme),
        written(services_table(rankings.by_service(cube, view), theme, query_string(view))),
        "table-scroll",
    )


def _told(cube: cubes.Cube, view: View, live_since: float | None) -> str:
    told = charts.describe(cube, view)
    if live_since is None:
        return told
    return f"{told} · live since {clock(datetime.fromtimestamp(live_since, UTC), view.zone)}"


def _blank() -> tuple[Any, ...]:
    return written(skeleton_tiles()), None, "", None, None, "", "table-scroll skeleton-block"
