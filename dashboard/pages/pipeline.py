"""Pipeline: how fresh and how whole the data is, stage by stage. It works while Athena is down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dash
from dash import Input, Output, State, callback, html

from catalog.errors import LoglakeError
from dashboard import shell, statements
from dashboard.athena import read_csv
from dashboard.components.panel import message, panel
from dashboard.inspection import Stage
from dashboard.wording import age, count, day_and_clock, dollars, duration, from_epoch, size

dash.register_page(__name__, path="/pipeline", name="Pipeline", title="Pipeline · Loglake", order=6, icon="⇶")

STRIP_DAYS = 30
RUNS_SECONDS = 30.0
GOOD = ("active", "present", "succeeded", "ready", "running", "none", "not used")
TICKS = (
    Input("shell-refresh", "n_intervals"),
    Input("shell-run", "n_clicks"),
    State("shell-viewer", "data"),
    State("shell-view", "data"),
)


def layout(**query: Any) -> html.Div:
    return shell.frame(
        query,
        "Pipeline",
        [
            panel(
                "Stages",
                html.Div(id="pipeline-stages", className="table-scroll skeleton-block"),
                note="asked of each stage itself",
            ),
            panel(
                "Days of the minute rollup",
                html.Div(id="pipeline-strip"),
                note=f"registered partitions, last {STRIP_DAYS} days, UTC",
            ),
            panel(
                "Runs of the curation job",
                html.Div(id="pipeline-runs", className="table-scroll skeleton-block"),
                note="newest first, one line per micro-batch",
            ),
            html.Div(
                [
                    panel(
                        "Rejected lines",
                        html.Div(id="pipeline-rejects", className="table-scroll"),
                        note="today and yesterday",
                    ),
                    panel(
                        "Queries",
                        html.Div(id="pipeline-queries", className="table-scroll"),
                        note="the broker's own counts",
                    ),
                ],
                className="columns",
            ),
        ],
        ("counts",),
    )


@callback(Output("pipeline-stages", "children"), Output("pipeline-stages", "className"), *TICKS)
def draw_stages(_tick: Any, _run: Any, _viewer: str, store: Any) -> Any:
    now = shell.lake().clock()
    zone = shell.view_of(store).zone
    rows = [_stage_row(stage, now, zone) for stage in shell.lake().engine.stages(now)]
    return _table(("Stage", "State", "What", "Last"), rows), "table-scroll"


@callback(Output("pipeline-strip", "children"), *TICKS)
def draw_strip(*_: Any) -> Any:
    try:
        present = set(shell.lake().engine.partitions("log_minutes"))
    except LoglakeError as error:
        return message("The Glue catalog could not be read", str(error))
    today = shell.lake().clock().astimezone(UTC)
    days = [today - timedelta(days=back) for back in range(STRIP_DAYS - 1, -1, -1)]
    return html.Div([_day(day, f"{day:%Y/%m/%d}" in present) for day in days], className="strip")


@callback(Output("pipeline-runs", "children"), Output("pipeline-runs", "className"), *TICKS)
def draw_runs(_tick: Any, _run: Any, viewer: str, store: Any) -> Any:
    try:
        header, found = read_csv(shell.lake().ask(statements.recent_runs(), viewer, RUNS_SECONDS, 20).content or b"")
    except LoglakeError as error:
        return message("Athena did not answer", str(error)), "table-scroll"
    if not found:
        return message("The job has not run yet", "It runs on its schedule, or now: loglake curate"), "table-scroll"
    zone = shell.view_of(store).zone
    records = [dict(zip(header, row, strict=True)) for row in found[:12]]
    headings = (
        "Finished",
        "Took",
        "Objects",
        "Lines",
        "In logs",
        "Level dropped",
        "Counted",
        "Rejected",
        "Doubled",
        "Complete to",
    )
    return _table(headings, [_run_row(record, zone) for record in records], 1), "table-scroll"


@callback(Output("pipeline-rejects", "children"), *TICKS)
def draw_rejects(_tick: Any, _run: Any, viewer: str, store: Any) -> Any:
    lake = shell.lake()
    day = lake.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        found = read_csv(lake.ask(statements.recent_rejects(day + timedelta(days=1)), viewer, 60.0, 20).content or b"")[
            1
        ]
    except LoglakeError as error:
        return message("Athena did not answer", str(error))
    if not found:
        return message("Nothing was rejected", "Every line that arrived could be curated.")
    zone = shell.view_of(store).zone
    rows = [
        html.Tr(
            [
                html.Td(_when(row[0], zone)),
                html.Td(row[1]),
                html.Td((row[2] or "")[:160], className="raw-line", title=row[3]),
            ]
        )
        for row in found[:8]
    ]
    return _table(("Met", "Reason", "Line"), rows)


@callback(Output("pipeline-queries", "children"), *TICKS)
def draw_queries(*_: Any) -> Any:
    broker = shell.lake().broker
    metrics = broker.metrics()
    asked = metrics["hits"] + metrics["executions"]
    facts = (
        ("Answered from the cache", f"{count(metrics['hits'])} of {count(asked)}"),
        ("Executions started", count(metrics["executions"])),
        ("Running now", count(len(broker.running()))),
        ("Failed, stopped", f"{count(metrics['failures'])}, {count(metrics['stopped'])}"),
        ("Scanned", f"{size(metrics['scanned_bytes'])} ({dollars(metrics['scanned_bytes'], metrics['executions'])})"),
        ("Not scanned again, thanks to the cache", size(metrics["saved_bytes"])),
    )
    return _table(("", ""), [html.Tr([html.Td(name), html.Td(value, className="number")]) for name, value in facts], 1)


def _stage_row(stage: Stage, now: datetime, zone: str) -> html.Tr:
    name = [stage.name, html.Span("laptop engine", className="stage-tag") if stage.is_laptop else None]
    last = (
        f"{day_and_clock(stage.last_at, zone)} ({age((now - stage.last_at).total_seconds())} ago)"
        if stage.last_at
        else "–"
    )
    bad = "" if stage.state in GOOD else " stage-bad"
    mark = "▲ " if bad else ""
    return html.Tr(
        [
            html.Td(name),
            html.Td(mark + stage.state, className="stage-state" + bad),
            html.Td(stage.error or stage.detail),
            html.Td(last),
        ]
    )


def _run_row(record: dict[str, str | None], zone: str) -> html.Tr:
    took = (_number(record["finished_at"]) - _number(record["started_at"])) * 1000
    names = (
        "input_objects",
        "input_rows",
        "log_rows",
        "dropped_level_rows",
        "counted_rows",
        "reject_rows",
        "duplicate_rows",
    )
    numbers = [html.Td(count(_number(record[name])), className="number") for name in names]
    return html.Tr(
        [
            html.Td(_when(record["finished_at"], zone)),
            html.Td(duration(took), className="number"),
            *numbers,
            html.Td(_when(record["newest_received_at"], zone), className="number"),
        ]
    )


def _day(day: datetime, is_present: bool) -> html.Div:
    state = "present" if is_present else "absent"
    return html.Div(f"{day:%d}", className=f"strip-day {state}", title=f"{day:%a %d %b %Y}: partition {state}")


def _table(headings: tuple[str, ...], rows: list[html.Tr], first_number: int = 99) -> html.Table:
    head = html.Thead(
        html.Tr(
            [
                html.Th(text, className="number" if place >= first_number else "", scope="col")
                for place, text in enumerate(headings)
            ]
        )
    )
    return html.Table([head, html.Tbody(rows)], className="plain-table")


def _when(text: str | None, zone: str) -> str:
    return day_and_clock(from_epoch(_number(text)), zone) if text else "–"


def _number(text: str | None) -> float:
    return float(text or 0)
