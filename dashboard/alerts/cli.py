"""`loglake alerts`: evaluate the alert rules, and see and acknowledge what fires from a terminal."""

import getpass
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click

from catalog.errors import UsageError
from dashboard.folders import asked_state, served_folders


@click.group()
def alerts() -> None:
    """Evaluate alert rules over the minute rollup; see, acknowledge and silence what fires."""


@alerts.command()
@click.option(
    "--interval", default=60.0, show_default=True, type=click.FloatRange(5, 3600), help="Seconds between rounds."
)
@click.option("--once", is_flag=True, help="Evaluate once and exit: 1 when something fires.")
@served_folders
def run(interval: float, once: bool, cache_dir: Path, state_dir: Path) -> None:
    """Evaluate the rules every minute until stopped."""
    from catalog.settings import load
    from dashboard.alerts.evaluator import Evaluator
    from dashboard.alerts.rules import RuleFile
    from dashboard.alerts.store import AlertStore
    from dashboard.cli import make_lake, scope
    from dashboard.state import StateFile

    settings = load()
    lake = make_lake(settings, cache_dir / scope(settings, os.environ.get("AWS_ENDPOINT_URL", "")))
    evaluator = Evaluator(lake, RuleFile(state_dir), AlertStore(StateFile(state_dir)))
    if once:
        done = evaluator.once()
        click.echo(f"{done.rules} rules, {done.breaches} breaches" + (f"; {done.error}" if done.error else ""))
        sys.exit(1 if done.breaches or done.error else 0)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    evaluator.run(interval, stopping, lambda line: click.echo(f"{time.strftime('%H:%M:%S')} {line}"))


@alerts.command("list")
@click.option("--json", "as_json", is_flag=True)
@asked_state
def list_(as_json: bool, state_dir: Path) -> None:
    """List what fires, with its link into Explore."""
    found = _store(state_dir).open_firings()
    if as_json:
        click.echo(json.dumps(found))
        return
    for firing in found:
        by = f", acknowledged by {firing['acknowledged_by']}" if firing["acknowledged_by"] else ""
        click.echo(
            f"{firing['id']:>5} {firing['severity']:<6} {firing['state']:<8} {firing['rule']}: {firing['text']}{by}"
        )
    if not found:
        click.echo("nothing fires")


@alerts.command()
@click.argument("firing", type=int)
@click.option("--note", default="", help="What is being done about it.")
@asked_state
def ack(firing: int, note: str, state_dir: Path) -> None:
    """Acknowledge the FIRING of that number: you are on it."""
    if not _store(state_dir).acknowledge(firing, getpass.getuser(), time.time(), note):
        raise UsageError(f"FIRING must be the number of what fires; got {firing}; 'loglake alerts list' shows them")
    click.echo(f"{firing} is acknowledged")


def _store(state_dir: Path) -> Any:
    from dashboard.alerts.store import AlertStore
    from dashboard.state import StateFile

    return AlertStore(StateFile(state_dir))
