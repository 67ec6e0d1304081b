"""The callbacks of the saved-views menu, on every page."""

from typing import Any

import dash
from dash import ALL, Dash, Input, Output, State, ctx, no_update

from catalog.errors import LoglakeError
from dashboard import access, audit, saved_views, shell
from dashboard.components.views_menu import view_list
from dashboard.view import query_string


def register(app: Dash) -> None:
    """Add the menu's callbacks to an application."""
    app.callback(
        Output("shell-views", "children"),
        Output("shell-view-problem", "children"),
        Output("shell-view-name", "value"),
        Input("shell-view-save", "n_clicks"),
        Input({"type": "shell-view-remove", "id": ALL}, "n_clicks"),
        State("shell-view-name", "value"),
        State("shell-view-shared", "value"),
        State("shell-view", "data"),
        State("_pages_location", "pathname"),
    )(_change)


def _change(save: Any, removals: list[Any], name: str, is_shared: bool, store: Any, path: str) -> Any:
    """Save or remove a view, or only list them; what is wrong is said beside the list."""
    person, state = access.current(), shell.state()
    problem = ""
    cleared: Any = no_update
    try:
        if ctx.triggered_id == "shell-view-save" and save:
            page = "/" + (dash.strip_relative_path(path) or "")
            query = query_string(shell.view_of(store))
            saved_views.save(state, person.name, name or "", page, query, bool(is_shared), shell.now())
            audit.record(state, person.name, "view save", name)
            cleared = ""
        elif isinstance(ctx.triggered_id, dict) and any(removals):
            saved_views.remove(state, person.name, ctx.triggered_id["id"], person.may("admin"))
    except LoglakeError as error:
        problem = str(error)
    return view_list(saved_views.visible(state, person.name), person.name, person.may("admin")), problem, cleared
