"""Explore: the log lines themselves, found by time, level, service, facets and text."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import dash
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from catalog.errors import LoglakeError
from catalog.schema import told_level, told_text
from dashboard import access, rankings, rows, shell
from dashboard.components import detail as details
from dashboard.components.attributes import attributes
from dashboard.components.facets import chips, facet
from dashboard.components.log_grid import BLOCK_ROWS, grid_row, log_grid
from dashboard.components.panel import chart, legend, message, panel
from dashboard.components.row_banners import dear_banner, rows_banner, rows_count
from dashboard.components.still import HTML, written
from dashboard.figures import charts
from dashboard.guard import DearQueryError
from dashboard.links import href
from dashboard.statements import COUNTS
from dashboard.theme import theme_of
from dashboard.timerange import Window, absolute, resolve
from dashboard.view import View, query_string, to_store
from dashboard.wording import from_epoch

dash.register_page(__name__, path="/explore", name="Explore", title="Explore · Loglake", order=1, icon="☰")

NEEDS = ("counts", "latency", "endpoints")
RAIL = ("level", "service", "status_class", "endpoint")
DOWNLOADS = (("csv", "shown", "CSV"), ("json", "shown", "JSON"), ("csv", "all", "CSV, all fields"))


def layout(**query: Any) -> html.Div:
    histogram = panel(
        "Log events by level", chart("explore-volume", "explore-volume", 150), aside=legend("explore-legend")
    )
    stores = [dcc.Store(id=f"explore-{name}") for name in ("basis", "answered", "record", "facet")]
    return shell.frame(query, "Explore", [histogram, _table(), _drawer(), *stores], NEEDS)


def _table() -> html.Div:
    newer = html.Button(
        "Newer data: show it", id="explore-newer", type="button", className="text-button small", hidden=True
    )
    tools = html.Div(
        [
            html.Div(id="explore-chips", className="chips"),
            html.Span(id="explore-count", className="panel-note"),
            newer,
            html.Div(id="explore-downloads", className="downloads"),
        ],
        className="table-tools",
    )
    parts = [tools, html.Div(id="explore-banner"), log_grid("explore-grid")]
    grid = html.Section(parts, className="panel rows-panel")
    label = attributes({"aria-label": "Facets"})
    rail = html.Aside(id="explore-facets", className="panel facet-rail", **label)
    return html.Div([rail, grid], className="explore-columns")


def _drawer() -> dbc.Offcanvas:
    return dbc.Offcanvas(
        [html.Div(id="explore-detail"), html.Div(id="explore-context")],
        id="explore-drawer",
        title="Event",
        placement="end",
        is_open=False,
        scrollable=True,
        backdrop=False,
        className="detail-drawer",
    )


clientside_callback(
    ClientsideFunction("explore", "facet"),
    Output("shell-level", "value", allow_duplicate=True),
    Output("shell-service", "value", allow_duplicate=True),
    Output("shell-facets", "data", allow_duplicate=True),
    Input("explore-facet", "data"),
    State("shell-level", "value"),
    State("shell-service", "value"),
    State("shell-facets", "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("explore", "closed"),
    Output("shell-sink", "title"),
    Input("explore-drawer", "is_open"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("explore", "openOnly"),
    Output("shell-sink", "lang"),
    Input("explore-count", "children"),
    State("shell-view", "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("explore", "purge"),
    Output("explore-grid", "className"),
    Input("explore-basis", "data"),
    Input("explore-answered", "data"),
    prevent_initial_call=True,
)


@callback(
    Output("explore-basis", "data"),
    Output("explore-newer", "hidden"),
    Input("shell-answer", "data"),
    Input("shell-view", "data"),
    Input("shell-run", "n_clicks"),
    Input("explore-newer", "n_clicks"),
    Input({"type": "explore-anyway", "n": ALL}, "n_clicks"),
    State("explore-basis", "data"),
    prevent_initial_call=True,
)
def choose_basis(answer: Any, store: Any, _run: Any, _newer: Any, anyway: list[Any], basis: Any) -> Any:
    """Fix what the table reads: an automatic refresh must not move rows under the reader's eyes.

    Another filter in the same range needs no other answer; another range waits for its own.
    """
    if not answer:
        return no_update, no_update
    if isinstance(ctx.triggered_id, dict):  # the button of a dear query; it also triggers by appearing
        return ({**basis, "confirmed": True}, True) if any(anyway) and basis else (no_update, no_update)
    view = shell.view_of(store)
    asked = to_store(view)
    if basis and basis["view"] == asked and ctx.triggered_id == "shell-answer":
        return no_update, basis["token"] == answer["token"]
    if ctx.triggered_id == "shell-view" and not _is_of_range(answer, view, basis):
        return no_update, no_update
    return {"view": asked, **answer}, True


def _is_of_range(answer: Any, view: View, basis: Any) -> bool:
    """Return whether an answer is of a view's range: of the same words, or of the same moments."""
    if basis and shell.view_of(basis["view"]).time_range == view.time_range:
        return True
    return resolve(view.time_range, shell.lake().clock()) == _window(answer)


@callback(
    Output({"type": "time-chart", "name": "explore-volume"}, "figure"),
    Output("explore-legend", "children"),
    Input("shell-answer", "data"),
    Input("shell-view", "data"),
    Input("shell-theme", "data"),
    Input("explore-basis", "data"),
    State("shell-viewer", "data"),
)
def draw_volume(answer: Any, store: Any, theme: str, basis: Any, viewer: str) -> Any:
    view = shell.view_of(store)
    is_confirmed = bool(basis and basis.get("confirmed") and basis["view"] == to_store(view))
    if not answer:
        return no_update, no_update
    try:
        cube = shell.loaded_cube(answer)
        if view.needs_rows:
            cube = shell.lake().filtered(view, cube, viewer, answer["token"], is_confirmed)
    except LoglakeError as error:
        return no_update, str(error)
    return charts.volume(cube, view, theme_of(theme)), charts.describe(cube, view)


@callback(
    Output("explore-facets", HTML),
    Output("explore-chips", HTML),
    Input("shell-answer", "data"),
    Input("shell-view", "data"),
    State("shell-viewer", "data"),
)
def draw_facets(answer: Any, store: Any, viewer: str) -> Any:
    if not answer:
        return no_update, no_update
    view = shell.view_of(store)
    cube = shell.loaded_cube(answer)
    chosen = {"level": view.levels, "service": view.services, **view.facets}
    rail = [facet(name, rankings.facet_counts(cube, view, name), chosen.get(name, ())) for name in RAIL]
    return written(rail), written(chips(view))


@callback(
    Output("explore-grid", "getRowsResponse"),
    Output("explore-banner", "children"),
    Output("explore-count", "children"),
    Output("explore-answered", "data"),
    Input("explore-grid", "getRowsRequest"),
    State("explore-basis", "data"),
    State("shell-viewer", "data"),
)
def fetch_rows(request: Any, basis: Any, viewer: str) -> Any:
    """Answer the grid's request for a block with a part of a page, and say what it was read for."""
    if not request:
        return (no_update,) * 4
    if not basis:  # an answer all the same: an open request would hold up those that follow
        return _rows([], 0), no_update, no_update, {}
    return *_block(request, basis, viewer), basis


def _block(request: Any, basis: Any, viewer: str) -> tuple[Any, Any, Any]:
    view, start = shell.view_of(basis["view"]), int(request["startRow"])
    try:
        page = _page(view, basis, start // rows.PAGE_ROWS, viewer)
    except DearQueryError as error:
        return _rows([], start), dear_banner(error), ""
    except LoglakeError as error:
        return _rows([], start), message("The rows could not be read", str(error)), ""
    first = start // rows.PAGE_ROWS * rows.PAGE_ROWS
    block = page[start - first : start - first + BLOCK_ROWS]
    found = first + len(page) if len(page) < rows.PAGE_ROWS else None
    total = rows.MAX_ROWS if found is None and first + len(page) >= rows.MAX_ROWS else found
    shown = [grid_row(record, view.zone, start + place) for place, record in enumerate(block)]
    cube = shell.loaded_cube(basis)
    sources = shell.lake().sources(view, cube.services)
    is_empty = not len(cube.rows(COUNTS, cube.window))
    banner = rows_banner(view, sources, shell.lake().drop_levels, found, is_empty)
    return _rows(shown, total), banner, rows_count(found)


def _rows(shown: list[dict[str, Any]], total: int | None) -> dict[str, Any]:
    """Return a block as the grid takes it: a blank row for none, as the grid may lose what follows a count of zero."""
    return {"rowData": shown, "rowCount": total} if total != 0 else {"rowData": [{"row_id": "none"}], "rowCount": 1}


@callback(
    Output("explore-drawer", "is_open"),
    Output("explore-detail", "children"),
    Output("explore-context", "children"),
    Output("explore-record", "data"),
    Input("explore-grid", "selectedRows"),
    State("explore-basis", "data"),
    prevent_initial_call=True,
)
def open_detail(selected: Any, basis: Any) -> Any:
    if not selected or not basis or "event_id" not in selected[0]:
        return no_update, no_update, no_update, no_update
    record = {name: selected[0].get(name) for name in rows.FIELDS}
    around = html.Button("Show what surrounded it", id="explore-around", type="button", className="text-button")
    return True, details.detail(record, permalink(record)), around, record


@callback(
    Output("explore-context", "children", allow_duplicate=True),
    Input("explore-around", "n_clicks"),
    State("explore-record", "data"),
    State("explore-basis", "data"),
    State("shell-viewer", "data"),
    prevent_initial_call=True,
)
def show_context(clicks: Any, record: Any, basis: Any, viewer: str) -> Any:
    moment = details.moment_of(record["timestamp"]) if clicks and record else None
    if moment is None:
        return no_update
    window = Window(moment - timedelta(seconds=60), moment + timedelta(seconds=60))
    view = View(levels=shell.view_of(basis["view"]).levels, services=(told_text(record["service"]),))
    try:
        found = shell.lake().page(view, window, [told_text(record["service"])], 0, viewer, "context")
    except LoglakeError as error:
        return message("The surrounding lines could not be read", str(error))
    place = next((n for n, other in enumerate(found) if other["event_id"] == record["event_id"]), 0)
    return details.context(found[max(0, place - 20) : place + 21], record["event_id"])


@callback(Output("explore-downloads", "children"), Input("explore-basis", "data"))
def offer_downloads(basis: Any) -> Any:
    """Link to the rows as files: of exactly this range and these filters, whatever the clock says by then."""
    if not basis or not access.current().may("exporter"):
        return None
    view = shell.view_of(basis["view"])
    view = View(absolute(_window(basis)), view.levels, view.services, view.search, view.zone, view.facets)
    return [_download(view, basis, *wanted) for wanted in DOWNLOADS]


def _download(view: View, basis: Any, kind: str, fields: str, text: str) -> html.A:
    own = {"token": basis["token"], "fields": fields} | ({"confirmed": "1"} if basis.get("confirmed") else {})
    address = href(f"/export/events.{kind}", f"{query_string(view)}&{urlencode(own)}")
    hint = "every field" if fields == "all" else "the columns shown"
    return html.A(text, href=address, className="text-button small", title=f"download these rows, {hint}", download="")


def _page(view: View, basis: Any, number: int, viewer: str) -> list[rows.Record]:
    services, token = shell.loaded_cube(basis).services, basis["token"]
    return shell.lake().page(view, _window(basis), services, number, viewer, token, bool(basis.get("confirmed")))


def _window(basis: Any) -> Window:
    return Window(*(from_epoch(moment) for moment in basis["window"]))


def permalink(record: rows.Record) -> str:
    """Return the query that shows one event alone, by its id, in the minute it happened."""
    view = View(
        levels=(told_level(record["level"]),),
        services=(told_text(record["service"]),),
        facets={"event_id": (told_text(record["event_id"]),)},
    )
    moment = details.moment_of(record["timestamp"])
    if moment is None:
        return query_string(view)
    start = moment.replace(second=0, microsecond=0)
    return query_string(replace(view, time_range=absolute(Window(start, start + timedelta(minutes=1)))))
