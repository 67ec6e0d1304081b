"""Services: one service's rate, errors and response times, and which endpoint is guilty."""

import math
from typing import Any

import dash
from dash import Input, Output, callback, dcc, html, no_update

from dashboard import cube as cubes
from dashboard import rankings, shell
from dashboard.components.panel import chart, guarded, panel
from dashboard.components.services_table import services_table
from dashboard.components.tiles import tile
from dashboard.figures import charts
from dashboard.links import href
from dashboard.theme import theme_of
from dashboard.view import View, query_string
from dashboard.wording import count, duration, share

dash.register_page(
    __name__,
    path="/services",
    path_template="/services/<service>",
    name="Services",
    title="Services · Loglake",
    order=3,
    icon="◉",
)

NEEDS = ("counts", "latency", "endpoints", "endpoint-latency")
DRAWS = (Input("shell-answer", "data"), Input("shell-view", "data"), Input("shell-theme", "data"))


def layout(service: str | None = None, **query: Any) -> html.Div:
    if service and service != "none":
        query = {**query, "service": service}
    return shell.frame(
        query,
        "Services",
        [
            html.Div([html.Div(className="tile skeleton") for _ in range(6)], id="services-tiles", className="tiles"),
            html.Div(
                [
                    panel(
                        "Events per second", chart("services-rate", "services-rate", 180), note="one line per service"
                    ),
                    panel(
                        "Error rate", chart("services-errors", "services-errors", 180), note="dotted: the period before"
                    ),
                    panel(
                        "Response time",
                        chart("services-latency", "services-latency", 180),
                        note="p50, p95, p99; dotted: p95 before",
                    ),
                    panel(
                        "Response times, spread",
                        chart("services-heat", "services-heat", 180),
                        note="stronger: more events; log scale",
                    ),
                ],
                className="columns",
            ),
            panel(
                "Endpoints, most errors first",
                html.Div(id="services-endpoints", className="table-scroll skeleton-block"),
            ),
            panel("Services, most changed first", html.Div(id="services-table", className="table-scroll")),
        ],
        NEEDS,
    )


@callback(Output("services-tiles", "children"), *DRAWS)
@guarded
def draw_tiles(answer: Any, store: Any, theme: str) -> Any:
    return [tile(kpi, theme_of(theme)) for kpi in cubes.kpis(shell.loaded_cube(answer), shell.view_of(store))]


@callback(Output({"type": "time-chart", "name": "services-rate"}, "figure"), *DRAWS)
@guarded
def draw_rate(answer: Any, store: Any, theme: str) -> Any:
    return charts.rate_by_service(shell.loaded_cube(answer), shell.view_of(store), theme_of(theme))


@callback(Output({"type": "time-chart", "name": "services-errors"}, "figure"), *DRAWS)
@guarded
def draw_errors(answer: Any, store: Any, theme: str) -> Any:
    return charts.error_rate(shell.loaded_cube(answer), shell.view_of(store), theme_of(theme))


@callback(Output({"type": "time-chart", "name": "services-latency"}, "figure"), *DRAWS)
@guarded
def draw_latency(answer: Any, store: Any, theme: str) -> Any:
    return charts.latency(shell.loaded_cube(answer), shell.view_of(store), theme_of(theme))


@callback(Output({"type": "time-chart", "name": "services-heat"}, "figure"), *DRAWS)
@guarded
def draw_heat(answer: Any, store: Any, theme: str) -> Any:
    return charts.latency_heat(shell.loaded_cube(answer), shell.view_of(store), theme_of(theme))


@callback(Output("services-endpoints", "children"), Output("services-endpoints", "className"), *DRAWS)
def draw_endpoints(answer: Any, store: Any, theme: str) -> Any:
    if not answer:
        return no_update, no_update
    view = shell.view_of(store)
    table = rankings.by_endpoint(shell.loaded_cube(answer), view)
    return _endpoint_table(table.head(25).to_dict("records"), view), "table-scroll"


@callback(Output("services-table", "children"), *DRAWS)
@guarded
def draw_services(answer: Any, store: Any, theme: str) -> Any:
    view = shell.view_of(store)
    return services_table(
        rankings.by_service(shell.loaded_cube(answer), View()),
        theme_of(theme),
        query_string(View(view.time_range, zone=view.zone)),
    )


def _endpoint_table(records: list[dict[str, Any]], view: View) -> html.Table:
    headings = ("Endpoint", "Service", "Events", "Errors", "Error rate", "before", "Mean", "p95", "Max")
    head = html.Thead(
        html.Tr(
            [html.Th(text, className="number" if place > 1 else "", scope="col") for place, text in enumerate(headings)]
        )
    )
    return html.Table([head, html.Tbody([_endpoint_row(record, view) for record in records])], className="plain-table")


def _endpoint_row(record: dict[str, Any], view: View) -> html.Tr:
    target = View(
        view.time_range,
        ("ERROR", "CRITICAL"),
        (record["service"],),
        zone=view.zone,
        facets={"endpoint": (record["endpoint"],)},
    )
    before = record["previous_error_rate"]
    grown = not math.isnan(before) and record["error_rate"] > 0.01 and record["error_rate"] > 2 * before
    cells = [
        html.Td(
            dcc.Link(
                record["endpoint"],
                href=href("/explore", query_string(target)),
                className="service-link mono",
                title="its errors, in Explore",
            )
        ),
        html.Td(record["service"]),
        *(html.Td(text, className="number") for text in (count(record["events"]), count(record["errors"]))),
        html.Td(
            [
                share(record["error_rate"]),
                html.Span("more" if grown else "", className="delta worse" if grown else "delta"),
            ],
            className="number",
        ),
        *(
            html.Td(text, className="number")
            for text in (share(before), duration(record["mean"]), duration(record["p95"]), duration(record["max"]))
        ),
    ]
    return html.Tr(cells)
