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
        click.echo(str(done))
        sys.exit(1 if done.breaches or done.error else 0)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    evaluator.run(interval, stopping, lambda line: click.echo(f"{time.strftime('%H:%M:%S')} {line}"))


@alerts.command("list")
@click.option("--json", "as_json", is_flag=True)
@asked_state
def list_(as_json: bool, state_dir: Path) -> None:
    """List what fires, with its link into Explore, and what is not known."""
    from dashboard.alerts.messages import link, unknown_lines
    from dashboard.alerts.rules import RuleFile

    store, address = _store(state_dir), RuleFile(state_dir).address()
    found = [{**firing, "link": link(address, firing["query"])} for firing in store.open_firings()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for firing in found:
        click.echo(_line(firing))
    evaluations = store.evaluations()
    unknown = unknown_lines(evaluations)
    for line in unknown:
        click.echo(line)
    if not found:
        click.echo("nothing fires" + (" of what is known" if unknown else ""))
    click.echo(_last_judged(evaluations))


@alerts.command()
@click.argument("firing", type=int)
@click.option("--note", default="", help="What is being done about it.")
@asked_state
def ack(firing: int, note: str, state_dir: Path) -> None:
    """Acknowledge the FIRING of that number: you are on it."""
    if not _store(state_dir).acknowledge(firing, getpass.getuser(), time.time(), note):
        raise UsageError(f"FIRING must be the number of what fires; got {firing}; 'loglake alerts list' shows them")
    click.echo(f"{firing} is acknowledged")


def _line(firing: dict[str, Any]) -> str:
    from dashboard.wording import from_epoch, moment

    since = f"since {moment(from_epoch(firing['started_at']))}"
    by = f", acknowledged by {firing['acknowledged_by']}" if firing["acknowledged_by"] else ""
    head = f"{firing['id']:>5} {firing['severity']:<6} {firing['state']:<8} {firing['rule']}: {firing['text']}"
    return f"{head}\n      {since}{by}; {firing['link']}"


def _last_judged(evaluations: dict[str, dict[str, Any]]) -> str:
    from dashboard.alerts.messages import LATE_SECONDS
    from dashboard.wording import age

    latest = max((found["at"] for found in evaluations.values()), default=None)
    if latest is None:
        return "no rule was evaluated yet; run 'loglake alerts run'"
    late = time.time() - latest
    running = "; is 'loglake alerts run' running?" if late > LATE_SECONDS else ""
    return f"evaluated {age(late)} ago{running}"


def _store(state_dir: Path) -> Any:
    from dashboard.alerts.store import AlertStore
    from dashboard.state import StateFile

    return AlertStore(StateFile(state_dir))
