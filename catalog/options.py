"""The option `--data-dir`, alike on every command that takes one, and how a command finds the laptop's stack by it."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from catalog import laptop
from catalog.errors import LoglakeError

Command = Callable[..., Any]
FOLDER = click.Path(path_type=Path, file_okay=False)
HOW = "LOGLAKE_DATA_DIR, else .loglake"


def data_dir_option(command: Command) -> Command:
    """Add `--data-dir` for a command that starts something; it is called with an absolute path."""
    option = click.option("--data-dir", type=FOLDER, help=f"Where all of it is kept.  [default: {HOW}]")
    return option(_with(command, lambda given: laptop.data_dir(given, os.environ)))


def running_data_dir_option(command: Command) -> Command:
    """Add `--data-dir` for a command about something that runs; one that nobody named is said on stderr."""
    text = f"Which 'loglake up'.  [default: {HOW}, else the newest that runs]"
    return click.option("--data-dir", type=FOLDER, help=text)(_with(command, running_data_dir))


def stack_option(command: Command) -> Command:
    """Add `--data-dir` for a command that reads a stack: the laptop's that runs, unless the shell means another AWS.

    The shell says so by one of `catalog.laptop.AWS_VARIABLES`, which only `--data-dir` overrules.
    """
    text = "Ask the laptop that runs there.  [default: as the AWS variables say, else the newest that runs]"

    @wraps(command)
    def pointed(*arguments: Any, data_dir: Path | None, **rest: Any) -> Any:
        point_at_laptop(data_dir)
        return command(*arguments, **rest)

    return click.option("--data-dir", type=FOLDER, help=text)(pointed)


def point_at_laptop(given: Path | None) -> None:
    """Point this process at a laptop's endpoint; raise `LoglakeError` when nothing runs on a directory given."""
    if given is None and laptop.names_aws(os.environ):
        return
    found = laptop.find(given, os.environ)
    if not laptop.is_running(found.path):
        if given:
            raise LoglakeError(f"nothing runs on {str(found.path)!r}; start it with 'loglake up'")
        return
    run = laptop.read_run(found.path)
    if given is None:
        click.echo(f"loglake: asks the laptop at {run['endpoint_url']} ({found.path})", err=True)
    stack = os.environ.get("LOGLAKE_STACK")
    os.environ.update(laptop.variables(run["endpoint_url"], found.path) | ({"LOGLAKE_STACK": stack} if stack else {}))


def running_data_dir(given: Path | None) -> Path:
    """Return the data directory of what runs, and say on stderr which one was taken when nobody named it."""
    found = laptop.find(given, os.environ)
    if found.is_guess:
        click.echo(f"loglake: takes the newest 'loglake up', {found.path}", err=True)
    return found.path


def _with(command: Command, resolve: Callable[[Path | None], Path]) -> Command:
    @wraps(command)
    def resolved(*arguments: Any, data_dir: Path | None, **rest: Any) -> Any:
        return command(*arguments, data_dir=resolve(data_dir), **rest)

    return resolved
