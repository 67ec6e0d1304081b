"""`loglake query`: asks Athena, on AWS or on the laptop, and shows what it answers."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TextIO

import click

from catalog import athena, settings
from catalog.athena import Result
from catalog.dropping import dropped_by
from catalog.errors import LoglakeError, QueryError, UsageError
from catalog.named_queries import named_queries, named_query
from catalog.options import stack_option

FORMATS = ("table", "csv", "json")


@click.command()
@stack_option
@click.argument("sql_or_name", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the SQL from a file; - is stdin.")
@click.option("--limit", type=click.IntRange(0), help="Show at most so many rows; it reads as much as without.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: table on a terminal, csv elsewhere.")
@click.option("--param", "parameters", multiple=True, metavar="V", help="Value of the next `?`; repeat it for more.")
@click.option("--database", help="Default: the stack's.")
@click.option("--stack-name", help="Default: LOGLAKE_STACK, else loglake.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before dropping a table or the database of the stack.")
@click.option("--list", "list_", is_flag=True, help="List the named queries.")
def query(
    sql_or_name: str | None,
    file: TextIO | None,
    limit: int | None,
    format_: str | None,
    parameters: Sequence[str],
    database: str | None,
    stack_name: str | None,
    yes: bool,
    list_: bool,
) -> None:
    """Run SQL, or a named query by its NAME, and print its rows; what it scanned and cost goes to stderr.

    `-` reads the SQL from standard input. A --param is a number, true, false, null, a date (2026-11-21), else a string;
    `'42'` in quotes is a string.
    """
    if list_:
        print_named_queries()
        return
    sql = _sql(sql_or_name, file)
    stack = settings.load(stack_name)
    database = database or stack.database
    if _is_name(sql):
        sql = named_query(sql).sql(database)
    if not yes and (dropped := dropped_by(sql, database, stack.database)):
        confirm_drop(dropped, stack.stack_name)
    result = run(sql, [athena.literal(value) for value in parameters], database, stack)
    if result.columns:
        show(replace(result, rows=result.rows[:limit]), format_ or ("table" if sys.stdout.isatty() else "csv"))
    shown = f"{limit} of " if limit is not None and limit < len(result.rows) else ""
    click.echo(shown + cost_line(result), err=True)
    if result.columns and not result.rows and result.reads:
        click.echo("no rows; on a new lake the first come with the first run of the job: 'loglake curate'", err=True)


def _sql(sql_or_name: str | None, file: TextIO | None) -> str:
    """Return the SQL, or the name of a named query, that was given in one of three ways."""
    if bool(sql_or_name) == bool(file):
        raise click.UsageError(
            "SQL, the NAME of a named query or --file must be given, and only one of them; "
            "'loglake query --list' shows the names"
        )
    file = sys.stdin if sql_or_name == "-" else file
    text = (file.read() if file else sql_or_name or "").strip()
    if not text:
        raise click.UsageError("the SQL must not be empty; 'loglake query --list' shows queries that have a name")
    return text


def confirm_drop(dropped: str, stack_name: str) -> None:
    """Return if a person at the terminal agrees to the drop; raise `UsageError` where there is none to ask."""
    means = "queries and every run of the job fail without it, until 'loglake deploy' makes it again"
    what = f"dropping {dropped}, which stack {stack_name!r} made,"
    if not sys.stdin.isatty():
        raise UsageError(f"{what} must be agreed to on a terminal or with --yes: {means}; got neither")
    if not click.confirm(f"{what} means: {means}. Drop it?", err=True):
        raise LoglakeError("nothing was dropped, as it was not agreed to")


def _is_name(text: str) -> bool:
    return len(text.split()) == 1 and not text.endswith(";")


def print_named_queries() -> None:
    """Print each named query's name and what it answers."""
    from shutil import get_terminal_size
    from textwrap import fill

    queries = named_queries()
    width = max(len(found.name) for found in queries) + 2
    columns = get_terminal_size().columns if sys.stdout.isatty() else 10_000  # one line each where a program reads
    for found in queries:
        click.echo(
            fill(found.description, columns, initial_indent=f"{found.name:<{width}}", subsequent_indent=" " * width)
        )


def run(sql: str, parameters: Sequence[str], database: str, stack: settings.Settings) -> Result:
    """Run a query in the stack's workgroup, with its progress on a terminal; Ctrl-C stops it."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = boto3.client("athena")
        execution = _executed(client, sql, database, stack.work_group, parameters)
        return athena.fetch(client, boto3.client("s3"), execution)
    except (BotoCoreError, ClientError) as error:
        raise QueryError(f"Athena can't be asked: {error}") from error


def _executed(client: Any, sql: str, database: str, work_group: str, parameters: Sequence[str]) -> dict[str, Any]:
    try:
        execution_id = athena.start(client, sql, database, work_group, parameters)
        with _Progress() as progress:
            return athena.wait(client, execution_id, progress)
    except KeyboardInterrupt:
        click.echo("interrupted; the query was stopped", err=True)
        raise


class _Progress:
    """Tells the state of a query on a terminal, and nothing elsewhere."""

    def __enter__(self) -> "_Progress":
        from rich.console import Console

        console = Console(stderr=True)
        self._status = console.status("QUEUED") if console.is_terminal else None
        if self._status:
            self._status.start()
        return self

    def __call__(self, state: str, scanned_bytes: int) -> None:
        if self._status:
            self._status.update(f"{state} · {byte_text(scanned_bytes)} scanned")

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()


def show(result: Result, format_: str) -> None:
    """Print a result's rows to stdout."""
    if format_ == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows(result.rows)
    elif format_ == "json":
        for record in records(result):
            click.echo(json.dumps(record, ensure_ascii=False))
    else:
        _print_table(result)


def _print_table(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name, type_ in zip(result.columns, result.types, strict=True):
        table.add_column(Text(name), justify="right" if type_ in NUMBERS else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(Text("NULL", style="dim") if value is None else Text(value) for value in row))
    Console().print(table)


INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
NUMBERS = INTEGERS | {"float", "double", "decimal"}


def records(result: Result) -> list[dict[str, Any]]:
    """Return the rows as objects: integers, doubles and booleans as JSON's own, everything else as text."""
    return [
        {name: _json_value(value, type_) for name, type_, value in zip(result.columns, result.types, row, strict=True)}
        for row in result.rows
    ]


def _json_value(value: str | None, type_: str) -> Any:
    if value is None:
        return None
    if type_ in INTEGERS:
        return int(value)
    if type_ in {"float", "double"} and value not in {"NaN", "Infinity", "-Infinity"}:
        return float(value)
    return value == "true" if type_ == "boolean" else value


def byte_text(count: float) -> str:
    """Return a count of bytes as people say it: `412 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} TB"


def cost_line(result: Result) -> str:
    """Return the line that says what a query read, cost and took."""
    scanned = byte_text(result.scanned_bytes)
    return f"{_outcome(result)} · {scanned} scanned · ${result.dollars:.5f} · {result.seconds:.2f} s"


def _outcome(result: Result) -> str:
    count = len(result.rows) if result.columns else result.written_rows
    rows = "1 row" if count == 1 else f"{count} rows"
    if result.columns:
        return rows
    return f"done, {rows} written" if count else "done"


__all__ = ["query"]
