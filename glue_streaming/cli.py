"""The commands `loglake curate`, `compact` and `crawl`: start the job or the crawler and follow it to its end."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click

from catalog import settings
from catalog.errors import UsageError
from catalog.options import stack_option
from glue_streaming import closed_days, following, wording
from glue_streaming.storage import REPORTS, Storage

_STACK = click.option("--stack-name", help="Stack that is asked.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
_DAY = click.DateTime(["%Y-%m-%d"])
MOST_DAYS = 36_500
"""As many days back as raw objects can be kept; the open day, 0 days back, is still written to."""


@click.command()
@stack_option
@_STACK
@click.option("--from", "from_day", type=_DAY, help="Rebuild days from raw instead, from this one.")
@click.option("--to", "to_day", type=_DAY, help="The last day to rebuild.  [default: the first]")
@_JSON
def curate(stack_name: str | None, from_day: datetime | None, to_day: datetime | None, as_json: bool) -> None:
    """Run the curation job, or follow the run that is going, and print what it did."""
    if to_day and not from_day:
        raise click.UsageError("--to needs --from")
    arguments = {}
    if from_day:
        first, last = _checked_days(from_day.date(), (to_day or from_day).date(), datetime.now(UTC).date())
        arguments = {"--task": "reprocess", "--from": first, "--to": last}
    _run(stack_name, arguments, as_json)


@click.command()
@stack_option
@_STACK
@click.option("--dry-run", is_flag=True, help="Say what would be rewritten, and change nothing.")
@click.option(
    "--before",
    "before_days",
    metavar="DAYS",
    type=click.IntRange(1, MOST_DAYS),
    default=1,
    show_default=True,
    help="Days so many before today, and older.",
)
@_JSON
def compact(stack_name: str | None, dry_run: bool, before_days: int, as_json: bool) -> None:
    """Rewrite the small files of closed days to few large ones, and print files and bytes before and after."""
    if not dry_run:
        _run(stack_name, {"--task": "compact", "--before-days": str(before_days)}, as_json)
        return
    stack = settings.load(stack_name)
    storage = Storage(_client("s3"), _client("glue"), stack.lake_bucket, stack.database)
    preview = closed_days.preview(storage, datetime.now(UTC).date(), before_days)
    click.echo(json.dumps(preview) if as_json else "\n".join(wording.compaction_lines(preview)))


@click.command()
@stack_option
@_STACK
@_JSON
def crawl(stack_name: str | None, as_json: bool) -> None:
    """Run the crawler over the raw objects, or follow the crawl that is going, and print what it changed."""
    stack = settings.load(stack_name)
    with _left_running():
        done = following.crawl(_client("glue"), stack.crawler, stack.database, _progress)
    click.echo(json.dumps(dataclasses.asdict(done)) if as_json else "\n".join(wording.crawl_lines(done)))
    click.get_current_context().exit(0 if done.state == following.DONE else 1)


def _checked_days(first: date, last: date, today: date) -> tuple[str, str]:
    """Return the days to rebuild as the job takes them; raise `UsageError` unless they are in order and have begun."""
    if first > today:
        raise UsageError(f"--from must be today ({today}, UTC) or earlier; got {first}")
    if not first <= last <= today:
        raise UsageError(f"--to must be a day from --from ({first}) to today ({today}, UTC); got {last}")
    return str(first), str(last)


def _run(stack_name: str | None, arguments: Mapping[str, str], as_json: bool) -> None:
    stack = settings.load(stack_name)
    glue = _client("glue")
    storage = Storage(_client("s3"), glue, stack.lake_bucket, stack.database)
    told = [0]

    def watch(run_id: str) -> None:
        report = storage.read_json(f"{REPORTS}{run_id}.json") or {}
        if report.get("batches", 0) > told[0]:
            told[0] = report["batches"]
            _progress(wording.progress_line(report))

    with _left_running():
        run = following.run_job(glue, stack.job, _progress, arguments=arguments, watch=watch)
    report = storage.read_json(f"{REPORTS}{run.run_id}.json") or {}
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(run), "report": report}))
    else:
        click.echo("\n".join(wording.run_lines(run, report)))
    click.get_current_context().exit(0 if run.state == following.DONE else 1)


@contextmanager
def _left_running() -> Iterator[None]:
    """Say on an interrupt that only the following ends."""
    try:
        yield
    except KeyboardInterrupt:
        _progress("it goes on without us; the same command follows it again")
        raise


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)


def _progress(line: str) -> None:
    click.echo(line, err=True)
