"""The menu of saved views in the header: open one, save this one, remove one."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard.components.attributes import attributes
from dashboard.links import href
from dashboard.saved_views import SavedView


def views_menu() -> html.Details:
    """Return the menu; its list is filled when it is opened or changed."""
    return html.Details(
        [
            html.Summary("Views", className="text-button", title="saved views"),
            html.Div(
                [
                    html.Div(id="shell-views", className="view-list"),
                    html.Label(
                        [html.Span("Save what you see as", className="control-label"), _name()], className="form-field"
                    ),
                    dbc.Checkbox(id="shell-view-shared", label="for everybody", value=False),
                    html.Button("Save", id="shell-view-save", type="button", className="text-button small"),
                    html.Div(id="shell-view-problem", className="control-error", role="alert"),
                ],
                className="menu-card",
            ),
        ],
        id="shell-views-menu",
        className="menu",
    )


def view_list(views: Sequence[SavedView], person: str, is_admin: bool) -> list[html.Div]:
    """Return the views, each a link, with a button to remove those that may be."""
    return [_entry(view, view.owner == person or (is_admin and view.is_shared)) for view in views] or [
        html.Div("none saved yet", className="panel-note")
    ]


def _entry(view: SavedView, may_remove: bool) -> html.Div:
    note = "everybody's" if view.is_shared else "yours"
    parts: list[Any] = [
        dcc.Link(view.name, href=href(view.page, view.query), className="service-link", title=f"{note}: {view.page}")
    ]
    if view.is_shared:
        parts.append(html.Span("shared", className="stage-tag"))
    if may_remove:
        hint = attributes({"aria-label": f"remove the view {view.name}"})
        parts.append(
            html.Button(
                "×", id={"type": "shell-view-remove", "id": view.id}, type="button", className="chip-remove", **hint
            )
        )
    return html.Div(parts, className="view-entry")


def _name() -> dbc.Input:
    return dbc.Input(id="shell-view-name", size="sm", autocomplete="off", maxlength="60")
