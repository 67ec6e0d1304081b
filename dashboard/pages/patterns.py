"""Patterns: what the messages say with their numbers and ids left open: which is new, which rises, which is gone."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, dcc, html, no_update

from catalog.errors import LoglakeError
from dashboard import rankings, shell
from dashboard.components import detail
from dashboard.components.panel import message, panel
from dashboard.components.patterns_table import patterns_table
from dashboard.components.still import HTML, written
from dashboard.theme import theme_of
from dashboard.timerange import Window
from dashboard.view import View
from dashboard.wording import count, from_epoch

dash.register_page(__name__, path="/patterns", name="Patterns", title="Patterns · Loglake", order=4, icon="≋")

NEEDS = ("counts", "patterns")
SHOWN = 100
EXAMPLES = 5
ORDERS = (("most", "Most events"), ("new", "New in this range"), ("rising", "Rising"), ("gone", "Gone"))


def layout(**query: Any) -> html.Div:
    orders = dbc.RadioItems(
        id="patterns-order",
        options=[{"label": text, "value": value} for value, text in ORDERS],
        value="most",
        inline=True,
        className="segments",
        persistence=True,
        persistence_type="session",
    )
    table = html.Div(id="patterns-table", className="table-scroll skeleton-block")
    parts = [
        panel(
            "Message patterns",
            html.Div([html.Div(id="patterns-note", className="panel-note", role="status"), table]),
            aside=orders,
        ),
        panel("Examples", html.Div(id="patterns-shown"), note="the newest messages of the pattern you choose"),
        dcc.Store(id="patterns-chosen"),
    ]
    return shell.frame(query, "Patterns", parts, NEEDS)


@callback(
    Output("patterns-table", HTML),
    Output("patterns-table", "className"),
    Output("patterns-note", "children"),
    Input("shell-answer", "data"),
    Input("shell-view", "data"),
    Input("shell-theme", "data"),
    Input("patterns-order", "value"),
)
def draw_table(answer: Any, store: Any, theme: str, order: str) -> Any:
    if not answer:
        return no_update, no_update, no_update
    view = shell.view_of(store)
    try:
        table = rankings.by_pattern(shell.loaded_cube(answer), view)
    except LoglakeError as error:
        return written(message("The patterns could not be read", str(error))), "table-scroll", ""
    shown = table[table["events"] > 0] if order == "most" else table[table["verdict"] == order]
    if shown.empty:
        return written(_nothing(order)), "table-scroll", _note(table)
    rows = patterns_table(shown.head(SHOWN).to_dict("records"), view, theme_of(theme))
    return written(rows), "table-scroll", _note(table)


@callback(
    Output("patterns-shown", "children"),
    Input("patterns-chosen", "data"),
    State("shell-view", "data"),
    State("shell-answer", "data"),
    State("shell-viewer", "data"),
    prevent_initial_call=True,
)
def show_examples(chosen: Any, store: Any, answer: Any, viewer: str) -> Any:
    if not chosen or not answer:
        return no_update
    view = shell.view_of(store)
    asked = View(view.time_range, (chosen["level"],), view.services, facets={"pattern_id": (chosen["id"],)})
    window = Window(*(from_epoch(moment) for moment in answer["window"]))
    try:
        services = shell.loaded_cube(answer).services
        found = shell.lake().rows_below(asked, window, services, None, viewer, answer["token"], EXAMPLES)
    except LoglakeError as error:
        return message("The examples could not be read", str(error))
    return (
        detail.context(found, None) if found else message("No rows", "The table of rows holds none of them any more.")
    )


def _note(table: Any) -> str:
    new, rising, gone = (int((table["verdict"] == word).sum()) for word in ("new", "rising", "gone"))
    seen = int((table["events"] > 0).sum())
    more = f"; the first {SHOWN} are shown" if seen > SHOWN else ""
    return f"{count(seen)} patterns, {new} new, {rising} rising, {gone} gone against the period before{more}"


def _nothing(order: str) -> html.Div:
    if order == "most":
        return message(
            "No patterns in this range", "The rollup counts patterns since the job writes them; try a later range."
        )
    return message(f"Nothing is {order}", "Every pattern of this range is as common as in the period before it.")
