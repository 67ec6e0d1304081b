"""What the commands show: the table of changes, events as they happen, outputs and what to do next."""

from collections.abc import Iterable, Iterator, Mapping

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cloudformation.changes import Change
from cloudformation.drift import Drift
from cloudformation.events import Event, concerns_stack

_COLOURS = {
    "Remove": "red",
    "Replace": "red",
    "Maybe replace": "yellow",
    "Modify": "yellow",
    "Import": "cyan",
    "Add": "green",
}


def new_console(stderr: bool = False) -> Console:
    """Return where the commands write; into a file or a pipe lines are 120 characters, as nobody's window is there."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=120)


def changes_table(stack_name: str, changes: Iterable[Change]) -> Table:
    """Return the table of a change set, replacements and losses in red."""
    changes = tuple(changes)
    table = Table(title=f"Changes to stack {stack_name}", title_justify="left", box=SIMPLE)
    reasons = ["Because of"] if any(change.properties for change in changes) else []
    losses = ["Loses"] if any(change.loses for change in changes) else []
    for heading in ("Action", "Resource", "Type"):
        table.add_column(heading, no_wrap=True)
    for heading in (*reasons, *losses):
        table.add_column(heading, overflow="fold")
    for change in changes:
        cells = [
            Text(change.action, _COLOURS[change.action]),
            Text(change.resource),
            Text(change.type.removeprefix("AWS::")),
        ]
        cells += [Text(", ".join(change.properties)) for _ in reasons]
        cells += [Text(change.loses or "", "red") for _ in losses]
        table.add_row(*cells)
    return table


_MEANS: Mapping[str, str] = {
    "AWS::Athena::WorkGroup": "no query can be asked",
    "AWS::DynamoDB::Table": "the live page shows nothing",
    "AWS::Glue::Crawler": "new services, columns and days are not catalogued",
    "AWS::Glue::Database": "no table can be found: queries and the job fail",
    "AWS::Glue::Job": "nothing is curated",
    "AWS::Glue::Table": "queries of it and every run of the job fail",
    "AWS::Glue::Trigger": "nothing starts the job on its schedule",
    "AWS::Kinesis::Stream": "producers can't send, and what was not delivered is lost",
    "AWS::KinesisFirehose::DeliveryStream": "nothing reaches the raw bucket",
    "AWS::Lambda::Function": "nothing is delivered: what arrives goes under errors/",
    "AWS::S3::Bucket": "what was in it is lost, and what writes to it fails",
    "AWS::S3::BucketPolicy": "the bucket takes requests without TLS too",
}
"""What it means that a resource of this type is gone."""


def missing_line(drift: Drift, can_be_made_again: bool, stack_name: str) -> str:
    """Return one line on a resource that is gone: what that means, and the command that mends it."""
    means = _MEANS.get(drift.type, "what needs it fails")
    deploy = f"'loglake deploy --stack-name {stack_name}'"
    mend = f"{deploy} makes it again"
    if not can_be_made_again:
        mend = f"'loglake destroy --stack-name {stack_name}', then {deploy}; the buckets left stay as they are"
    return f"Missing: {drift.resource} ({drift.type.removeprefix('AWS::')}): {means}; {mend}"


def drift_table(stack_name: str, drifts: Iterable[Drift]) -> Table:
    """Return the table of what was changed by hand."""
    table = Table(title=f"Changed by hand in stack {stack_name}", title_justify="left", box=SIMPLE)
    table.add_column("Resource", no_wrap=True)
    for heading in ("Property", "Deployed", "Now"):
        table.add_column(heading, overflow="fold")
    for drift in drifts:
        table.add_row(drift.resource, Text(drift.property), Text(drift.expected), Text(drift.actual))
    return table


def changes_summary(changes: Iterable[Change]) -> str:
    """Return the counts per action: `46 Add, 1 Modify`."""
    actions = [change.action for change in changes]
    return ", ".join(f"{actions.count(action)} {action}" for action in dict.fromkeys(actions))


def show_events(console: Console, events: Iterable[Event], total: int) -> list[Event]:
    """Print each finished or failed resource as its event comes, with a bar on a terminal; return all events."""
    seen: list[Event] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("resources", total=total or None)  # how many a deletion has is not known
        for event in _noted(events, seen):
            status = event["ResourceStatus"]
            if status.endswith("_IN_PROGRESS"):
                continue
            console.print(_line(event), soft_wrap=True)
            if not concerns_stack(event):
                progress.advance(task)
    return seen


def outputs_table(stack_name: str, outputs: Mapping[str, str]) -> Table:
    """Return the stack's settings as a table."""
    table = Table(title=f"Settings of stack {stack_name}", title_justify="left", box=SIMPLE)
    table.add_column("Setting", no_wrap=True)
    table.add_column("Value", overflow="fold")
    for name in sorted(outputs):
        table.add_row(Text(name), Text(outputs[name]))
    return table


def next_commands(stack_name: str, ingest_mode: str) -> tuple[str, ...]:
    """Return what to run after a deployment."""
    prefix = "" if stack_name == "loglake" else f"LOGLAKE_STACK={stack_name} "
    sink = "kinesis" if ingest_mode == "stream" else "firehose"
    return tuple(
        prefix + command
        for command in (
            f"loglake produce --to {sink} --rate 50 --duration 10m",
            "loglake crawl && loglake curate",
            "loglake dashboard",
        )
    )


def _noted(events: Iterable[Event], seen: list[Event]) -> Iterator[Event]:
    for event in events:
        seen.append(event)
        yield event


def _line(event: Event) -> Text:
    status = event["ResourceStatus"]
    style = "red" if "FAILED" in status or "ROLLBACK" in status else "green"
    line = Text(f"{event['Timestamp']:%H:%M:%S}  ")
    line.append(f"{status:<28}", style)
    line.append(f"{event['LogicalResourceId']}  {event['ResourceType'].removeprefix('AWS::')}")
    if "FAILED" in status and event.get("ResourceStatusReason"):
        line.append(f"  {event['ResourceStatusReason']}", "red")
    return line
