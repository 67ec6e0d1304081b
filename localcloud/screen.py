"""The terminal of `loglake up` and `loglake status`: a live table on a terminal, plain lines elsewhere."""

import contextlib
import signal
import threading
import time

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from localcloud.status import Stage, collect
from localcloud.up import Chain, Plan
from localcloud.workspace import Workspace

REFRESH_S = 5
FIRST_ROWS = "On a first start the live page moves at once, and the first rows of history come in about two minutes."
PLAIN_LINE_S = 60
STATE_STYLES = {"running": "green", "idle": "green", "waiting": "yellow", "failed": "bold red", "stopped": "red"}


def run(plan: Plan) -> None:
    """Start the chain, show it until Ctrl-C or SIGTERM, then stop it; one that came too early is raised again."""
    console = Console()
    chain = Chain(plan, console.print if console.is_terminal else _plain)
    try:
        chain.start()
        console.print(
            f"\nLoglake runs: {plan.dashboard_url}   (Ctrl-C stops it, the data stays in {plan.workspace.path})\n"
            f"{FIRST_ROWS}\n"
        )
        if console.is_terminal:
            _tend_with_table(chain, console)
        else:
            _tend_with_lines(chain)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            console.print()
        if not chain.is_healthy:  # it was still starting: what was asked for is not there
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not lose a stage
            signal.signal(number, signal.SIG_IGN)
        chain.stop()
        with contextlib.suppress(OSError):
            console.print("stopped; nothing acknowledged is lost")


def watch(workspace: Workspace) -> None:
    """Show the table until Ctrl-C."""
    with Live(table(collect(workspace)), auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_S)
            live.update(table(collect(workspace)), refresh=True)


def show(stages: list[Stage]) -> None:
    """Print the table once; plain lines when piped."""
    console = Console()
    if console.is_terminal:
        console.print(table(stages))
    else:
        for stage in stages:
            click.echo(_line(stage))


def table(stages: list[Stage]) -> Table:
    """Return the status table: one row per stage, in the order of the flow."""
    result = Table(box=None, pad_edge=False, header_style="dim")
    result.add_column("stage", no_wrap=True)
    result.add_column("state", no_wrap=True)
    result.add_column("", overflow="fold")
    for stage in stages:
        result.add_row(stage.name, f"[{STATE_STYLES[stage.state]}]{stage.state}[/]", Text(stage.detail))
    return result


def _tend_with_table(chain: Chain, console: Console) -> None:
    stages: list[Stage] = []
    stop = threading.Event()

    def refresh() -> None:
        while not stop.is_set():
            stages[:] = collect(chain.plan.workspace)
            stop.wait(REFRESH_S)

    threading.Thread(target=refresh, daemon=True).start()
    try:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                chain.tend()
                live.update(table(list(stages)), refresh=True)
                time.sleep(1)
    finally:
        stop.set()


def _tend_with_lines(chain: Chain) -> None:
    due = time.monotonic()
    while True:
        chain.tend()
        if time.monotonic() >= due:
            due = time.monotonic() + PLAIN_LINE_S
            for stage in collect(chain.plan.workspace):
                _plain(_line(stage))
        time.sleep(1)


def _line(stage: Stage) -> str:
    return f"{stage.name:<9} {stage.state:<8} {stage.detail}"


def _plain(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk, or a terminal that is gone
        print(text, flush=True)
