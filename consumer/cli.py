"""`loglake consume` and `loglake tail`: the stream's live path, written and watched."""

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from catalog.errors import LoglakeError, UsageError
from catalog.names import key_name
from catalog.options import stack_option
from catalog.schema import LEVEL_ALIASES, LEVELS
from catalog.settings import Settings, load

ENGINES = ("auto", "kcl", "poll")


def _say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}")
    sys.stdout.flush()


@click.command()
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="kcl: the Kinesis Client Library; poll: boto3, in one process; auto: kcl where it is installed.",
)
@click.option(
    "--start",
    type=click.Choice(("recent", "latest", "horizon")),
    default="recent",
    show_default=True,
    help="Where a stream never read before starts: ten minutes ago, now, or at its oldest record.",
)
@click.option("--health-file", type=click.Path(path_type=Path, dir_okay=False), help="Rewritten every two seconds.")
@click.option("--work-dir", type=click.Path(path_type=Path, file_okay=False), help="For the KCL's generated files.")
@click.option("--worker-id", help="Name of this KCL worker; default: its host and process.")
@click.option(
    "--kcl-property", "properties", multiple=True, metavar="NAME=VALUE", help="A property of the KCL's daemon."
)
def consume(
    engine: str,
    start: str,
    health_file: Path | None,
    work_dir: Path | None,
    worker_id: str | None,
    properties: Sequence[str],
) -> None:
    """Read the stream into live counters and recent events, until Ctrl-C or SIGTERM; both stop it cleanly."""
    from consumer import kcl, kcl_run, run

    names = _names(load())
    chosen, why = kcl.choose(engine, os.environ)
    _say(f"consume: engine {chosen} ({why}), stream {names.stream}, table {names.table}")
    stop = threading.Event()
    _stop_on_signals(stop)
    if chosen == "poll":
        run.poll(names, stop, _say, start, health_file, os.environ)
    else:
        options = kcl.Options(start, work_dir, worker_id, _properties(properties))
        kcl_run.run(names, stop, _say, options, health_file, os.environ)
    _say("consume: stopped; everything read is written and checkpointed")


def _properties(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for text, (name, separator, _) in zip(texts, pairs, strict=True):
        if not name or not separator:
            raise UsageError(f"--kcl-property must be NAME=VALUE; got {text!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _names(settings: Settings) -> Any:
    from consumer.run import Names

    if settings.ingest_mode != "stream" or not settings.stream:
        raise LoglakeError(
            "the live path needs a stream; this stack's IngestMode is 'direct'; "
            "run 'loglake deploy --parameter IngestMode=stream'"
        )
    return Names(settings.stream, settings.live_table, settings.region)


def _stop_on_signals(stop: threading.Event) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


@click.command()
@stack_option
@click.option("--service", "services", multiple=True, help="Only this one; repeat, or separate by commas, for more.")
@click.option("--level", "levels", multiple=True, help="Only this one, such as ERROR; repeat for more.")
@click.option("--grep", metavar="REGEX", help="Only events in which this is found, in whatever case.")
@click.option("--lines", type=click.IntRange(0, 5000), default=20, show_default=True, help="Recent ones to begin with.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--duration", type=click.FloatRange(min=0), help="Seconds to follow; default: until Ctrl-C.")
def tail(
    services: Sequence[str],
    levels: Sequence[str],
    grep: str | None,
    lines: int,
    as_json: bool,
    duration: float | None,
) -> None:
    """Follow the stream's events as they arrive. On a terminal the space bar pauses and goes on, and q ends it."""
    import boto3

    from catalog.live_feed import Feed
    from consumer.tail import Filter, Follower, known

    wanted = Filter(tuple(map(key_name, known(services))), _levels(known(levels)), _pattern(grep))
    names = _names(load())
    follower = Follower(Feed(boto3.client("dynamodb"), names.table), wanted, lines)
    _follow(follower, as_json, duration)


def _levels(names: Sequence[str]) -> tuple[str, ...]:
    found = [LEVEL_ALIASES.get(name.upper(), name.upper()) for name in names]
    for name, level in zip(names, found, strict=True):
        if level not in LEVELS:
            raise UsageError(f"--level must be one of {', '.join(LEVELS)}; got {name!r}")
    return tuple(found)


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(grep, re.IGNORECASE) if grep else None
    except re.error as error:
        raise UsageError(f"--grep must be a regular expression ({error}); got {grep!r}") from None


def _follow(follower: Any, as_json: bool, duration: float | None) -> None:
    from consumer.keys import Keys
    from consumer.tail import Look, line

    deadline = None if duration is None else time.monotonic() + duration
    with Keys(sys.stdin if sys.stdout.isatty() else None) as keys:
        while True:
            is_terminal = sys.stdout.isatty()
            width = shutil.get_terminal_size((80, 24)).columns if is_terminal else 0
            look = Look(width, is_terminal and "NO_COLOR" not in os.environ, as_json)
            events, said = follower.step()
            for event in events:
                click.echo(line(event, look))
            for text in said:
                click.echo(f"-- {text}", err=True)
            sys.stdout.flush()
            if deadline is not None and time.monotonic() >= deadline:
                return
            if not _obey(keys.wait(0.5), follower):
                return


def _obey(key: str, follower: Any) -> bool:
    """Do what a key asks for; return False when it ends the tail."""
    if key == " ":
        follower.paused = not follower.paused
        click.echo("-- paused; the space bar goes on" if follower.paused else "-- going on", err=True)
    elif follower.paused and sys.stderr.isatty():
        click.echo(f"\r-- paused, {follower.waiting:,} waiting\r", err=True, nl=False)
    return key not in ("q", "\x04")
