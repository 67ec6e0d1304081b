"""SQL: the named queries, run as they are, and their rows."""

from typing import Any

import dash
import dash_ag_grid as dag
from dash import ALL, Input, Output, State, callback, ctx, html, no_update

from catalog.errors import LoglakeError
from catalog.named_queries import NamedQuery, named_queries, named_query
from dashboard import shell
from dashboard.athena import read_csv
from dashboard.components.panel import message, panel
from dashboard.statements import Statement
from dashboard.wording import age, count, dollars, size

dash.register_page(__name__, path="/sql", name="SQL", title="SQL · Loglake", order=4, icon="⌘")

SHOWN_ROWS = 1000
WAIT_SECONDS = 40.0


def layout(**query: Any) -> html.Div:
    queries = named_queries()
    entries = [_entry(found, place == 0) for place, found in enumerate(queries)]
    listed = panel("Named queries", html.Div(entries, className="query-list"), note="catalog/queries")
    tools = html.Div(
        [
            html.Button("Run", id="sql-run", type="button", className="text-button"),
            html.Span(id="sql-facts", className="panel-note", role="status"),
        ],
        className="sql-tools",
    )
    shown = panel(
        "Query",
        html.Div([html.Pre(queries[0].sql, id="sql-text", className="sql-text mono"), tools, html.Div(id="sql-rows")]),
    )
    name = html.Span(queries[0].name, id="sql-name", hidden=True)
    return shell.frame(query, "SQL", [html.Div([listed, shown, name], className="sql-columns")], ("counts",))


@callback(
    Output("sql-name", "children"),
    Output("sql-text", "children"),
    Output("sql-rows", "children", allow_duplicate=True),
    Output("sql-facts", "children", allow_duplicate=True),
    Output({"type": "sql-query", "name": ALL}, "className"),
    Input({"type": "sql-query", "name": ALL}, "n_clicks"),
    State({"type": "sql-query", "name": ALL}, "id"),
    prevent_initial_call=True,
)
def choose(clicks: list[Any], ids: list[dict[str, str]]) -> Any:
    if not ctx.triggered_id or not any(clicks):
        return no_update, no_update, no_update, no_update, [no_update] * len(ids)
    chosen = named_query(ctx.triggered_id["name"])
    classes = ["query-entry active" if identity["name"] == chosen.name else "query-entry" for identity in ids]
    return chosen.name, chosen.sql, None, "", classes


@callback(
    Output("sql-rows", "children"),
    Output("sql-facts", "children"),
    Input("sql-run", "n_clicks"),
    State("sql-name", "children"),
    State("shell-viewer", "data"),
    prevent_initial_call=True,
    running=[(Output("sql-run", "disabled"), True, False), (Output("sql-facts", "children"), "Athena is reading…", "")],
)
def run(clicks: Any, name: str, viewer: str) -> Any:
    """Run the query of that name; a name that is none of ours is refused."""
    if not clicks:
        return no_update, no_update
    lake = shell.lake()
    try:
        answer = lake.ask(Statement(named_query(name).sql), viewer, 60.0, WAIT_SECONDS)
    except LoglakeError as error:
        return message("The query did not answer", str(error)), ""
    header, found = read_csv(answer.content or b"")
    seconds = lake.clock().timestamp() - answer.asked_at
    shown = (
        f"first {SHOWN_ROWS:,} of {count(len(found))} rows" if len(found) > SHOWN_ROWS else f"{count(len(found))} rows"
    )
    cost = f"{size(answer.scanned_bytes)} scanned · {dollars(answer.scanned_bytes)} · {answer.engine_ms / 1000:.1f} s"
    content = (
        _grid(list(header), found[:SHOWN_ROWS]) if found else message("No rows", "The query answered with nothing.")
    )
    return content, f"{shown} · {cost} · {age(seconds)} old"


def _grid(header: list[str], found: list[list[str | None]]) -> dag.AgGrid:
    """Return rows as text in a grid; columns go by number, for a name may hold what a field path would cut."""
    columns = [
        {"field": f"c{place}", "headerName": name, "flex": 1, "minWidth": 120, "cellClass": "mono"}
        for place, name in enumerate(header)
    ]
    rows = [{f"c{place}": value for place, value in enumerate(row)} for row in found]
    return dag.AgGrid(
        columnDefs=columns,
        rowData=rows,
        defaultColDef={"resizable": True, "sortable": True},
        dashGridOptions={
            "theme": {"function": "themeBalham.withPart(colorSchemeVariable)"},
            "rowHeight": 24,
            "headerHeight": 28,
            "enableCellTextSelection": True,
        },
        className="log-grid",
        style={"height": f"{min(520, 36 + 25 * len(rows))}px", "width": "100%"},
    )


def _entry(found: NamedQuery, is_first: bool) -> html.Button:
    parts = [html.Span(found.name, className="query-name"), html.Span(found.description, className="query-about")]
    return html.Button(
        parts,
        id={"type": "sql-query", "name": found.name},
        type="button",
        className="query-entry active" if is_first else "query-entry",
    )
