"""`loglake up | down | status | logs | doctor | env`: the whole chain on this machine."""

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click

from catalog import laptop
from catalog.errors import LoglakeError, UsageError
from catalog.laptop import process_of
from catalog.options import data_dir_option, running_data_dir_option

STAGES = ("endpoint", "producer", "consumer", "dashboard", "alerts", "deploy", "up")


@click.command()
@data_dir_option
@click.option(
    "--rate", type=click.FloatRange(min=0.1, max=20_000), default=200, show_default=True, help="Events per second."
)
@click.option(
    "--backfill-days",
    type=click.FloatRange(min=0, max=90),
    default=2,
    show_default=True,
    help="Days of thinned history on a first start.",
)
@click.option("--port", type=click.IntRange(1024, 65535), default=8050, show_default=True, help="The dashboard's port.")
@click.option(
    "--endpoint-port",
    type=click.IntRange(1024, 65535),
    default=4566,
    show_default=True,
    help="The AWS endpoint's port.",
)
@click.option("--detach", is_flag=True, help="Return once everything is healthy, and leave it running.")
def up(data_dir: Path, rate: float, backfill_days: float, port: int, endpoint_port: int, detach: bool) -> None:
    """Run the whole chain here: endpoint, stack, producer, consumer, delivery, crawler, job, Athena, dashboard.

    Ctrl-C stops all of it; what was acknowledged stays in the data directory and is there at the next start.
    """
    from localcloud import file_limit, leftovers, preflight, screen
    from localcloud import up as chain
    from localcloud.workspace import Workspace

    if port == endpoint_port:
        raise UsageError(f"--port and --endpoint-port must differ; got {port} for both")
    workspace = Workspace(data_dir)
    workspace.claim()
    plan = chain.Plan(workspace, rate, backfill_days, port, endpoint_port)
    with workspace.lock() as lock:
        leftovers.end_leftovers(workspace, _say)
        file_limit.raise_limit()
        preflight.require(workspace.path, {"--port": port, "--endpoint-port": endpoint_port}, os.environ)
        if detach:
            lock.close()
            chain.detach(plan)
            _say(f"healthy: {plan.dashboard_url} · stop it with 'loglake down'")
            _say(screen.FIRST_ROWS)
            return
        _stop_on_signals()
        screen.run(plan)


def _stop_on_signals() -> None:
    """Have SIGTERM and a closed terminal stop the chain as Ctrl-C does; `nohup` still keeps it running."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    click.echo(text)


@click.command()
@running_data_dir_option
def down(data_dir: Path) -> None:
    """Stop what `loglake up` runs on a data directory; the data stays."""
    from localcloud.leftovers import end_leftovers
    from localcloud.processes import end
    from localcloud.workspace import Workspace, read_object

    workspace = Workspace(data_dir)
    owner = process_of(read_object(workspace.run_file))
    if owner is not None:
        _say(f"stopping 'loglake up' (process {owner.pid})")
        end(owner, timeout_s=90)
    if not end_leftovers(workspace, _say) and owner is None:
        _say(f"nothing runs on {workspace.path}")
        return
    _say("stopped; the data stays in " + str(workspace.path))


@click.command()
@running_data_dir_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--watch", is_flag=True, help="Ask again every few seconds until Ctrl-C.")
def status(data_dir: Path, as_json: bool, watch: bool) -> int:
    """Show what every stage is doing; exits 1 when one has failed or nothing runs."""
    from localcloud import screen
    from localcloud import status as state
    from localcloud.workspace import Workspace

    workspace = Workspace(data_dir)
    if watch and not as_json:
        screen.watch(workspace)
    found = state.collect(workspace)
    answer = state.as_json(found)
    if as_json:
        click.echo(json.dumps(answer, indent=1))
    else:
        screen.show(found)
    return 0 if answer["healthy"] else 1


@click.command()
@running_data_dir_option
@click.argument("stage", type=click.Choice(STAGES), required=False)
@click.option("--lines", type=click.IntRange(1, 100_000), default=40, show_default=True, help="How many lines of each.")
@click.option("--follow", is_flag=True, help="Go on as lines are written, until Ctrl-C.")
def logs(data_dir: Path, stage: str | None, lines: int, follow: bool) -> None:
    """Show the last lines of a stage's log, or of every stage's."""
    from localcloud.workspace import Workspace

    folder = Workspace(data_dir).logs
    if not folder.is_dir():
        raise LoglakeError(f"nothing has run on {str(data_dir)!r}, so there are no logs; start it with 'loglake up'")
    if not laptop.is_running(data_dir):
        click.echo(f"nothing runs on {data_dir} now; 'loglake up' starts it; these are its last words", err=True)
    if follow and stage is None:
        raise UsageError(f"--follow takes one stage of {', '.join(STAGES)}; got none")
    for name in [stage] if stage else STAGES:
        path = folder / f"{name}.log"
        if not path.exists():
            if stage:
                raise LoglakeError(f"no log of {name!r} in {str(folder)!r}; start the chain with 'loglake up'")
            continue
        if stage is None:
            click.echo(f"== {name}")
        click.echo("\n".join(path.read_text(encoding="utf-8", errors="replace").rstrip().split("\n")[-lines:]))
        if follow:
            _follow(path)


def _follow(path: Path) -> None:
    with path.open(encoding="utf-8", errors="replace") as handle:
        handle.seek(0, 2)
        while True:
            text = handle.read()
            if text:
                click.echo(text, nl=False)
            time.sleep(0.3)


@click.command()
@running_data_dir_option
@click.option("--port", type=int, default=8050, show_default=True)
@click.option("--endpoint-port", type=int, default=4566, show_default=True)
@click.option("--aws", is_flag=True, help="Look at the AWS account instead: credentials, region, quotas.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def doctor(data_dir: Path, port: int, endpoint_port: int, aws: bool, as_json: bool) -> int:
    """Say what this machine has and lacks for `loglake up`; exits 1 when something is missing.

    With --aws: what the account has and lacks for `loglake deploy`.
    """
    from localcloud import account, preflight

    ports = {"--port": port, "--endpoint-port": endpoint_port}
    run = laptop.read_run(data_dir) if laptop.is_running(data_dir) else {}
    held = [urlsplit(run[name]).port or 0 for name in ("endpoint_url", "dashboard_url") if name in run]
    found = list(account.account_checks() if aws else preflight.checks(data_dir, ports, os.environ, held))
    if as_json:
        rows = [{"subject": c.subject, "found": c.found, "ok": c.ok, "mend": c.mend} for c in found]
        click.echo(json.dumps(rows, indent=1))
    else:
        for check in found:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.subject:<12} {check.found}")
            if check.mend:
                click.echo(f"      {'':<12} -> {check.mend}")
    return 0 if all(check.ok for check in found) else 1


@click.command()
@running_data_dir_option
def env(data_dir: Path) -> None:
    """Print what points this shell at the laptop: eval "$(loglake env)".

    It puts `loglake` itself on the PATH too, unless it is there.
    """
    run = laptop.read_run(data_dir)
    if not laptop.is_running(data_dir):
        raise LoglakeError(f"nothing runs on {str(data_dir)!r}; start it with 'loglake up'")
    if sys.stdout.isatty():
        click.echo('# eval "$(loglake env)" sets these in your shell', err=True)
    folder = laptop.commands_folder()
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        click.echo(f'export PATH={shlex.quote(folder)}:"$PATH"')
    for name, value in laptop.variables(run["endpoint_url"], data_dir).items():
        click.echo(f"export {name}={shlex.quote(value)}")
