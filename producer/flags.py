"""The flags of `loglake produce`, in the groups in which the help and the documentation show them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from catalog import laptop
from producer.options import Burst, Duration, EventCount, Moment, Rate, TimeZone
from producer.shape import KINDS

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)

Flag = Callable[[Any], Any]
Command = TypeVar("Command")


def _list_scenarios(context: click.Context, _: click.Parameter, asked: bool) -> None:
    from producer.scenarios import SCENARIOS

    if asked:
        for scenario in SCENARIOS:
            click.echo(f"{scenario.name:<20}{scenario.description}")
        context.exit()


def _flag(*names: str, **settings: Any) -> Flag:
    return click.option(*names, **settings)


GROUPS: Mapping[str, tuple[Flag, ...]] = {
    "Where to": (
        _flag(
            "--to",
            type=click.Choice(["files", "stdout", "kinesis", "firehose"]),
            default="files",
            show_default=True,
            help="Where the events go.",
        ),
        _flag("--output-dir", type=FOLDER, default="logs", show_default=True, help="files: the folder of folders."),
        _flag(
            "--format",
            "file_format",
            type=click.Choice(["json", "csv"]),
            default="json",
            show_default=True,
            help="files: JSON lines, or CSV with a header.",
        ),
        _flag("--gzip", is_flag=True, help="files: pack them."),
        _flag("--stream", help="kinesis: the stream; the stack's by default."),
        _flag("--delivery-stream", help="firehose: the delivery stream; the stack's by default."),
        _flag("--stack-name", help="The stack whose names to use."),
    ),
    "How much, how fast": (
        _flag("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="files: days, up to today."),
        _flag("--entries", type=click.IntRange(1), default=1000, show_default=True, help="files: a day and service."),
        _flag(
            "--rate",
            type=Rate(),
            default="200",
            show_default=True,
            help="Live events a second: 200, 50..400 by the time of day, or max.",
        ),
        _flag("--shape", type=click.Choice(KINDS), help="How the rate follows the time; a range follows the week."),
        _flag("--time-zone", type=TimeZone(), help="Whose day and week: Europe/Berlin; UTC by default."),
        _flag("--burst", type=Burst(), help="Bursts on top: 5x10s/1m is five times the rate for 10 s of every minute."),
        _flag("--duration", type=Duration(), help="Live traffic for so long: 60s, 5m, 2h; for ever by default."),
        _flag("--count", type=click.IntRange(0), help="At most so many live events."),
        _flag("--start", type=Moment(), help="Event time begins here: 2026-11-01T00:00:00Z; now by default."),
        _flag("--backfill", type=Duration(), help="First fill so much of the past at full speed: 7d."),
        _flag(
            "--backfill-events",
            type=EventCount(),
            default="200000",
            show_default=True,
            help="Events to thin the past to; all for as many as the rate makes.",
        ),
        _flag("--backfill-whole", type=Duration(), help="The last part of the past that is not thinned: 30m."),
    ),
    "What": (
        _flag("--seed", type=click.IntRange(0), help="The same seed, start and flags give the same bytes."),
        _flag("--scenario", multiple=True, help="An incident: a name or a .yaml file; may be given several times."),
        _flag(
            "--list-scenarios",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_list_scenarios,
            help="Explain them.",
        ),
        _flag(
            "--malformed", type=click.FloatRange(0, 1), default=0.0, help="Share of events broken on purpose: 0.001."
        ),
        _flag("--schema", type=FILE, help="Events of your own: a .yaml file of fields."),
    ),
    "Real logs": (
        _flag("--from", "source", help="Ship what an application writes: a file, or - for standard input."),
        _flag("--follow", is_flag=True, help="Go on as the file grows, through rotation and truncation."),
        _flag(
            "--read-as",
            type=click.Choice(["auto", "json", "access", "csv"]),
            help="How lines are read; auto, the default, goes by the line.",
        ),
        _flag("--mapping", type=FILE, help="A .yaml file that says which of their fields is which of ours."),
        _flag("--service", help="The service of lines that name none; the file's name by default."),
        _flag(
            "--spool",
            type=FOLDER,
            default=lambda: laptop.data_dir(None, os.environ) / "spool",
            show_default="spool in the data directory",
            help="Folder of what is accepted and not yet acknowledged, and of how far each file is read.",
        ),
    ),
    "When it fails": (
        _flag(
            "--retry-for", type=Duration(), default="5m", show_default=True, help="How long to retry a failing call."
        ),
        _flag("--max-age", type=Duration(), help="Give up events that were not sent in so long; never by default."),
        _flag("--dead-letters", type=FILE, help="File for what finally failed."),
        _flag("--replay", type=FILE, help="Send the events of a dead-letter file, only."),
        _flag("--ledger", type=FOLDER, help="kinesis, firehose: folder of the ledger that 'loglake verify' reads."),
        _flag("--json", "as_json", is_flag=True, help="Print the counts as one JSON object at the end."),
    ),
}
"""Heading -> its flags."""


def all_flags(command: Command) -> Command:
    """Give a command every flag, in the order of the groups."""
    for flag in reversed([flag for group in GROUPS.values() for flag in group]):
        command = flag(command)
    return command
