"""What the commands say of runs and crawls, as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from glue_streaming.following import Crawl, JobRun

Report = Mapping[str, Any]
_LABEL = 36
"""Characters of a label: what is behind it ends at the eightieth column."""
_ORDER = (
    *("input_objects", "input_bytes", "input_rows", "reject_rows", "duplicate_rows", "counted_rows"),
    *("dropped_level_rows", "log_rows", "late_rows", "minute_rows", "files"),
)
"""The counts of a curation, from what came in to what went out."""
_UNITS = ("B", "KB", "MB", "GB", "TB")


def progress_line(report: Report) -> str:
    """Return how far a run has come."""
    totals = report["totals"]
    return (
        f"batch {report['batches']}: {totals['input_rows']:,} lines of {totals['input_objects']:,} objects, "
        f"{report['rows_per_second']:,} lines/s, {totals['files']:,} files"
    )


def run_lines(run: JobRun, report: Report) -> Iterator[str]:
    """Yield how a run ended and what its report says."""
    yield f"{run.state} in {run.seconds:.0f} s" + (f": {run.message}" if run.message else "")
    if report.get("task") == "compact":
        yield from compaction_lines(report)
    elif report.get("task") == "reprocess":
        yield from _reprocessing_lines(report)
    elif report:
        yield from _curation_lines(report)


def compaction_lines(report: Report) -> Iterator[str]:
    """Yield files and bytes before and after, partition by partition."""
    for entry in report["partitions"]:
        yield f"  {_label(entry['partition']):<{_LABEL}}{_change(entry)}"
    for name in report["skipped"]:
        yield f"  {_label(name)} left: a batch is half published into it;"
        yield "    run 'loglake curate' first"
    if report["partitions"]:
        yield f"  {'in all':<{_LABEL}}{_change(report['totals'])}"
    else:
        yield "  nothing to compact"
    if report.get("removed_files"):
        yield f"  {report['removed_files']:,} replaced files removed"


def crawl_lines(done: Crawl) -> Iterator[str]:
    """Yield how a crawl ended, the partitions of every table, and what changed in it."""
    yield f"{done.state} in {done.seconds:.0f} s" + (f": {done.message}" if done.message else "")
    for name, (before, after) in done.tables.items():
        mark = "  new table" if name in done.created else ""
        yield f"  {name:<32} {_count(after, 'partition'):>17} ({after - before:+,}){mark}"
        yield from (f"    new column {column}" for column in done.columns_added.get(name, ()))
    yield from (f"  {name:<32} deleted" for name in done.deleted)
    yield from (f"  ignored {_count(count, 'object')}: {reason}" for reason, count in sorted(done.ignored.items()))


def size(size_bytes: float) -> str:
    """Return bytes as a person reads them: `1.5 MB`."""
    for unit in _UNITS[:-1]:
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} {_UNITS[-1]}"


def _curation_lines(report: Report) -> Iterator[str]:
    totals = report["totals"]
    if not totals:
        yield "  nothing new to curate"
        return
    for name in sorted(totals, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)):
        yield f"  {name.replace('_', ' '):<20} {totals[name]:>14,}"
    late = report["late"]
    if late["late_rows"]:
        yield (
            f"  late by over an hour {late['late_rows']:,}, a day {late['late_by_a_day']:,}, "
            f"a week {late['late_by_a_week']:,}; the latest by {_duration(late['latest_seconds'])}"
        )
    for field, count in report["new_fields"].items():
        yield f"  new field {field!r} in {count:,} events, kept in `extra`"


def _reprocessing_lines(report: Report) -> Iterator[str]:
    for day in report["days"]:
        if day["state"] == "rebuilt":
            said = (
                f"rebuilt from {day['objects']:,} objects: {day['log_rows']:,} rows of {day['counted_rows']:,} events"
            )
        else:
            said = f"left as it was:\n    {day['reason']}"
        yield f"  {day['day']}  {said}"


def _change(entry: Report) -> str:
    return (
        f"{entry['files_before']:>5,} files {size(entry['bytes_before']):>8} -> "
        f"{entry['files_after']:>3,} files {size(entry['bytes_after']):>8}"
    )


def _label(partition: str) -> str:
    """Return a partition in few characters: `logs payment 2026-11-20`."""
    table, *keys = partition.split("/")
    values = [key.partition("=")[2] for key in keys]
    return " ".join([table, *values[:-3], "-".join(values[-3:])])


def _duration(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86400 else f"{seconds / 86400:.1f} days"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
