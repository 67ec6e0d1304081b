"""The shell around every page: sidebar, header, status line, and the callbacks that keep view, URL and data together.

The browser holds the view in the store `shell-view`; one clientside callback writes it and the URL together.
`shell-answer` names the cube that is loaded for it: pages draw from these two.
"""

import secrets
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from flask import current_app

from catalog.errors import LoglakeError, QueryError
from dashboard import access, timerange
from dashboard.athena import FAILED, RUNNING
from dashboard.components import chrome
from dashboard.components.panel import message
from dashboard.components.status_line import status_line
from dashboard.lake import Lake
from dashboard.loading import Loaded
from dashboard.state import StateFile
from dashboard.view import View, parse, to_store

POLL_MS = 350
REFRESH_MS = 30_000
DEFAULT_NEEDS = ("counts", "latency")

_CANCELLED = [
    html.Span("Cancelled", className="pill pill-bad"),
    html.Span("the query was stopped; press Refresh to ask again"),
]


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


def frame(
    query: dict[str, Any],
    title: str,
    content: Any,
    needs: tuple[str, ...] = DEFAULT_NEEDS,
    stands_alone: bool = False,
) -> html.Div:
    """Return a whole page: the shell showing the URL's view, around `content`.

    A page that stands alone has more to show than the cube: it stays when the cube can't be had.
    """
    view, notices = parse({key: str(value) for key, value in query.items() if value is not None}, lake().clock())
    return html.Div(
        [
            dcc.Store(id="shell-view", data=to_store(view)),
            dcc.Store(id="shell-range", data={"from": view.time_range.start, "to": view.time_range.end}),
            dcc.Store(id="shell-facets", data={f"f.{name}": "|".join(values) for name, values in view.facets.items()}),
            dcc.Store(id="shell-needs", data=list(needs)),
            dcc.Store(id="shell-viewer", data=secrets.token_hex(8)),
            dcc.Store(id="shell-answer"),
            dcc.Store(id="shell-brush"),
            dcc.Interval(id="shell-poll", interval=POLL_MS, disabled=True),
            dcc.Interval(id="shell-refresh", interval=REFRESH_MS),
            chrome.sidebar(view, title),
            html.Main(
                [
                    chrome.header(title, access.current()),
                    chrome.status_place(),
                    chrome.notices(notices),
                    html.Div(id="shell-error"),
                    html.Div(content, id="shell-page", className="page first-load"),
                ],
                className="main stands-alone" if stands_alone else "main",
            ),
            chrome.keyboard_help(),
            html.Div(id="shell-sink", hidden=True),
        ],
        className="shell",
    )


def register(app: Dash) -> None:
    """Add the shell's callbacks to an application."""
    _register_clientside(app)
    app.callback(
        Output("shell-answer", "data"),
        Output("shell-status", "children"),
        Output("shell-poll", "disabled"),
        Output("shell-page", "className"),
        Output("shell-service", "options"),
        Output("shell-cancel", "hidden"),
        Output("shell-error", "children"),
        Input("shell-view", "data"),
        Input("shell-poll", "n_intervals"),
        Input("shell-refresh", "n_intervals"),
        Input("shell-run", "n_clicks"),
        Input("shell-cancel", "n_clicks"),
        State("shell-needs", "data"),
        State("shell-viewer", "data"),
        State("shell-answer", "data"),
    )(_load)
    app.callback(
        Output("shell-range", "data"),
        Output("shell-range-error", "children"),
        Input("shell-range-text", "value"),
        Input("shell-apply", "n_clicks"),
        Input("shell-earlier", "n_clicks"),
        Input("shell-later", "n_clicks"),
        Input("shell-zoom-out", "n_clicks"),
        Input("shell-freeze", "n_clicks"),
        Input("shell-brush", "data"),
        State("shell-view", "data"),
        State("shell-dates", "start_date"),
        State("shell-dates", "end_date"),
        State("shell-time-start", "value"),
        State("shell-time-end", "value"),
        prevent_initial_call=True,
    )(_choose_range)
    app.callback(
        Output("shell-range-text", "value"),
        Output("shell-range-label", "children"),
        Output("shell-dates", "start_date"),
        Output("shell-dates", "end_date"),
        Input("shell-view", "data"),
    )(_show_range)


def _register_clientside(app: Dash) -> None:
    def clientside(name: str, *dependencies: Any, **arguments: Any) -> None:
        app.clientside_callback(ClientsideFunction("shell", name), *dependencies, **arguments)

    clientside(
        "writeView",
        Output("shell-view", "data"),
        Input("shell-range", "data"),
        Input("shell-level", "value"),
        Input("shell-service", "value"),
        Input("shell-search", "value"),
        Input("shell-zone", "value"),
        Input("shell-facets", "data"),
        State("shell-view", "data"),
        prevent_initial_call=True,
    )
    clientside(
        "preset",
        Output("shell-range", "data", allow_duplicate=True),
        Input({"type": "shell-preset", "start": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    clientside(
        "brush",
        Output("shell-brush", "data"),
        Input({"type": "time-chart", "name": ALL}, "relayoutData"),
        prevent_initial_call=True,
    )
    clientside(
        "links",
        Output({"type": "shell-nav", "path": ALL}, "href"),
        Input("shell-view", "data"),
        State({"type": "shell-nav", "path": ALL}, "id"),
    )
    clientside("theme", Output("shell-theme", "data"), Input("shell-theme-button", "n_clicks"))
    clientside("copyLink", Output("shell-sink", "children"), Input("shell-copy", "n_clicks"), prevent_initial_call=True)
    clientside(
        "menu", Output("shell-sidebar", "className"), Input("shell-menu", "n_clicks"), Input("shell-view", "data")
    )
    clientside(
        "help", Output("shell-help", "is_open"), Input("shell-help-button", "n_clicks"), prevent_initial_call=True
    )
    clientside(
        "presetsShown",
        Output({"type": "shell-preset", "start": ALL}, "className"),
        Input("shell-view", "data"),
        State({"type": "shell-preset", "start": ALL}, "id"),
    )


def _load(
    store: Any, _poll: Any, _refresh: Any, _run: Any, _cancel: Any, needs: list[str], viewer: str, answer: Any
) -> tuple[Any, ...]:
    """Move the view's cube on. Outputs: answer, status line, poll off, page's class, services, cancel hidden, error."""
    view, source = view_of(store), lake()
    if ctx.triggered_id == "shell-cancel":
        source.cancel(view, needs, viewer)
        return no_update, _CANCELLED, True, "page", no_update, True, no_update
    try:
        loaded = source.load(view, needs, viewer, fresh=ctx.triggered_id == "shell-run")
    except LoglakeError as error:
        loaded = Loaded(FAILED, timerange.resolve(view.time_range, source.clock()), error=str(error))
    line = status_line(loaded, source.clock().timestamp(), view.zone, bool(answer))
    if loaded.token:
        return _finished(loaded, line, view, answer)
    if loaded.state == RUNNING:
        return no_update, line, False, "page waiting" + ("" if answer else " first-load"), no_update, False, None
    return no_update, line, True, "page" if answer else "page failed", no_update, True, _failure(loaded)


def _finished(loaded: Loaded, line: Any, view: View, answer: Any) -> tuple[Any, ...]:
    changed = {"token": loaded.token, "window": [loaded.window.start.timestamp(), loaded.window.end.timestamp()]}
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


def _choose_range(text: str, *others: Any) -> tuple[Any, str]:
    """Return the range that the last touched part of the time control asks for, or why it can't be had."""
    brush, store, *calendar = others[-6:]
    view = view_of(store)
    try:
        chosen = _chosen(text, brush, view, calendar) or view.time_range
        timerange.resolve(chosen, lake().clock())
    except LoglakeError as error:
        return no_update, str(error)
    return (no_update if chosen == view.time_range else {"from": chosen.start, "to": chosen.end}), ""


def _chosen(text: str, brush: Any, view: View, calendar: list[str]) -> timerange.TimeRange | None:
    now, zone = lake().clock(), timerange.parse_zone(view.zone)
    window = timerange.resolve(view.time_range, now)
    match ctx.triggered_id:
        case "shell-range-text":
            return timerange.parse(text, now, zone) if text else None
        case "shell-apply":
            return timerange.parse(f"{calendar[0]} {calendar[2]} to {calendar[1]} {calendar[3]}", now, zone)
        case "shell-brush":
            return timerange.parse(f"{brush[0][:19]} to {brush[1][:19]}", now, zone) if brush else timerange.TimeRange()
        case "shell-earlier":
            return timerange.shift(window, -1)
        case "shell-later":
            return timerange.shift(window, 1)
        case "shell-zoom-out":
            return timerange.zoom_out(window, now)
        case "shell-freeze":
            return timerange.absolute(window)
    return None


def _show_range(store: dict[str, str]) -> tuple[str, str, str, str]:
    view = view_of(store)
    zone = timerange.parse_zone(view.zone)
    window = timerange.resolve(view.time_range, lake().clock())
    start, end = (moment.astimezone(zone) for moment in (window.start, window.end))
    text = f"{view.time_range.start} to {view.time_range.end}"
    if not view.time_range.is_relative:
        text = f"{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
    same_day = start.date() == end.date()
    label = f"{start:%a %d %b %H:%M} – {end:%H:%M}" if same_day else f"{start:%a %d %b %H:%M} – {end:%a %d %b %H:%M}"
    return text, label, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"


def loaded_cube(answer: dict[str, Any] | None) -> Any:
    """Return the cube that a page's answer names; raise `QueryError` when nothing is loaded yet."""
    if not answer:
        raise QueryError("nothing is loaded yet")
    return lake().cube(answer["token"])
