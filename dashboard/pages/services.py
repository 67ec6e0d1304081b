"""Services: one service's rate, errors and response times, and which endpoint is guilty."""

import math
from typing import Any

import dash
from dash import Output, dcc, html

from dashboard import cube as cubes
from dashboard import rankings, redraw, shell
from dashboard.components.panel import QUANTILES, chart, keys, panel, part
from dashboard.components.services_table import services_table
from dashboard.components.still import HTML, still, written
from dashboard.components.tiles import skeleton_tiles, tile
from dashboard.figures import charts
from dashboard.links import href
from dashboard.theme import Theme
from dashboard.view import MAX_CHARS, View, is_askable, query_string
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
CHARTS = (
    ("services-rate", "Events per second", "", charts.rate_by_service),
    ("services-errors", "Error rate", "dotted: the period before", charts.error_rate),
    ("services-latency", "Response time", "dotted: p95 before", charts.latency),
    ("services-heat", "Response times, spread", "stronger: more events; log scale", charts.latency_heat),
)


def layout(service: str | None = None, **query: Any) -> html.Div:
    if service and service != "none":
        query = {**query, "service": service}
    return shell.frame(query, "Services", _content, NEEDS)


def _content(opening: shell.Opening) -> list[Any]:
    parts = draw(opening.answer, opening.view, opening.theme) if opening.answer else _blank()
    tiles, *figures, lines, endpoints, endpoints_class, services = parts
    legends = {
        "services-rate": still(lines, id="services-lines", className="legend"),
        "services-latency": still(keys(QUANTILES), className="legend"),
    }
    panels = [
        panel(title, chart(name, name, 180, figure), note, legends.get(name))
        for (name, title, note, _), figure in zip(CHARTS, figures, strict=True)
    ]
    return [
        still(tiles, id="services-tiles", className="tiles"),
        html.Div(panels, className="columns"),
        panel(
            "Endpoints, most errors first",
            still(endpoints, id="services-endpoints", className=endpoints_class),
        ),
        panel("Services, most changed first", still(services, id="services-table", className="table-scroll")),
        *redraw.stores("services", opening, parts),
    ]


@redraw.follows_view(
    "services",
    NEEDS,
    Output("services-tiles", HTML),
    *(Output({"type": "time-chart", "name": name}, "figure") for name, *_ in CHARTS),
    Output("services-lines", HTML),
    Output("services-endpoints", HTML),
    Output("services-endpoints", "className"),
    Output("services-table", HTML),
)
def draw(answer: Any, view: View, theme: Theme) -> redraw.Parts:
    cube = shell.loaded_cube(answer)
    return redraw.kept("services", answer["token"], view, theme, lambda: _draw(cube, view, theme))


def _draw(cube: cubes.Cube, view: View, theme: Theme) -> tuple[Any, ...]:
    """Return what the callback puts out: tiles, the charts, their lines, endpoints and their class, the services."""
    query = query_string(View(view.time_range, zone=view.zone))
    return (
        part(lambda: "".join([tile(kpi, theme) for kpi in cubes.kpis(cube, view)])),
        *(part(figure, cube, view, theme) for *_, figure in CHARTS),
        keys(charts.service_colours(cube, view, theme)),
        written(_endpoint_table(rankings.by_endpoint(cube, view).head(25).to_dict("records"), view)),
        "table-scroll",
        services_table(rankings.by_service(cube, View()), theme, query),
    )


def _blank() -> tuple[Any, ...]:
    return written(skeleton_tiles()), *[None] * len(CHARTS), "", "", "table-scroll skeleton-block", ""


def _endpoint_table(records: list[dict[str, Any]], view: View) -> html.Table:
    headings = ("Endpoint", "Service", "Events", "Errors", "Error rate", "before", "Mean", "p95", "Max")
    head = html.Thead(
        html.Tr(
            [html.Th(text, className="number" if place > 1 else "", scope="col") for place, text in enumerate(headings)]
        )
    )
    return html.Table([head, html.Tbody([_endpoint_row(record, view) for record in records])], className="plain-table")


def _endpoint_row(record: dict[str, Any], view: View) -> html.Tr:
    before = record["previous_error_rate"]
    grown = not math.isnan(before) and record["error_rate"] > 0.01 and record["error_rate"] > 2 * before
    cells = [
        html.Td(_endpoint(record, view)),
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


def _endpoint(record: dict[str, Any], view: View) -> Any:
    """Return an endpoint as a link to its errors; as text where a URL can't carry it."""
    name, service = record["endpoint"], record["service"]
    if not (is_askable(name) and is_askable(service)):
        return html.Span(name[:MAX_CHARS], className="mono", title="no link: a URL can't carry this name")
    target = View(view.time_range, ("ERROR", "CRITICAL"), (service,), zone=view.zone, facets={"endpoint": (name,)})
    link = href("/explore", query_string(target))
    return dcc.Link(name, href=link, className="service-link mono", title="its errors, in Explore")
