"""What stands around every page: sidebar, header, status line's place, notices and the keyboard help."""

from collections.abc import Sequence

import dash
import dash_bootstrap_components as dbc
from dash import html

from dashboard.access import LOCAL, Person
from dashboard.components.attributes import attributes
from dashboard.components.controls import controls
from dashboard.components.still import still, written
from dashboard.components.views_menu import views_menu
from dashboard.links import href
from dashboard.timerange import Told
from dashboard.view import View, query_string

SHORTCUTS = (
    ("/", "search"),
    ("t", "type a time range"),
    ("r", "refresh"),
    ("d", "light, dark or system"),
    ("g then o e l s a n p q", "go to Overview, Explore, Live, Services, Alerts, Patterns, Pipeline, SQL"),
    ("l", "pause the tail, or go on (Live)"),
    ("j, k", "next row, previous row (Explore)"),
    ("Esc", "close, or cancel the query"),
    ("?", "this help"),
)


def sidebar(view: View, told: Told, title: str, services: Sequence[str] = ()) -> html.Aside:
    """Return pages and controls, showing a view; page links keep it."""
    query = query_string(view)
    pages = [page for page in dash.page_registry.values() if page.get("icon")]
    links = [
        html.A(
            [html.Span(page["icon"], className="nav-icon", **attributes({"aria-hidden": "true"})), page["name"]],
            href=href(page["path"], query),
            className="nav-entry active" if page["name"] == title else "nav-entry",
            title=page["name"],
        )
        for page in pages
    ]
    return html.Aside(
        [
            still(written([html.Span(className="brand-mark"), html.Span("Loglake")]), className="brand"),
            html.Nav(still(written(links)), **attributes({"aria-label": "Pages"})),
            controls(view, told, list(services)),
        ],
        id="shell-sidebar",
        className="sidebar",
        **attributes({"aria-label": "Pages and controls"}),
    )


def header(title: str, told: Told, person: Person) -> html.Header:
    """Return the title, the range in words, and the actions on every page."""

    def button(name: str, text: str, hint: str) -> html.Button:
        classes = f"icon-button {name}"
        return html.Button(
            text, id=name, type="button", className=classes, title=hint, **attributes({"aria-label": hint})
        )

    return html.Header(
        [
            button("shell-menu", "☰", "menu"),
            html.H1(title),
            html.Span(told.label, id="shell-range-label", className="range-label"),
            html.Div(
                [
                    html.Button(
                        "Refresh", id="shell-run", type="button", className="text-button", title="ask again (r)"
                    ),
                    html.Button(
                        "Copy link",
                        id="shell-copy",
                        type="button",
                        className="text-button",
                        title="copy a link to this view",
                    ),
                    views_menu(),
                    button("shell-theme-button", "◐", "light, dark or system (d)"),
                    button("shell-help-button", "?", "keyboard shortcuts"),
                    _person(person),
                ],
                className="header-actions",
            ),
        ],
        className="header",
    )


def _person(person: Person) -> html.Form | None:
    """Return who is logged in and the way out; nothing on a machine where nobody logs in."""
    if person == LOCAL:
        return None
    scope = ", ".join(person.services) or "every service"
    name = html.Span(person.name, className="panel-note", title=f"{person.role} of {scope}")
    out = html.Button("Log out", type="submit", className="text-button small")
    return html.Form([name, out], method="POST", action=dash.get_relative_path("/logout"), className="person")


def status_place(line: str = "") -> html.Div:
    """Return the place of the status line, with what it says already, and the button that cancels."""
    return html.Div(
        [
            still(
                line or written(html.Span("Loading", className="pill pill-running")),
                id="shell-status",
                className="status-parts",
                role="status",
                **attributes({"aria-live": "polite"}),
            ),
            html.Button("Cancel", id="shell-cancel", type="button", className="text-button small", hidden=True),
        ],
        className="status",
    )


def notices(notices: tuple[str, ...]) -> dbc.Alert | None:
    """Return what of the URL was ignored, dismissable; None when nothing was."""
    if not notices:
        return None
    return dbc.Alert(
        ["This link asked for something that was ignored: ", "; ".join(notices)],
        color="warning",
        dismissable=True,
        className="notice",
    )


def keyboard_help() -> dbc.Modal:
    """Return the keyboard shortcuts as a dialog."""
    rows = [html.Tr([html.Td(html.Kbd(keys)), html.Td(what)]) for keys, what in SHORTCUTS]
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Keyboard")),
            dbc.ModalBody(still(written(html.Table(html.Tbody(rows), className="plain-table")))),
        ],
        id="shell-help",
        is_open=False,
    )
