"""Overview: is anything wrong, since when, and where."""

from datetime import UTC, datetime
from typing import Any

import dash
from dash import Output, html
from flask import current_app

from dashboard import access, rankings, redraw, shell
from dashboard import cube as cubes
from dashboard.components.panel import QUANTILES, chart, keys, legend, panel, part
from dashboard.components.services_table import services_table
from dashboard.components.still import HTML, still, written
from dashboard.components.tiles import skeleton_tiles, tile
from dashboard.figures import charts
from dashboard.live import seam
from dashboard.theme import Theme
from dashboard.view import View, query_string
from dashboard.wording import clock

dash.register_page(__name__, path="/", name="Overview", title="Overview · Loglake", order=0, icon="◫")


def layout(**query: Any) -> html.Div:
    return shell.frame(query, "Overview", _content)


def _content(opening: shell.Opening) -> list[Any]:
    answer, view, theme = opening.answer, opening.view, opening.theme
    parts = _kept_drawing(shell.loaded_cube(answer), answer["token"], view, theme) if answer else _blank()
    tiles, volume, told, errors, latency, services, services_class = parts
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
                    "dotted: p95 before",
                    still(keys(QUANTILES), className="legend"),
                ),
            ],
            className="columns",
        ),
        panel(
            "Services, most changed first",
            still(services, id="overview-services", className=services_class),
        ),
        *redraw.stores("overview", opening, parts),
    ]


@redraw.follows_view(
    "overview",
    shell.DEFAULT_NEEDS,
    Output("overview-tiles", HTML),
    Output({"type": "time-chart", "name": "overview-volume"}, "figure"),
    Output("overview-legend", "children"),
    Output({"type": "time-chart", "name": "overview-errors"}, "figure"),
    Output({"type": "time-chart", "name": "overview-latency"}, "figure"),
    Output("overview-services", HTML),
    Output("overview-services", "className"),
)
def draw(answer: Any, view: View, theme: Theme) -> redraw.Parts:
    cube, live_since = live_cube(answer)
    if live_since is None:
        return _kept_drawing(cube, answer["token"], view, theme)
    return _drawing(cube, view, theme, live_since)


def _kept_drawing(cube: cubes.Cube, token: str, view: View, theme: Theme) -> redraw.Parts:
    return redraw.kept("overview", token, view, theme, lambda: _drawing(cube, view, theme, None))


def live_cube(answer: Any) -> tuple[cubes.Cube, float | None]:
    """Return the answer's cube with its last minutes from the live counters, and where those begin, if they do."""
    feed = current_app.extensions.get("loglake-live")
    return seam.live_cube(shell.loaded_cube(answer), feed, access.current().services)


def _drawing(cube: cubes.Cube, view: View, theme: Theme, live_since: float | None) -> tuple[Any, ...]:
    """Return what the callback puts out: tiles, volume, its sentence, error rate, latency, the table and its class."""
    return (
        part(lambda: "".join([tile(kpi, theme) for kpi in cubes.kpis(cube, view)])),
        part(charts.volume, cube, view, theme),
        _told(cube, view, live_since),
        part(charts.error_rate, cube, view, theme),
        part(charts.latency, cube, view, theme),
        services_table(rankings.by_service(cube, view), theme, query_string(view)),
        "table-scroll",
    )


def _told(cube: cubes.Cube, view: View, live_since: float | None) -> str:
    told = charts.describe(cube, view)
    if live_since is None:
        return told
    return f"{told} · live since {clock(datetime.fromtimestamp(live_since, UTC), view.zone)}"


def _blank() -> tuple[Any, ...]:
    return written(skeleton_tiles()), None, "", None, None, "", "table-scroll skeleton-block"
