"""The tables of the Pipeline page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import html

from dashboard.components.plain_table import plain_table, row
from dashboard.cost import Line
from dashboard.inspection import Measured, Stage, Undelivered
from dashboard.wholeness import Drift, Strip, needs_compaction
from dashboard.wording import age, count, day_and_clock, dollars, duration, from_epoch, size

GOOD = ("active", "present", "succeeded", "ready", "running", "none", "not used")
RUN_HEADINGS = (
    *("Finished", "Took", "Objects", "Lines", "In logs", "Level dropped", "Counted", "Rejected", "Doubled"),
    "Complete to",
)
RUN_NUMBERS = (
    *("input_objects", "input_rows", "log_rows", "dropped_level_rows", "counted_rows", "reject_rows"),
    "duplicate_rows",
)
MARKS = {"present": "", "missing": "!", "before": ""}
Record = Mapping[str, str | None]


def stages_table(stages: Sequence[Stage], now: datetime, zone: str) -> html.Table:
    """Return each stage's state, in words, and when it last did something."""
    return plain_table(("Stage", "State", "What", "Last"), [_stage(stage, now, zone) for stage in stages])


def runs_table(records: Sequence[Record], zone: str) -> html.Table:
    """Return the job's micro-batches."""
    rows = [
        row(
            when(record["finished_at"], zone),
            duration((number(record["finished_at"]) - number(record["started_at"])) * 1000),
            *(count(number(record[name])) for name in RUN_NUMBERS),
            when(record["newest_received_at"], zone),
            first_number=1,
        )
        for record in records
    ]
    return plain_table(RUN_HEADINGS, rows, 1)


def rejects_table(found: Sequence[Sequence[str | None]], zone: str) -> html.Table:
    """Return rejected lines: when, why, and the line itself, which is text whatever it says."""
    rows = [
        row(when(line[0], zone), line[1], html.Span((line[2] or "")[:160], className="raw-line", title=line[3]))
        for line in found
    ]
    return plain_table(("Met", "Reason", "Line"), rows)


def undelivered_table(found: Undelivered, zone: str) -> html.Table:
    """Return the newest error objects: what the delivery stream could not deliver, and why."""
    rows = [
        row(
            day_and_clock(one.written_at, zone),
            one.reason or "no reason given",
            html.Span(one.sample[:160], className="raw-line", title=one.key),
            size(one.stored_bytes),
        )
        for one in found.newest
    ]
    return plain_table(("Written", "Reason", "Starts with", "Size"), rows, 3)


def calendar(strips: Sequence[Strip]) -> html.Div:
    """Return one row of days per table: present, missing, or before its first day."""
    return html.Div([_strip(strip) for strip in strips], className="calendar-strips")


def files_table(measured: Mapping[str, Mapping[str, Measured]]) -> html.Table:
    """Return the objects of each table's latest days, and whether compacting them would pay."""
    rows = [
        _partition(table, name, found)
        for table, days in measured.items()
        for name, found in sorted(days.items(), reverse=True)
    ]
    return plain_table(("Table", "Partition", "Objects", "Small", "Bytes", ""), rows, 2)


def drift_table(drifts: Sequence[Drift]) -> html.Table:
    """Return the columns that are not what the schema says."""
    return plain_table(("Table", "Column", ""), [row(drift.table, drift.column, drift.what) for drift in drifts])


def cost_table(lines: Sequence[Line]) -> html.Table:
    """Return the bill: so far where it is counted, a month at this rate, and of what."""
    rows = [row(line.name, line.basis, _money(line.so_far), _money(line.month), first_number=2) for line in lines]
    months = [line.month for line in lines]
    total = None if None in months else sum(month or 0 for month in months)
    return plain_table(
        ("", "Of what", "So far", "A month"), [*rows, row("All", "", "", _money(total), first_number=2)], 2
    )


def broker_table(metrics: Mapping[str, int], running: int) -> html.Table:
    """Return what the query broker did since its cache was made."""
    asked = metrics["hits"] + metrics["executions"]
    scanned = f"{size(metrics['scanned_bytes'])} ({dollars(metrics['scanned_bytes'], metrics['executions'])})"
    facts = (
        ("Answered from the cache", f"{count(metrics['hits'])} of {count(asked)}"),
        ("Executions started", count(metrics["executions"])),
        ("Running now", count(running)),
        ("Failed, stopped", f"{count(metrics['failures'])}, {count(metrics['stopped'])}"),
        ("Stopped because nobody waited any more", count(metrics["reaped"])),
        ("Scanned", scanned),
        ("Not scanned again, thanks to the cache", size(metrics["saved_bytes"])),
    )
    return plain_table(("", ""), [row(*fact, first_number=1) for fact in facts], 1)


def audit_table(lines: Sequence[Mapping[str, Any]], zone: str) -> html.Table:
    """Return who did what, newest first."""
    rows = [
        row(
            day_and_clock(from_epoch(line["at"]), zone),
            line["user"],
            line["action"],
            html.Span(line["detail"][:200], className="raw-line", title=line["detail"]),
        )
        for line in lines
    ]
    return plain_table(("When", "Who", "Did", "What"), rows)


def when(text: str | None, zone: str) -> str:
    """Return epoch seconds as day and time; a dash for none."""
    return day_and_clock(from_epoch(number(text)), zone) if text else "–"


def number(text: str | None) -> float:
    """Return a result's number; 0 for null."""
    return float(text or 0)


def _stage(stage: Stage, now: datetime, zone: str) -> html.Tr:
    name = [stage.name, html.Span("laptop engine", className="stage-tag") if stage.is_laptop else None]
    last = "–"
    if stage.last_at:
        last = f"{day_and_clock(stage.last_at, zone)} ({age((now - stage.last_at).total_seconds())} ago)"
    bad = "" if stage.state in GOOD else " stage-bad"
    state = html.Span(("▲ " if bad else "") + stage.state, className="stage-state" + bad)
    return row(name, state, stage.error or stage.detail, last)


def _strip(strip: Strip) -> html.Div:
    days = [
        html.Span(
            f"{MARKS[state]}{day[-2:]}", className=f"strip-day {state}", title=f"{strip.name}, {day}: {_word(state)}"
        )
        for day, state in strip.days
    ]
    note = f"{strip.missing} missing" if strip.missing else "whole"
    held = "; absurd timestamps in quarantine" if strip.quarantined else ""
    words = html.Span(note + held, className="panel-note" + (" stage-bad" if strip.missing else ""))
    return html.Div(
        [html.Span(strip.name, className="strip-name"), html.Div(days, className="strip"), words], className="strip-row"
    )


def _word(state: str) -> str:
    return "before the first day" if state == "before" else state


def _partition(table: str, name: str, found: Measured) -> html.Tr:
    numbers = (count(found.objects), count(found.small_objects), size(found.stored_bytes))
    return row(table, name, *numbers, _advice(found), first_number=2)


def _advice(found: Measured) -> html.Span | str:
    return html.Span("▲ many small objects: compact", className="stage-bad") if needs_compaction(found) else ""


def _money(value: float | None) -> str:
    if value is None:
        return "–"
    return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.4f}"
