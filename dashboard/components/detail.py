"""The drawer of one log row: its fields, as JSON, and what surrounded it. A log line is text, whatever it says."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from catalog.errors import SchemaError
from catalog.schema import EVENT_COLUMNS, parse_timestamp, told_level, told_text
from dashboard.components.facets import choose
from dashboard.links import href
from dashboard.view import FACETS, is_askable
from dashboard.wording import NOTHING, duration

REQUIRED = tuple(column.name for column in EVENT_COLUMNS if column.required)
"""The fields that are shown even when they are missing: an event must have them."""
MAX_TIME_CHARS = 40


def detail(record: Mapping[str, str | None], query: str) -> list[Any]:
    """Return the drawer's content; `query` is the row's own link."""
    pretty = pretty_json(record)
    fields = [
        html.Tr(
            [
                html.Th(name, scope="row"),
                html.Td(told_text(value), className="field-value"),
                html.Td(_only(name, value)),
            ]
        )
        for name, value in record.items()
        if value is not None or name in REQUIRED
    ]
    return [
        html.Div(
            [
                html.Span(told_text(record.get("level")), className=f"level-badge {edge(record)}"),
                html.Span(told_text(record.get("service")), className="detail-service"),
                html.Span(took(record), className="panel-note"),
            ],
            className="detail-head",
        ),
        html.Pre(told_text(record.get("message")), className="detail-message"),
        html.Div(
            [
                _copy(pretty, "Copy JSON"),
                _copy(record.get("message") or "", "Copy line"),
                dcc.Link("Open link to this row", href=href("/explore", query), className="text-button small"),
            ],
            className="detail-actions",
        ),
        html.Table(html.Tbody(fields), className="field-table"),
        html.Details([html.Summary("JSON"), html.Pre(pretty, className="detail-json")]),
    ]


def context(records: Sequence[Mapping[str, str | None]], event_id: str | None) -> html.Div:
    """Return the lines around a row, the row itself marked."""
    lines = [
        html.Div(
            [
                html.Span((record["timestamp"] or "")[11:23], className="context-time"),
                html.Span(told_text(record["level"]), className="context-level"),
                html.Span(told_text(record["message"]), className="context-message"),
            ],
            className=f"context-line {edge(record)}" + (" context-self" if record["event_id"] == event_id else ""),
        )
        for record in records
    ]
    return html.Div([html.Div("Newest first", className="facet-title"), *lines], className="context")


def edge(record: Mapping[str, str | None]) -> str:
    """Return the class that colours a row by its level."""
    return f"edge-{told_level(record.get('level')).lower()}"


def pretty_json(record: Mapping[str, str | None]) -> str:
    """Return a record as indented JSON, without its nulls; `extra` is unfolded when it is JSON itself."""
    shown: dict[str, object] = {name: value for name, value in record.items() if value is not None}
    for name in ("status_code", "request_bytes", "response_bytes", "response_time_ms"):
        if name in shown:
            shown[name] = _number(str(shown[name]))
    if "extra" in shown:
        shown["extra"] = _unfolded(str(shown["extra"]))
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _unfolded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(text: str) -> object:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def took(record: Mapping[str, str | None]) -> str:
    """Return how long the request took, in words; nothing when the event does not say."""
    number = _number(record.get("response_time_ms") or "")
    return duration(float(number)) if isinstance(number, int | float) else ""


def local_time(text: str, zone: str) -> str:
    """Return a row's timestamp as day and time of day in a zone; as it is when it names no moment."""
    moment = moment_of(text)
    if moment is None:
        return text[:MAX_TIME_CHARS] or NOTHING
    moment = moment.astimezone(ZoneInfo(zone))
    return f"{moment:%d %b %H:%M:%S}.{moment.microsecond // 1000:03d}"


def moment_of(text: str | None) -> datetime | None:
    """Return the moment of a row's timestamp, UTC unless it says otherwise; None of one that is none."""
    try:
        return parse_timestamp(text or "")
    except (SchemaError, OverflowError):
        return None


def _only(name: str, value: str | None) -> html.Button | str:
    told = told_text(value)
    if name not in FACETS or not is_askable(told):
        return ""
    return choose("only this", name, told, "+", className="text-button small")


def _copy(text: str, label: str) -> html.Span:
    return html.Span([dcc.Clipboard(content=text, title=label), label], className="text-button small copy")
