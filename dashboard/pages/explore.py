"""Explore: the log lines themselves, found by time, level, service, facets and text."""

from datetime import datetime, timedelta
from typing import Any

import dash
import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from catalog.errors import LoglakeError
from dashboard import cube as cubes
from dashboard import rankings, rows, shell
from dashboard.components import detail as details
from dashboard.components.facets import chips, facet
from dashboard.components.panel import chart, legend, message, panel
from dashboard.figures import charts
from dashboard.theme import theme_of
from dashboard.timerange import Window, absolute
from dashboard.view import View, query_string, to_store
from dashboard.wording import count, from_epoch

dash.register_page(__name__, path="/explore", name="Explore", title="Explore · Loglake", order=1, icon="☰")

NEEDS = ("counts", "latency", "endpoints")
RAIL = ("level", "service", "status_class", "endpoint")
BLOCK_ROWS = 100
COLUMNS = [
    {"field": "time", "headerName": "Time", "width": 172, "cellClass": "mono"},
    {"field": "level", "headerName": "Level", "width": 84, "cellClass": "mono"},
    {"field": "service", "headerName": "Service", "width": 122},
    {"field": "status_code", "headerName": "Status", "width": 66, "type": "rightAligned"},
    {"field": "took", "headerName": "Took", "width": 78, "type": "rightAligned"},
    {"field": "message", "headerName": "Message", "flex": 1, "minWidth": 280, "cellClass": "mono"},
]
SHOWN = ("timestamp", "level", "service", "status_code", "response_time_ms", "message")
EDGES = {
    f"edge-{level.lower()}": f"params.data && params.data.level == '{level}'"
    for level in ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
}


def layout(**query: Any) -> html.Div:
    return shell.frame(query, "Explore", [_histogram(), _table(), _drawer(), *_stores()], NEEDS)


def _histogram() -> html.Section:
    return panel("Log events by level", chart("explore-volume", "explore-volume", 150), aside=legend("explore-legend"))


def _table() -> html.Div:
    tools = html.Div(
        [
            html.Div(id="explore-chips", className="chips"),
            html.Span(id="explore-count", className="panel-note"),
            html.Button(
                "Newer data: show it", id="explore-newer", type="button", className="text-button small", hidden=True
            ),
            html.Button(
                "CSV",
                id="explore-csv",
                type="button",
                className="text-button small",
                title="download the columns shown, up to 10,000 rows",
            ),
            html.Button(
                "CSV, all fields",
                id="explore-csv-all",
                type="button",
                className="text-button small",
                title="download every field, up to 10,000 rows",
            ),
        ],
        className="table-tools",
    )
    grid = html.Section([tools, html.Div(id="explore-banner"), _grid()], className="panel rows-panel")
    return html.Div([html.Aside(id="explore-facets", className="panel facet-rail"), grid], className="explore-columns")


def _grid() -> dag.AgGrid:
    return dag.AgGrid(
        id="explore-grid",
        columnDefs=COLUMNS,
        defaultColDef={"resizable": True, "sortable": False, "suppressHeaderMenuButton": True},
        rowModelType="infinite",
        getRowId="params.data.row_id + ''",
        dangerously_allow_code=False,
        dashGridOptions={
            "theme": {"function": "themeBalham.withPart(colorSchemeVariable)"},
            "cacheBlockSize": BLOCK_ROWS,
            "maxBlocksInCache": 40,
            "maxConcurrentDatasourceRequests": 1,
            "infiniteInitialRowCount": 1,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "rowHeight": 24,
            "headerHeight": 28,
            "enableCellTextSelection": True,
            "rowClassRules": EDGES,
            "suppressNoRowsOverlay": True,
        },
        className="log-grid",
        style={"height": "100%", "width": "100%"},
    )


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


def _stores() -> list[Any]:
    return [dcc.Store(id="explore-basis"), dcc.Store(id="explore-record"), dcc.Download(id="explore-download")]


clientside_callback(
    ClientsideFunction("explore", "facet"),
    Output("shell-level", "value", allow_duplicate=True),
    Output("shell-service", "value", allow_duplicate=True),
    Output("shell-facets", "data", allow_duplicate=True),
    Input({"type": "explore-facet", "field": ALL, "value": ALL, "sign": ALL}, "n_clicks"),
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
    ClientsideFunction("explore", "purge"),
    Output("explore-grid", "className"),
    Input("explore-basis", "data"),
    prevent_initial_call=True,
)


@callback(
    Output("explore-basis", "data"),
    Output("explore-newer", "hidden"),
    Input("shell-answer", "data"),
    Input("shell-run", "n_clicks"),
    Input("explore-newer", "n_clicks"),
    State("shell-view", "data"),
    State("explore-basis", "data"),
    prevent_initial_call=True,
)
def choose_basis(answer: Any, _run: Any, _newer: Any, store: Any, basis: Any) -> Any:
    """Fix what the table reads: an automatic refresh must not move rows under the reader's eyes."""
    if not answer:
        return no_update, no_update
    asked = to_store(shell.view_of(store))
    if basis and basis["view"] == asked and ctx.triggered_id == "shell-answer":
        return no_update, basis["token"] == answer["token"]
    return {"view": asked, **answer}, True


@callback(
    Output({"type": "time-chart", "name": "explore-volume"}, "figure"),
    Output("explore-legend", "children"),
    Input("shell-answer", "data"),
    Input("shell-view", "data"),
    Input("shell-theme", "data"),
    State("shell-viewer", "data"),
)
def draw_volume(answer: Any, store: Any, theme: str, viewer: str) -> Any:
    if not answer:
        return no_update, no_update
    view = shell.view_of(store)
    try:
        cube = _cube(view, answer, viewer)
    except LoglakeError as error:
        return no_update, str(error)
    return charts.volume(cube, view, theme_of(theme)), charts.describe(cube, view)


@callback(
    Output("explore-facets", "children"),
    Output("explore-chips", "children"),
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
    return [facet(name, rankings.facet_counts(cube, view, name), chosen.get(name, ())) for name in RAIL], chips(view)


@callback(
    Output("explore-grid", "getRowsResponse"),
    Output("explore-banner", "children"),
    Output("explore-count", "children"),
    Input("explore-grid", "getRowsRequest"),
    State("explore-basis", "data"),
    State("shell-viewer", "data"),
)
def fetch_rows(request: Any, basis: Any, viewer: str) -> Any:
    """Answer the grid's request for a block with a part of a page."""
    if not request:
        return no_update, no_update, no_update
    if not basis:  # an answer all the same: an open request would hold up those that follow
        return {"rowData": [], "rowCount": 0}, no_update, no_update
    view, start = shell.view_of(basis["view"]), int(request["startRow"])
    try:
        page = _page(view, basis, start // rows.PAGE_ROWS, viewer)
    except LoglakeError as error:
        return {"rowData": [], "rowCount": start}, message("The rows could not be read", str(error)), ""
    first = start // rows.PAGE_ROWS * rows.PAGE_ROWS
    block = page[start - first : start - first + BLOCK_ROWS]
    found = first + len(page) if len(page) < rows.PAGE_ROWS else None
    total = rows.MAX_ROWS if found is None and first + len(page) >= rows.MAX_ROWS else found
    shown = [_grid_row(record, view.zone) for record in block]
    return {"rowData": shown, "rowCount": total}, _banner(view, basis, found), _count(view, basis, found)


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
    if not selected or not basis:
        return no_update, no_update, no_update, no_update
    record = {name: selected[0].get(name) for name in rows.FIELDS}
    around = html.Button("Show what surrounded it", id="explore-around", type="button", className="text-button")
    return True, details.detail(record, _permalink(record)), around, record


@callback(
    Output("explore-context", "children", allow_duplicate=True),
    Input("explore-around", "n_clicks"),
    State("explore-record", "data"),
    State("explore-basis", "data"),
    State("shell-viewer", "data"),
    prevent_initial_call=True,
)
def show_context(clicks: Any, record: Any, basis: Any, viewer: str) -> Any:
    if not clicks or not record:
        return no_update
    moment = datetime.fromisoformat(f"{record['timestamp'][:23]}+00:00")
    window = Window(moment - timedelta(seconds=60), moment + timedelta(seconds=60))
    view = View(levels=shell.view_of(basis["view"]).levels, services=(record["service"],))
    try:
        found = shell.lake().page(view, window, [record["service"]], 0, viewer, "context")
    except LoglakeError as error:
        return message("The surrounding lines could not be read", str(error))
    place = next((n for n, other in enumerate(found) if other["event_id"] == record["event_id"]), 0)
    return details.context(found[max(0, place - 20) : place + 21], record["event_id"])


@callback(
    Output("explore-download", "data"),
    Input("explore-csv", "n_clicks"),
    Input("explore-csv-all", "n_clicks"),
    State("explore-basis", "data"),
    State("shell-viewer", "data"),
    prevent_initial_call=True,
)
def download(shown: Any, everything: Any, basis: Any, viewer: str) -> Any:
    if not (shown or everything) or not basis:
        return no_update
    view = shell.view_of(basis["view"])
    found: list[rows.Record] = []
    for number in range(rows.MAX_ROWS // rows.PAGE_ROWS):
        page = _page(view, basis, number, viewer)
        found += page
        if len(page) < rows.PAGE_ROWS:
            break
    text = rows.to_csv(found, SHOWN if ctx.triggered_id == "explore-csv" else rows.FIELDS)
    return {"content": text, "filename": "loglake-events.csv", "type": "text/csv"}


def _cube(view: View, answer: Any, viewer: str) -> cubes.Cube:
    cube = shell.loaded_cube(answer)
    return shell.lake().filtered(view, cube, viewer, answer["token"]) if view.needs_rows else cube


def _page(view: View, basis: Any, number: int, viewer: str) -> list[rows.Record]:
    window = Window(*(from_epoch(moment) for moment in basis["window"]))
    return shell.lake().page(view, window, shell.loaded_cube(basis).services, number, viewer, basis["token"])


def _grid_row(record: rows.Record, zone: str) -> dict[str, Any]:
    text = record["timestamp"] or ""
    took = details.took(record)
    return {**record, "time": details.local_time(text, zone), "took": took, "row_id": f"{text}{record['event_id']}"}


def _count(view: View, basis: Any, found: int | None) -> str:
    if found is None:
        return f"first {rows.MAX_ROWS:,} can be scrolled, newest first; narrow the range to see all"
    return f"{count(found)} rows: all of them, newest first"


def _banner(view: View, basis: Any, found: int | None) -> Any:
    lake = shell.lake()
    sources = lake.sources(view, shell.loaded_cube(basis).services)
    dropped = ", ".join(lake.drop_levels)
    if sources.missing_services:
        names = ", ".join(sources.missing_services)
        return html.Div(
            f"Not catalogued yet: {names}. Raw tables appear after the next crawl: run 'loglake crawl'.",
            className="banner warn",
        )
    if found == 0:
        hint = (
            ""
            if view.levels
            else f" {dropped} rows are not kept in the curated table: choose such a level to read the raw tables."
        )
        return message(
            "No rows", f"Nothing in this range passes these filters.{hint} Widen the range, or take a filter away."
        )
    if sources.is_raw:
        return html.Div(
            f"Read from the raw tables, because the curated one leaves {dropped} out: slower, and more bytes.",
            className="banner",
        )
    if not view.levels and dropped:
        return html.Div(
            f"Rows of every level but {dropped}: those are counted above; choose them in Level to read the raw tables.",
            className="banner",
        )
    return None


def _permalink(record: rows.Record) -> str:
    moment = datetime.fromisoformat(f"{(record['timestamp'] or '')[:19]}+00:00")
    window = Window(moment.replace(second=0) - timedelta(minutes=1), moment.replace(second=0) + timedelta(minutes=2))
    facets = {"trace_id": (record["trace_id"] or "",)} if record["trace_id"] else {}
    return query_string(View(absolute(window), (record["level"] or "",), (record["service"] or "",), facets=facets))
