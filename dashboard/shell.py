"""The shell around every page: sidebar, header, status line, and the callbacks that keep view, URL and data together.

The browser holds the view in the store `shell-view`; one clientside callback writes it and the URL together.
`shell-span` is what of it the cube depends on, `shell-due` the span whose load is due, or the page's own `due`: that
follows once the page is drawn of what is kept. `shell-answer` names the cube that is loaded for that, and `shell-draw`
holds view, answer and theme: what a page is drawn for, as `redraw` tells.
"""

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from flask import current_app, has_request_context, request

from catalog.errors import LoglakeError, QueryError
from dashboard import access, timerange
from dashboard.athena import FAILED, RUNNING
from dashboard.components import chrome
from dashboard.components.panel import message
from dashboard.components.status_line import sampled, status_line
from dashboard.components.still import HTML, written
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.loading import Loaded
from dashboard.state import StateFile
from dashboard.theme import Theme, theme_of
from dashboard.view import View, parse, to_store

POLL_MS = 350
REFRESH_MS = 30_000
DEFAULT_NEEDS = ("counts", "latency")

_CANCELLED = written(
    [
        html.Span("Cancelled", className="pill pill-bad"),
        html.Span("the query was stopped; press Refresh to ask again"),
    ]
)


def lake() -> Lake:
    """Return the application's data source, as whoever asks may see it."""
    found: Lake = current_app.extensions["loglake"]
    return found.scoped(access.current().services)


def state() -> StateFile:
    """Return the application's saved views, alerts and audit log."""
    found: StateFile = current_app.extensions["loglake-state"]
    return found


def now() -> float:
    """Return the time as epoch seconds."""
    return lake().clock().timestamp()


def view_of(store: dict[str, str] | None) -> View:
    """Return the view that the browser's store holds; a default one for nonsense."""
    return parse(store or {}, lake().clock())[0]


@dataclass(frozen=True)
class Opening:
    """What a page opens with: its view, and its cube with its load when all of that is kept already."""

    view: View
    theme: Theme
    loaded: Loaded | None = None
    cube: Cube | None = None

    @property
    def answer(self) -> dict[str, Any] | None:
        """What names the cube for the browser; None when nothing is kept."""
        return _answer(self.loaded, self.view) if self.loaded else None


def frame(
    query: dict[str, Any],
    title: str,
    content: Any,
    needs: tuple[str, ...] = DEFAULT_NEEDS,
    stands_alone: bool = False,
) -> html.Div:
    """Return a whole page: the shell showing the URL's view, around `content`.

    A function as content is given the page's `Opening` and draws at once what is kept: no request needs to follow.
    A page that stands alone has more to show than the cube: it stays when the cube can't be had.
    """
    view, notices = parse({key: str(value) for key, value in query.items() if value is not None}, lake().clock())
    opening = open_kept(view, needs if callable(content) else ())
    loaded = opening.loaded
    told = timerange.tell(view.time_range, lake().clock(), timerange.parse_zone(view.zone))
    page = html.Div(
        [
            *_stores(view, opening, needs, told.text),
            dcc.Interval(id="shell-poll", interval=POLL_MS, disabled=True),
            dcc.Interval(id="shell-refresh", interval=REFRESH_MS),
            chrome.sidebar(view, told, title, opening.cube.services if opening.cube else []),
            html.Main(
                [
                    chrome.header(title, told, access.current()),
                    chrome.status_place(_status(loaded, view) if loaded else ""),
                    chrome.notices(notices),
                    html.Div(id="shell-error"),
                    html.Div(
                        content(opening) if callable(content) else content,
                        id="shell-page",
                        className="page" if loaded else "page first-load",
                    ),
                ],
                className="main stands-alone" if stands_alone else "main",
            ),
            chrome.keyboard_help(),
            html.Div(id="shell-sink", hidden=True),
        ],
        className="shell",
    )
    _only_buttons_count_clicks(page)
    return page


def _stores(view: View, opening: Opening, needs: tuple[str, ...], told: str) -> list[dcc.Store]:
    """Return what the browser keeps of a page: the view, and what it is drawn, loaded and told for."""
    held = {
        "view": to_store(view),
        "draw": asked_for(opening.answer, view, opening.theme),
        "span": span_of(view),
        "due": span_of(view),
        "range": {"from": view.time_range.start, "to": view.time_range.end},
        "facets": {f"f.{name}": "|".join(values) for name, values in view.facets.items()},
        "needs": list(needs),
        "viewer": secrets.token_hex(8),
        "answer": opening.answer,
        "told": told,
    }
    empty = [dcc.Store(id="shell-brush"), dcc.Store(id="shell-typed")]  # one with None in it would call who reads it
    return [*(dcc.Store(id=f"shell-{name}", data=data) for name, data in held.items()), *empty]


def _only_buttons_count_clicks(layout: html.Div) -> None:
    """Keep clicks that nobody asks about from Dash, which tells every component of those on any element with an id."""
    for part in layout._traverse():
        if getattr(part, "_namespace", "") == "dash_html_components" and part._type != "Button":
            part.disable_n_clicks = True


def open_kept(view: View, needs: tuple[str, ...]) -> Opening:
    """Return a view's opening, with the cube if all of it is kept; asks nobody."""
    theme = theme_of(theme_name())
    try:
        loaded = lake().kept_load(view, needs) if needs else None
        return Opening(view, theme, loaded, lake().cube(loaded.token) if loaded else None)
    except LoglakeError:  # what was kept a moment ago has gone: the page asks for it as for any other
        return Opening(view, theme)


def theme_name() -> str:
    """Return the theme that the browser said it shows, in a cookie of `start.js`."""
    return "dark" if has_request_context() and request.cookies.get("loglake_theme") == "dark" else "light"


def asked_for(answer: Any, view: View, theme: Theme) -> dict[str, Any] | None:
    """Return what the page is drawn for; nothing when the live counters have to be drawn in."""
    is_live = current_app.extensions.get("loglake-live") is not None
    return {"answer": answer, "view": to_store(view), "theme": theme.name} if answer and not is_live else None


def register(app: Dash) -> None:
    """Add the shell's callbacks to an application."""
    _register_view(app)
    _register_chrome(app)
    app.callback(
        Output("shell-answer", "data"),
        Output("shell-status", HTML),
        Output("shell-poll", "disabled"),
        Output("shell-page", "className"),
        Output("shell-service", "options"),
        Output("shell-cancel", "hidden"),
        Output("shell-error", "children"),
        Input("shell-due", "data"),
        Input({"type": "due", "page": ALL}, "data"),
        Input("shell-poll", "n_intervals"),
        Input("shell-refresh", "n_intervals"),
        Input("shell-run", "n_clicks"),
        Input("shell-cancel", "n_clicks"),
        State("shell-view", "data"),
        State("shell-needs", "data"),
        State("shell-viewer", "data"),
        State("shell-answer", "data"),
    )(_load)


def _clientside(app: Dash, name: str, *dependencies: Any, **arguments: Any) -> None:
    app.clientside_callback(ClientsideFunction("shell", name), *dependencies, **arguments)


def _register_view(app: Dash) -> None:
    """Let the browser keep the view, and what follows from it."""
    clientside = partial(_clientside, app)
    shown = State({"type": "shown", "page": ALL}, "data")
    clientside(
        "writeView",
        Output("shell-view", "data"),
        Output("shell-span", "data"),
        Output("shell-due", "data"),
        Output("shell-draw", "data"),
        Input("shell-range", "data"),
        Input("shell-level", "value"),
        Input("shell-service", "value"),
        Input("shell-search", "value"),
        Input("shell-zone", "value"),
        Input("shell-facets", "data"),
        State("shell-view", "data"),
        State("shell-due", "data"),
        State({"type": "due", "page": ALL}, "data"),
        State("shell-answer", "data"),
        State("shell-theme", "data"),
        State("shell-draw", "data"),
        shown,
        prevent_initial_call=True,
    )
    clientside(
        "ask",
        Output("shell-sink", "className"),
        Input("shell-answer", "data"),
        Input("shell-theme", "data"),
        State("shell-draw", "data"),
        State("shell-view", "data"),
        shown,
    )


def _register_chrome(app: Dash) -> None:
    """Let the browser keep the theme and the help."""
    clientside = partial(_clientside, app)
    clientside(
        "theme", Output("shell-theme", "data"), Input("shell-theme-button", "n_clicks"), State("shell-theme", "data")
    )
    clientside("copyLink", Output("shell-sink", "children"), Input("shell-copy", "n_clicks"), prevent_initial_call=True)
    clientside(
        "help", Output("shell-help", "is_open"), Input("shell-help-button", "n_clicks"), prevent_initial_call=True
    )


def _load(
    _due: Any,
    _pages_due: Any,
    _poll: Any,
    _refresh: Any,
    _run: Any,
    _cancel: Any,
    store: Any,
    needs: list[str],
    viewer: str,
    answer: Any,
) -> tuple[Any, ...]:
    """Move the view's cube on. Outputs: answer, status line, poll off, page's class, services, cancel hidden, error."""
    view, source = view_of(store), lake()
    if ctx.triggered_id == "shell-cancel":
        source.cancel(view, needs, viewer)
        return no_update, _CANCELLED, True, "page", no_update, True, no_update
    try:
        since = source.clock() if ctx.triggered_id == "shell-run" else None
        loaded = source.load(view, needs, viewer, since=since)
    except LoglakeError as error:
        loaded = Loaded(FAILED, timerange.resolve(view.time_range, source.clock()), error=str(error))
    line = _status(loaded, view, bool(answer))
    if loaded.token:
        return _finished(loaded, line, view, answer)
    if loaded.state == RUNNING:
        return no_update, line, False, "page waiting" + ("" if answer else " first-load"), no_update, False, None
    return no_update, line, True, "page" if answer else "page failed", no_update, True, _failure(loaded)


def _status(loaded: Loaded, view: View, has_previous: bool = True) -> str:
    parts = status_line(loaded, lake().clock().timestamp(), view.zone, has_previous)
    return written([*parts, *sampled(loaded.window, lake().compare_from, view.zone)])


def span_of(view: View) -> dict[str, str]:
    """Return what of a view its cube depends on: everything else is a slice of the cube."""
    return {"from": view.time_range.start, "to": view.time_range.end, "tz": view.zone}


def _answer(loaded: Loaded, view: View) -> dict[str, Any]:
    moments = [loaded.window.start.timestamp(), loaded.window.end.timestamp()]
    return {"token": loaded.token, "window": moments, "from": view.time_range.start, "to": view.time_range.end}


def _finished(loaded: Loaded, line: Any, view: View, answer: Any) -> tuple[Any, ...]:
    changed = _answer(loaded, view)
    cube = lake().cube(loaded.token)
    services = sorted({*cube.services, *view.services})
    empty = None if cube.services else _nothing(loaded)
    poll_is_off = not loaded.is_revalidating
    return (no_update if changed == answer else changed), line, poll_is_off, "page", services, True, empty


def _failure(loaded: Loaded) -> html.Div:
    execution = f"execution {loaded.execution_id}" if loaded.execution_id else "no execution was started"
    return message("Athena did not answer", loaded.error, html.Span(f"{execution}; press Refresh to ask again"))


def _nothing(loaded: Loaded) -> html.Div:
    """Say why there is nothing: a range without events, or a lake without data."""
    if loaded.complete_to is None:
        return message(
            "Nothing is curated yet",
            "The minute rollup is empty. The curation job fills it on its schedule, or now: loglake curate",
        )
    return message(
        "No events in this range",
        f"The lake is complete to {loaded.complete_to:%Y-%m-%d %H:%M:%S} UTC; choose an earlier range, or a wider one.",
    )


def loaded_cube(answer: dict[str, Any] | None) -> Any:
    """Return the cube that a page's answer names; raise `QueryError` when nothing is loaded yet."""
    if not answer:
        raise QueryError("nothing is loaded yet")
    return lake().cube(answer["token"])
