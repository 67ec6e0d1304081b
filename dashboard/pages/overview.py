"""Overview: is anything wrong, since when, and where."""

from datetime import UTC, datetime
from typing import Any

import dash
from dash import Input, Output, callback, html, no_update
from flask import current_app

from dashboard import access, rankings, shell
from dashboard import cube as cubes
from dashboard.components.panel import chart, guarded, legend, panel
from dashboard.components.services_table import services_table
from dashboard.components.tiles import tile
from dashboard.figures import charts
from dashboard.live import seam
from dashboard.theme import theme_of
from dashboard.view import query_string
from dashboard.wording import clock

dash.register_page(__name__, path="/", name="Overview", title="Overview · Loglake", order=0, icon="◫")

DRAWS = (Input("shell-answer", "data"), Input("shell-view", "data"), Input("shell-theme", "data"))


def live_cube(answer: Any) -> tuple[cubes.Cube, float | None]:
    """Return the answer's cube with its last minutes from the live counters, and where those begin, if they do."""
    feed = current_app.extensions.get("loglake-live")
    return seam.live_cube(shell.loaded_cube(answer), feed, access.current().services)


def layout(**query: Any) -> html.Div:
    return shell.frame(
        query,
        "Overview",
        [
            html.Div([html.Div(className="tile skeleton") for _ in range(6)], id="overview-tiles", className="tiles"),
            panel(
                "Log events by level", chart("overview-volume", "overview-volume", 230), aside=legend("overview-legend")
            ),
            html.Div(
                [
                    panel(
                        "Error rate",
                        chart("overview-errors", "overview-errors", 190),
                        note="errors ÷ events; dotted: the period before",
                    ),
                    panel(
                        "Response time",
                        chart("overview-latency", "overview-latency", 190),
                        note="p50, p95, p99; dotted: p95 before",
                    ),
                ],
                className="columns",
            ),
            panel(
                "Services, most changed first",
                html.Div(id="overview-services", className="table-scroll skeleton-block"),
            ),
        ],
    )


@callback(Output("overview-tiles", "children"), *DRAWS)
@guarded
def draw_tiles(answer: Any, store: Any, theme: str) -> Any:
    return [tile(kpi, theme_of(theme)) for kpi in cubes.kpis(live_cube(answer)[0], shell.view_of(store))]


@callback(
    Output({"type": "time-chart", "name": "overview-volume"}, "figure"), Output("overview-legend", "children"), *DRAWS
)
def draw_volume(answer: Any, store: Any, theme: str) -> Any:
    if not answer:
        return no_update, no_update
    (cube, live_since), view = live_cube(answer), shell.view_of(store)
    told = charts.describe(cube, view)
    if live_since is not None:
        told += f" · live since {clock(datetime.fromtimestamp(live_since, UTC), view.zone)}"
    return charts.volume(cube, view, theme_of(theme)), told


@callback(Output({"type": "time-chart", "name": "overview-errors"}, "figure"), *DRAWS)
@guarded
def draw_errors(answer: Any, store: Any, theme: str) -> Any:
    return charts.error_rate(live_cube(answer)[0], shell.view_of(store), theme_of(theme))


@callback(Output({"type": "time-chart", "name": "overview-latency"}, "figure"), *DRAWS)
@guarded
def draw_latency(answer: Any, store: Any, theme: str) -> Any:
    return charts.latency(live_cube(answer)[0], shell.view_of(store), theme_of(theme))


@callback(Output("overview-services", "children"), Output("overview-services", "className"), *DRAWS)
def draw_services(answer: Any, store: Any, theme: str) -> Any:
    if not answer:
        return no_update, no_update
    view = shell.view_of(store)
    table = rankings.by_service(live_cube(answer)[0], view)
    return services_table(table, theme_of(theme), query_string(view)), "table-scroll"
