"""Live: the stream as it arrives, about a second behind it. Reads DynamoDB through one feed a worker, never Athena."""

import time
from typing import Any

import dash
import dash_ag_grid as dag
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from flask import current_app

from catalog.live_feed import Feed, LiveError
from catalog.live_feed import State as LiveState
from dashboard import access, shell
from dashboard.components.log_grid import COLUMNS, EDGES
from dashboard.components.panel import chart, legend, message, panel
from dashboard.live import figures, panels, ticks
from dashboard.theme import theme_of
from dashboard.view import to_store

dash.register_page(__name__, path="/live", name="Live", title="Live · Loglake", order=2, icon="▸")

TICK_MS = 800
"""From the answer to one tick to the next tick."""
CHART_SECONDS = 2
GRID = {
    "theme": {"function": "themeBalham.withPart(colorSchemeVariable)"},
    "rowHeight": 24,
    "headerHeight": 28,
    "enableCellTextSelection": True,
    "suppressNoRowsOverlay": True,
    "suppressScrollOnNewData": True,
    "animateRows": False,
    "rowClassRules": {**EDGES, "live-gap": "params.data && params.data.gap"},
}


def feed() -> Feed | None:
    """Return this worker's feed; None for a stack without a stream."""
    found: Feed | None = current_app.extensions.get("loglake-live")
    return found


def layout(**query: Any) -> html.Div:
    return shell.frame(query, "Live", [_facts(), _charts(), _tail(), *_stores()], ("counts",), stands_alone=True)


def _facts() -> html.Div:
    return html.Div(
        [html.Div(className="tile skeleton") for _ in range(4)], id="live-tiles", className="tiles live-tiles"
    )


def _charts() -> html.Div:
    graph = chart("live-rate", "live-rate", 150, ranges=False)
    return html.Div(
        [
            panel("Events per second by level", graph, note="last ten minutes", aside=legend("live-legend")),
            panel("Commonest errors", html.Div(id="live-errors", className="table-scroll"), note="last five minutes"),
        ],
        className="columns live-columns",
    )


def _tail() -> html.Section:
    def button(name: str, text: str, hint: str) -> html.Button:
        return html.Button(text, id=name, type="button", className="text-button small", title=hint)

    tools = html.Div(
        [
            html.Div(
                html.Span("Connecting", className="pill pill-running"),
                id="live-state",
                className="status-parts",
                role="status",
            ),
            html.Div(
                [
                    button("live-pause", "Pause", "hold the rows still and count what comes (l)"),
                    button("live-clear", "Clear", "empty the table; what comes is shown"),
                    button("live-freeze", "Freeze and open in Explore", "this stretch of time in Explore"),
                ],
                className="live-buttons",
            ),
        ],
        className="live-tools",
    )
    grid = dag.AgGrid(
        id="live-grid",
        columnDefs=COLUMNS,
        rowData=[],
        defaultColDef={"resizable": True, "sortable": False, "suppressHeaderMenuButton": True},
        getRowId="params.data.row_id",
        dangerously_allow_code=False,
        dashGridOptions=GRID,
        className="log-grid live-grid",
        style={"height": "100%", "width": "100%"},
    )
    return html.Section([tools, html.Div(id="live-banner"), grid], className="panel rows-panel live-panel")


def _stores() -> list[Any]:
    return [
        dcc.Interval(id="live-tick", interval=TICK_MS),
        dcc.Store(id="live-batch"),
        dcc.Store(id="live-cursor"),
        dcc.Store(id="live-paused", data=False),
        html.Div(id="live-sink", hidden=True),
    ]


@callback(
    Output("live-batch", "data"),
    Output("live-cursor", "data"),
    Output("live-state", "children"),
    Output("live-tiles", "children"),
    Output("live-errors", "children"),
    Output("live-banner", "children"),
    Output({"type": "time-chart", "name": "live-rate"}, "figure"),
    Input("live-tick", "n_intervals"),
    Input("shell-view", "data"),
    Input("live-paused", "data"),
    Input("shell-theme", "data"),
    State("live-cursor", "data"),
    running=[(Output("live-tick", "disabled"), True, False)],  # else a slow answer would be dropped for the next tick
)
def move(_tick: int | None, store: Any, is_paused: bool, theme: str, kept: Any) -> tuple[Any, ...]:
    """Bring what is new. Outputs: rows, cursor, state, tiles, errors, banner, chart."""
    source = feed()
    if source is None:
        text = "It was deployed with IngestMode 'direct', so nothing is live here."
        return no_update, no_update, [], [], None, message("This stack has no stream", text), no_update
    view = ticks.narrowed(shell.view_of(store), access.current().services)
    is_same = bool(kept) and kept["view"] == to_store(view)
    now, drawn_at = time.time(), kept["drawn_at"] if is_same else 0.0
    is_drawn = ctx.triggered_id != "live-tick" or now - drawn_at >= CHART_SECONDS
    try:
        state = source.state()
        found = ticks.tick(source, view, kept["cursor"] if is_same else None, is_paused and is_same)
        slots = source.counts(now - ticks.CHART_SECONDS - 20)
    except LiveError as error:
        return (*[no_update] * 5, message("The live table can't be read", str(error)), no_update)
    facts = ticks.facts(slots, view, state.read_to) if state.word != "none" else None
    return (
        {"rows": list(found.rows), "reset": not is_same} if found.rows or not is_same else no_update,
        {"view": to_store(view), "cursor": found.cursor, "drawn_at": now if is_drawn else drawn_at},
        panels.state_line(state, found, bool(is_paused and is_same)),
        panels.tiles(facts, state),
        panels.errors(facts.errors if facts else ()) if is_drawn else no_update,
        _banner(state),
        figures.rate(slots, view, theme_of(theme), now) if is_drawn else no_update,
    )


def _banner(state: LiveState) -> Any:
    if state.word == "none":
        return message(
            "Nothing has been read yet", "The consumer writes what this page shows.", html.Code("loglake consume")
        )
    return None


clientside_callback(
    ClientsideFunction("live", "apply"),
    Output("live-sink", "children"),
    Input("live-batch", "data"),
)
clientside_callback(
    ClientsideFunction("live", "pause"),
    Output("live-paused", "data"),
    Output("live-pause", "children"),
    Output("live-pause", "className"),
    Input("live-pause", "n_clicks"),
    State("live-paused", "data"),
)
clientside_callback(
    ClientsideFunction("live", "clear"),
    Output("live-sink", "title"),
    Input("live-clear", "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("live", "freeze"),
    Output("live-sink", "className"),
    Input("live-freeze", "n_clicks"),
    State("shell-view", "data"),
    prevent_initial_call=True,
)
