"""The commands `loglake curate` and `loglake crawl`: start the job or the crawler and follow it to its end."""

import dataclasses
import json
from typing import Any

import click

from catalog import settings
from glue_streaming import following
from glue_streaming.storage import REPORTS, Storage


@click.command()
@click.option("--stack-name", help="Stack whose job runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def curate(stack_name: str | None, as_json: bool) -> None:
    """Run the curation job, or follow the run that is going, and print what it did."""
    stack = settings.load(stack_name)
    glue = _client("glue")
    run = following.run_job(glue, stack.job, _progress)
    storage = Storage(_client("s3"), glue, stack.lake_bucket, stack.database)
    report = storage.read_json(f"{REPORTS}{run.run_id}.json") or {}
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(run), "report": report}))
    else:
        _print_run(run, report)
    click.get_current_context().exit(0 if run.state == following.DONE else 1)


@click.command()
@click.option("--stack-name", help="Stack whose crawler runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def crawl(stack_name: str | None, as_json: bool) -> None:
    """Run the crawler over the raw objects, or follow the crawl that is going, and print what it changed."""
    stack = settings.load(stack_name)
    done = following.crawl(_client("glue"), stack.crawler, stack.database, _progress)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(done)))
    else:
        _print_crawl(done)
    click.get_current_context().exit(0 if done.state == following.DONE else 1)


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _print_run(run: following.JobRun, report: dict[str, Any]) -> None:
    click.echo(f"{run.state} in {run.seconds:.0f} s" + (f": {run.message}" if run.message else ""))
    totals = report.get("totals", {})
    for name, value in totals.items():
        click.echo(f"  {name.replace('_', ' '):<20} {value:>12,}")
    if report and not totals:
        click.echo("  nothing new to curate")


def _print_crawl(done: following.Crawl) -> None:
    click.echo(f"{done.state} in {done.seconds:.0f} s" + (f": {done.message}" if done.message else ""))
    for name, (before, after) in done.tables.items():
        mark = "  new table" if name in done.created else ""
        click.echo(f"  {name:<32} {after:>6,} partitions ({after - before:+,}){mark}")
        for column in done.columns_added.get(name, ()):
            click.echo(f"    new column {column}")
    for name in done.deleted:
        click.echo(f"  {name:<32} deleted")
    for reason, count in sorted(done.ignored.items()):
        click.echo(f"  ignored {count:,} objects: {reason}")
