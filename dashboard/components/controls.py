"""The sidebar's controls: time, level, service, search. One set for every page; their ids start with `shell-`."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from catalog.schema import LEVELS, OTHER_LEVEL
from dashboard.components.attributes import attributes
from dashboard.components.still import press, still, written
from dashboard.timerange import Told
from dashboard.view import View

PRESETS = (("15 m", "now-15m"), ("1 h", "now-1h"), ("6 h", "now-6h"), ("24 h", "now-24h"), ("7 d", "now-7d"))


def controls(view: View, told: Told, services: list[str]) -> html.Div:
    """Return the controls, showing a view."""
    return html.Div([time_control(view, told), *filters(view, services)], className="controls")


def time_control(view: View, told: Told) -> html.Div:
    """Return the one time control: arrows, presets, a typed range, and a calendar with times of day."""
    presets = [
        press(
            text,
            "shell-range",
            {"from": start, "to": "now"},
            className="preset" + (" active" if view.time_range.start == start and view.time_range.end == "now" else ""),
        )
        for text, start in PRESETS
    ]
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Time range", htmlFor="shell-range-text", className="control-label"),
                    html.Div(
                        [
                            _icon_button("shell-earlier", "‹", "earlier window"),
                            _icon_button("shell-later", "›", "later window"),
                            _icon_button("shell-zoom-out", "⤢", "zoom out: twice the window"),
                            _icon_button("shell-freeze", "∗", "freeze: make this range absolute, for sharing"),
                        ],
                        className="range-arrows",
                    ),
                ],
                className="control-head",
            ),
            still(
                written(presets),
                className="presets",
                role="group",
                **attributes({"aria-label": "Ranges up to now"}),
            ),
            dbc.Input(
                id="shell-range-text",
                value=told.text,
                debounce=True,
                size="sm",
                autocomplete="off",
                placeholder="now-6h to now-1h",
            ),
            html.Div(id="shell-range-error", className="control-error", role="alert"),
            _calendar(view, told),
        ],
        className="control",
    )


def filters(view: View, services: list[str]) -> list[html.Div]:
    """Return the level and service dropdowns and the search field."""
    return [
        html.Div(
            [
                html.Label("Level", htmlFor="shell-level", className="control-label"),
                dcc.Dropdown(
                    id="shell-level",
                    options=[{"label": level, "value": level} for level in (*reversed(LEVELS), OTHER_LEVEL)],
                    value=list(view.levels),
                    multi=True,
                    searchable=False,
                    maxHeight=260,
                    placeholder="All levels",
                ),
            ],
            className="control",
        ),
        html.Div(
            [
                html.Label("Service", htmlFor="shell-service", className="control-label"),
                dcc.Dropdown(
                    id="shell-service",
                    options=sorted({*services, *view.services}),
                    value=list(view.services),
                    multi=True,
                    placeholder="All services",
                ),
            ],
            className="control",
        ),
        html.Div(
            [
                html.Label("Search in messages", htmlFor="shell-search", className="control-label"),
                dbc.Input(
                    id="shell-search",
                    value=view.search,
                    debounce=True,
                    size="sm",
                    type="search",
                    placeholder="text in the message  ( / )",
                    maxlength="200",
                ),
            ],
            className="control",
        ),
    ]


def _calendar(view: View, told: Told) -> html.Details:
    return html.Details(
        [
            html.Summary("Calendar"),
            dcc.DatePickerRange(
                id="shell-dates",
                start_date=told.first_day,
                end_date=told.last_day,
                display_format="YYYY-MM-DD",
                first_day_of_week=1,
                number_of_months_shown=1,
                minimum_nights=0,
            ),
            html.Div(
                [
                    html.Label(
                        [
                            html.Span("from, time of day", className="visually-hidden"),
                            dbc.Input(id="shell-time-start", type="time", value="00:00", size="sm"),
                        ]
                    ),
                    html.Span("–"),
                    html.Label(
                        [
                            html.Span("to, time of day", className="visually-hidden"),
                            dbc.Input(id="shell-time-end", type="time", value="23:59", size="sm"),
                        ]
                    ),
                    dbc.Button("Apply", id="shell-apply", size="sm", color="primary"),
                ],
                className="calendar-times",
            ),
            dbc.RadioItems(
                id="shell-zone",
                options=[{"label": "UTC", "value": "UTC"}, {"label": "Local time", "value": "local"}],
                value="UTC" if view.zone == "UTC" else "local",
                inline=True,
            ),
        ],
        className="calendar",
        open=True,
    )


def _icon_button(name: str, text: str, hint: str) -> html.Button:
    return html.Button(
        text, id=name, type="button", className="icon-button", title=hint, **attributes({"aria-label": hint})
    )
