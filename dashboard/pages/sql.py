"""SQL: the named queries with their parameters, an editor for those allowed, and the rows that come back."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, html, no_update

from catalog.errors import LoglakeError
from catalog.named_queries import NamedQuery, Parameter, named_queries, named_query
from dashboard import access, parameters, shell
from dashboard.athena import read_csv
from dashboard.components.panel import message, panel
from dashboard.components.result_grid import result_grid
from dashboard.guard import DearQueryError
from dashboard.statements import Statement, reading
from dashboard.timerange import parse_zone
from dashboard.wording import age, count, dollars, size

dash.register_page(__name__, path="/sql", name="SQL", title="SQL · Loglake", order=7, icon="⌘")

SHOWN_ROWS = 1000
WAIT_SECONDS = 40.0
EDITOR = NamedQuery("write your own", "One statement that reads, in Athena's SQL.", "")


def layout(**query: Any) -> html.Div:
    queries = named_queries()
    person = access.current()
    if person.services:
        words = f"Queries read every service, and {person.name} may see {', '.join(person.services)}."
        return shell.frame(
            query, "SQL", [panel("SQL", message("Not for everybody", words))], ("counts",), stands_alone=True
        )
    entries = [_entry(found, place == 0) for place, found in enumerate(queries)]
    if person.may("admin"):
        entries.append(_entry(EDITOR, False))
    listed = panel("Named queries", html.Div(entries, className="query-list"), note="catalog/queries")
    tools = html.Div(
        [
            html.Button("Run", id="sql-run", type="button", className="text-button"),
            dbc.Checkbox(id="sql-anyway", label="even if it is dear", value=False),
            html.Span(id="sql-facts", className="panel-note", role="status"),
        ],
        className="sql-tools",
    )
    chosen = queries[0]
    parts = [
        html.Pre(_text(chosen), id="sql-text", className="sql-text mono"),
        html.Div(_editor(), id="sql-editor-place", hidden=True),
        html.Div(_inputs(chosen), id="sql-parameters", className="sql-parameters"),
        tools,
        html.Div(id="sql-rows"),
    ]
    name = html.Span(chosen.name, id="sql-name", hidden=True)
    content = html.Div([listed, panel("Query", html.Div(parts)), name], className="sql-columns")
    return shell.frame(query, "SQL", [content], ("counts",), stands_alone=True)


@callback(
    Output("sql-name", "children"),
    Output("sql-text", "children"),
    Output("sql-text", "hidden"),
    Output("sql-editor-place", "hidden"),
    Output("sql-parameters", "children"),
    Output("sql-rows", "children", allow_duplicate=True),
    Output("sql-facts", "children", allow_duplicate=True),
    Output({"type": "sql-query", "name": ALL}, "className"),
    Input({"type": "sql-query", "name": ALL}, "n_clicks"),
    State({"type": "sql-query", "name": ALL}, "id"),
    prevent_initial_call=True,
)
def choose(clicks: list[Any], ids: list[dict[str, str]]) -> Any:
    if not ctx.triggered_id or not any(clicks):
        return *(no_update,) * 7, [no_update] * len(ids)
    name = ctx.triggered_id["name"]
    is_editor = name == EDITOR.name
    chosen = EDITOR if is_editor else named_query(name)
    classes = ["query-entry active" if identity["name"] == chosen.name else "query-entry" for identity in ids]
    return chosen.name, _text(chosen), is_editor, not is_editor, _inputs(chosen), None, "", classes


@callback(
    Output("sql-rows", "children"),
    Output("sql-facts", "children"),
    Input("sql-run", "n_clicks"),
    State("sql-name", "children"),
    State({"type": "sql-parameter", "query": ALL, "place": ALL}, "value"),
    State("sql-editor", "value"),
    State("sql-anyway", "value"),
    State("shell-viewer", "data"),
    State("shell-view", "data"),
    prevent_initial_call=True,
    running=[(Output("sql-run", "disabled"), True, False), (Output("sql-facts", "children"), "Athena is reading…", "")],
)
def run(clicks: Any, name: str, values: list[str | None], written: str, anyway: bool, viewer: str, store: Any) -> Any:
    """Run the query of that name, or what an admin wrote; a name that is none of ours is refused."""
    if not clicks:
        return no_update, no_update
    try:
        access.require_all_services("running SQL")
        if name == EDITOR.name:
            access.require("admin", "writing SQL")
            statement = reading(written or "")
        else:
            statement = _statement(named_query(name), values, shell.view_of(store).zone)
        return _answered(statement, bool(anyway), viewer)
    except DearQueryError as error:
        return message("This query is dear", str(error), html.Span("tick 'even if it is dear' to run it")), ""
    except LoglakeError as error:
        return message("The query did not answer", str(error)), ""


def _text(query: NamedQuery) -> str:
    """Return a named query as it is asked of this lake's own database."""
    return query.sql(shell.lake().engine.database)


def _statement(query: NamedQuery, values: list[str | None], zone: str) -> Statement:
    now = shell.lake().clock()
    return Statement(_text(query), parameters.literals(query.parameters, values, now, parse_zone(zone)))


def _answered(statement: Statement, is_confirmed: bool, viewer: str) -> tuple[Any, str]:
    lake = shell.lake()
    lake.guard.check_sql(statement.sql, lake.tables(), is_confirmed)
    answer = lake.ask(statement, viewer, 60.0, WAIT_SECONDS)
    header, found = read_csv(answer.content or b"")
    seconds = lake.clock().timestamp() - answer.asked_at
    shown = (
        f"first {SHOWN_ROWS:,} of {count(len(found))} rows" if len(found) > SHOWN_ROWS else f"{count(len(found))} rows"
    )
    cost = f"{size(answer.scanned_bytes)} scanned · {dollars(answer.scanned_bytes)} · {answer.engine_ms / 1000:.1f} s"
    content = (
        result_grid(list(header), found[:SHOWN_ROWS])
        if found
        else message("No rows", "The query answered with nothing.")
    )
    return content, f"{shown} · {cost} · {age(seconds)} old"


def _editor() -> dbc.Textarea:
    return dbc.Textarea(
        id="sql-editor",
        value="SELECT service, level, sum(event_count) AS events\nFROM log_minutes\nGROUP BY 1, 2\nORDER BY 3 DESC",
        rows=8,
        className="mono",
        persistence=True,
        persistence_type="session",
        title="one statement that reads",
    )


def _inputs(query: NamedQuery) -> list[html.Label]:
    return [_input(query.name, parameter, place) for place, parameter in enumerate(query.parameters)]


def _input(query: str, parameter: Parameter, place: int) -> html.Label:
    field = dbc.Input(
        id={"type": "sql-parameter", "query": query, "place": place},
        value=parameter.default,
        placeholder=parameters.PLACEHOLDERS[parameter.type],
        size="sm",
        autocomplete="off",
        maxlength="300",
    )
    words = f" {parameter.type}: {parameter.description}"
    return html.Label([html.Span([html.B(parameter.name), words], className="control-label"), field])


def _entry(found: NamedQuery, is_first: bool) -> html.Button:
    parts = [html.Span(found.name, className="query-name"), html.Span(found.description, className="query-about")]
    return html.Button(
        parts,
        id={"type": "sql-query", "name": found.name},
        type="button",
        className="query-entry active" if is_first else "query-entry",
    )
