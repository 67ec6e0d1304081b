"""The callbacks of the time control, on every page."""

from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from catalog.errors import LoglakeError
from dashboard import shell, timerange
from dashboard.view import View


def register(app: Dash) -> None:
    """Add the time control's callbacks to an application."""
    app.callback(
        Output("shell-range", "data", allow_duplicate=True),
        Output("shell-range-error", "children", allow_duplicate=True),
        Input("shell-typed", "data"),
        State("shell-view", "data"),
        prevent_initial_call=True,
    )(_read_text)
    app.clientside_callback(
        ClientsideFunction("shell", "typed"),
        Output("shell-typed", "data"),
        Output("shell-range-error", "children", allow_duplicate=True),
        Input("shell-range-text", "value"),
        State("shell-told", "data"),
        prevent_initial_call=True,
    )
    app.callback(
        Output("shell-range", "data"),
        Output("shell-range-error", "children"),
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
        Output("shell-told", "data"),
        Output("shell-range-text", "value"),
        Output("shell-range-label", "children"),
        Output("shell-dates", "start_date"),
        Output("shell-dates", "end_date"),
        Input("shell-span", "data"),
        State("shell-view", "data"),
        State("shell-dates", "start_date"),
        State("shell-dates", "end_date"),
        prevent_initial_call=True,
    )(_show_range)


def _read_text(typed: Any, store: Any) -> tuple[Any, str]:
    """Return the range that was typed."""
    text = typed["text"]
    zone = timerange.parse_zone(shell.view_of(store).zone)
    return _checked(lambda: timerange.parse(text, shell.lake().clock(), zone) if text else None, store)


def _choose_range(*others: Any) -> tuple[Any, str]:
    """Return the range that the last touched part of the time control asks for, or why it can't be had."""
    brush, store, *calendar = others[-6:]
    return _checked(lambda: _chosen(brush, shell.view_of(store), calendar), store)


def _checked(choose: Callable[[], timerange.TimeRange | None], store: Any) -> tuple[Any, str]:
    view = shell.view_of(store)
    try:
        chosen = choose() or view.time_range
        timerange.resolve(chosen, shell.lake().clock())
    except LoglakeError as error:
        return no_update, str(error)
    return (no_update if chosen == view.time_range else {"from": chosen.start, "to": chosen.end}), ""


def _chosen(brush: Any, view: View, calendar: list[str]) -> timerange.TimeRange | None:
    now, zone = shell.lake().clock(), timerange.parse_zone(view.zone)
    window = timerange.resolve(view.time_range, now)
    match ctx.triggered_id:
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


def _show_range(_span: Any, store: dict[str, str], *shown_days: str) -> tuple[Any, ...]:
    """Return the range's text twice, its label and its days; days that are shown already are not sent again."""
    view = shell.view_of(store)
    told = timerange.tell(view.time_range, shell.lake().clock(), timerange.parse_zone(view.zone))
    days = (told.first_day, told.last_day)
    return told.text, told.text, told.label, *((no_update, no_update) if days == shown_days else days)
