"""The options that name the dashboard's folders: its state and its cache, by default in the data directory."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from catalog import laptop
from catalog.options import FOLDER, HOW, running_data_dir

Command = Callable[..., Any]
_STATE = click.option(
    "--state-dir",
    type=FOLDER,
    help="Where users, saved views and alerts are kept.  [default: dashboard in the data directory]",
)
_CACHE = click.option(
    "--cache-dir",
    type=FOLDER,
    help="Where answers are kept; on a local disk, may be deleted.  [default: dashboard-cache in the data directory]",
)


def asked_state(command: Command) -> Command:
    """Add the options of a command about a dashboard that runs: it finds that one's state folder by itself."""

    @wraps(command)
    def resolved(*arguments: Any, data_dir: Path | None, state_dir: Path | None, **rest: Any) -> Any:
        return command(*arguments, state_dir=state_dir or running_data_dir(data_dir) / "dashboard", **rest)

    text = f"Whose dashboard: that of a 'loglake up'.  [default: {HOW}, else the newest that runs]"
    return click.option("--data-dir", type=FOLDER, help=text)(_STATE(resolved))


def served_folders(command: Command) -> Command:
    """Add the options of a command that serves a lake, which need not be that of the laptop that runs."""

    @wraps(command)
    def resolved(*arguments: Any, data_dir: Path | None, **rest: Any) -> Any:
        folder = laptop.data_dir(data_dir, os.environ)
        rest["state_dir"] = rest["state_dir"] or folder / "dashboard"
        rest["cache_dir"] = rest["cache_dir"] or folder / "dashboard-cache"
        return command(*arguments, **rest)

    text = f"Where the state and the cache are kept.  [default: {HOW}]"
    return click.option("--data-dir", type=FOLDER, help=text)(_CACHE(_STATE(resolved)))
