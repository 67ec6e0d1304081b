"""Pipeline: how fresh and how whole the data is, stage by stage, and what it costs. It works while Athena is down."""

from collections.abc import Callable
from datetime import UTC, timedelta
from functools import wraps
from typing import Any

import dash
from dash import Input, Output, State, callback, html

from catalog.errors import LoglakeError
from dashboard import access, audit, cost, shell, statements, wholeness
from dashboard.athena import read_csv
from dashboard.components import pipeline_tables as tables
from dashboard.components.panel import message, panel
from dashboard.components.still import HTML, written
from dashboard.inspection import ERROR_DAYS, SMALL_BYTES, Measured
from dashboard.lake import Lake
from dashboard.wording import size

dash.register_page(__name__, path="/pipeline", name="Pipeline", title="Pipeline · Loglake", order=6, icon="⇶")

STRIP_DAYS = 30
FILE_DAYS = 3
RUNS_SECONDS, LISTING_SECONDS = 30.0, 60.0
SCROLLS = "table-scroll"
TICKS = (
    Input("shell-refresh", "n_intervals"),
    Input("shell-run", "n_clicks"),
    State("shell-viewer", "data"),
    State("shell-view", "data"),
)


def layout(**query: Any) -> html.Div:
    small = f"the latest {FILE_DAYS} days; small is below {size(SMALL_BYTES)}"
    parts = [
        panel("Stages", _place("stages", True), note="asked of each stage itself"),
        panel("Days", _place("strip"), note=f"registered partitions, last {STRIP_DAYS} days, UTC"),
        panel("Runs of the curation job", _place("runs", True), note="newest first, one line per micro-batch"),
        _pair(
            panel("Rejected lines", _place("rejects"), note="today and yesterday"),
            panel("Undelivered", _place("undelivered"), note=f"under errors/, last {ERROR_DAYS} days"),
        ),
        _pair(
            panel("Files", _place("files"), note=small),
            panel("Schema drift", _place("drift"), note="the Glue catalog against the schema"),
        ),
        _pair(
            panel("Cost", _place("cost"), note="AWS list prices, us-east-1; a laptop is not billed"),
            panel("Queries", _place("queries"), note="the broker's own counts"),
        ),
        panel("Audit", _place("audit"), note="who asked, downloaded and changed what"),
    ]
    return shell.frame(query, "Pipeline", parts, ("counts",), stands_alone=True)


def _place(name: str, is_waiting: bool = False) -> html.Div:
    return html.Div(id=f"pipeline-{name}", className=SCROLLS + (" skeleton-block" if is_waiting else ""))


def _pair(*parts: html.Section) -> html.Div:
    return html.Div(list(parts), className="columns")


def _as_html(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Have a callback's parts written as HTML; its texts are names of classes."""

    @wraps(draw)
    def drawn(*asked: Any) -> Any:
        made = draw(*asked)
        parts = made if isinstance(made, tuple) else (made,)
        told = tuple(part if isinstance(part, str) else written(part) for part in parts)
        return told if isinstance(made, tuple) else told[0]

    return drawn


@callback(Output("pipeline-stages", HTML), Output("pipeline-stages", "className"), *TICKS)
@_as_html
def draw_stages(_tick: Any, _run: Any, _viewer: str, store: Any) -> Any:
    now = shell.lake().clock()
    return tables.stages_table(shell.lake().engine.stages(now), now, shell.view_of(store).zone), SCROLLS


@callback(Output("pipeline-strip", HTML), Output("pipeline-drift", HTML), *TICKS)
@_as_html
def draw_catalog(*_: Any) -> Any:
    """Draw what the Glue catalog knows: days and columns."""
    lake = shell.lake()
    try:
        schemas = lake.engine.schemas()
        names = ["log_minutes", "logs", *sorted(name for name in schemas if wholeness.is_raw(name))]
        partitions = {name: _partitions(lake, name) for name in names if name in schemas}
    except LoglakeError as error:
        return (message("The Glue catalog could not be read", str(error)),) * 2
    strips = wholeness.strips(partitions, lake.clock().astimezone(UTC), STRIP_DAYS)
    seen = [strip for strip in strips if wholeness.may_see(strip, lake.services)]
    drifts = wholeness.drifts(schemas)
    drift = tables.drift_table(drifts) if drifts else message("No drift", "Every table has the schema's columns.")
    return tables.calendar(seen) if seen else message("No partitions yet", "Curation registers them."), drift


@callback(Output("pipeline-runs", HTML), Output("pipeline-runs", "className"), *TICKS)
@_as_html
def draw_runs(_tick: Any, _run: Any, viewer: str, store: Any) -> Any:
    try:
        header, found = read_csv(shell.lake().ask(statements.recent_runs(), viewer, RUNS_SECONDS, 20).content or b"")
    except LoglakeError as error:
        return message("Athena did not answer", str(error)), SCROLLS
    if not found:
        return message("The job has not run yet", "It runs on its schedule, or now: loglake curate"), SCROLLS
    records = [dict(zip(header, row, strict=True)) for row in found[:12]]
    return tables.runs_table(records, shell.view_of(store).zone), SCROLLS


@callback(Output("pipeline-rejects", HTML), *TICKS)
@_as_html
def draw_rejects(_tick: Any, _run: Any, viewer: str, store: Any) -> Any:
    lake = shell.lake()
    day = lake.clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    try:
        answer = lake.ask(statements.recent_rejects(day, lake.services), viewer, 60.0, 20)
    except LoglakeError as error:
        return message("Athena did not answer", str(error))
    found = read_csv(answer.content or b"")[1]
    if not found:
        return message("Nothing was rejected", "Every line that arrived could be curated.")
    return tables.rejects_table(found[:8], shell.view_of(store).zone)


@callback(Output("pipeline-undelivered", HTML), *TICKS)
@_as_html
def draw_undelivered(_tick: Any, _run: Any, _viewer: str, store: Any) -> Any:
    try:
        access.require_all_services("reading undelivered records")
        found = shell.lake().engine.undelivered(shell.lake().clock())
    except LoglakeError as error:
        return message("The error objects could not be read", str(error))
    if not found.objects:
        return message("Nothing is undelivered", "The delivery stream wrote no error objects.")
    note = html.Div(f"{found.objects:,} objects, {size(found.stored_bytes)}; the newest:", className="panel-note")
    return [note, tables.undelivered_table(found, shell.view_of(store).zone)]


@callback(Output("pipeline-files", HTML), *TICKS)
@_as_html
def draw_files(*_: Any) -> Any:
    lake = shell.lake()
    try:
        found = lake.kept("files", 5 * LISTING_SECONDS, lambda: _measured(lake))
    except LoglakeError as error:
        return message("The tables could not be measured", str(error))
    measured = {table: {day: Measured(*facts) for day, facts in days.items()} for table, days in found.items() if days}
    return tables.files_table(measured) if measured else message("No files yet", "Nothing is curated yet.")


@callback(Output("pipeline-cost", HTML), *TICKS)
@_as_html
def draw_cost(_tick: Any, _run: Any, viewer: str, _store: Any) -> Any:
    lake = shell.lake()
    try:
        runs = lake.engine.job_runs()
    except LoglakeError:
        runs = []
    metrics = lake.broker.metrics()
    hours = (lake.clock().timestamp() - metrics["since"]) / 3600 if metrics["since"] else 0.0
    return tables.cost_table(cost.lines(_last_day(lake, viewer), runs, metrics["scanned_bytes"], hours))


@callback(Output("pipeline-queries", HTML), Output("pipeline-audit", HTML), *TICKS)
@_as_html
def draw_queries(_tick: Any, _run: Any, _viewer: str, store: Any) -> Any:
    broker = shell.lake().broker
    try:
        access.require("admin", "reading the audit log")
        access.require_all_services("reading the audit log")
        lines = audit.latest(shell.state())
    except LoglakeError as error:
        return tables.broker_table(broker.metrics(), len(broker.running())), message("Not for everybody", str(error))
    zone = shell.view_of(store).zone
    audited = (
        tables.audit_table(lines, zone) if lines else message("Nothing yet", "Nobody has asked or changed anything.")
    )
    return tables.broker_table(broker.metrics(), len(broker.running())), audited


def _partitions(lake: Lake, table: str) -> list[str]:
    found: list[str] = lake.kept(f"partitions:{table}", LISTING_SECONDS, lambda: lake.engine.partitions(table))
    return found


def _measured(lake: Lake) -> dict[str, dict[str, list[int]]]:
    """Return what the latest partitions of each curated table hold."""
    found: dict[str, dict[str, list[int]]] = {}
    for table in ("logs", "log_minutes"):
        days = sorted({value[-10:] for value in _partitions(lake, table)})[-FILE_DAYS:]
        values = [value for value in _partitions(lake, table) if value[-10:] in days]
        measured = lake.engine.measure(table, values)
        found[table] = {name: [m.objects, m.small_objects, m.stored_bytes] for name, m in measured.items()}
    return found


def _last_day(lake: Lake, viewer: str) -> cost.Day | None:
    """Return what arrived in the last 24 hours, as the job counted it; None while Athena is down."""
    try:
        content = lake.ask(statements.arrived(lake.clock()), viewer, 600.0, 10).content or b""
    except LoglakeError:
        return None
    rows = read_csv(content)[1]
    events, stored, seconds = (float(value or 0) for value in rows[0]) if rows else (0.0, 0.0, 0.0)
    return cost.Day(events, stored, min(24.0, seconds / 3600)) if events else None
