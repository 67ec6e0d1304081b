"""`loglake produce` and `loglake verify`: the only module of this stage that reads argv and the environment."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click

from catalog import laptop, settings
from catalog.errors import LoglakeError
from catalog.options import stack_option
from producer.counts import Counts
from producer.flags import FOLDER, all_flags
from producer.options import Duration
from producer.produce import Run
from producer.progress import Progress, report

STOP_GRACE_S = 20.0
"""How long a stopped run tries to send what it holds; ECS kills a task after 30 s."""


@click.command()
@all_flags
def produce(stack_name: str | None, as_json: bool, **flags: Any) -> int:
    """Make log events, or ship real ones, to files (the default), stdout, Kinesis or Firehose.

    Without a flag: 7 days of 1000 events for each service and day, under ./logs. It ends with exact counts, and with
    exit code 1 if an event finally failed. SIGTERM and Ctrl-C send what was generated, then end the run; a second one
    ends it at once.
    """
    from producer.plan import Plan
    from producer.running import open_run

    plan = Plan(**flags)
    plan.check()
    counts, signals = Counts(), list[int]()
    run, work = open_run(plan, settings.load(stack_name), counts)
    _end_on_signals(run, signals)
    began, error = time.monotonic(), None
    moving = sys.stderr.isatty() and not (plan.to == "stdout" and sys.stdout.isatty())
    with Progress(plan.to, lambda: {**counts.snapshot(), "lag_ms": run.lag_ms}, moving, plan.total()) as progress:
        run.say = progress.say
        try:
            work()
        except LoglakeError as raised:
            error = raised
        except BrokenPipeError:  # the reader of stdout has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        error = _close(run, STOP_GRACE_S if signals else plan.retry_for) or error
    report(counts, run.dead_letters, time.monotonic() - began, as_json, err=plan.to == "stdout")
    if error:
        raise error
    return 130 if signal.SIGINT in signals else int(counts.failed > 0)


@click.command()
@stack_option
@click.option(
    "--ledger",
    "ledgers",
    type=FOLDER,
    multiple=True,
    help="Folder of a ledger; may be given several times.  [default: all in the data directory]",
)
@click.option(
    "--wait", type=Duration(), default="240", show_default=True, help="How long to wait for what is under way."
)
@click.option("--stack-name", help="The stack whose lake to verify.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def verify(ledgers: tuple[Path, ...], wait: float, stack_name: str | None, as_json: bool) -> int:
    """Count every stage against the producers' ledgers; exit 1 on a lost or doubled event.

    Events that belong to no ledger are another producer's: they are told apart, and are no failure.
    Delivery and curation take their time, so events may be under way at first: verify looks again until all stages
    agree, or until the wait is over. A producer may go on meanwhile; only minutes before the start are compared.
    """
    from producer.verdict import print_verdict
    from producer.verification import Verification, ledgers_of

    found = ledgers_of(ledgers, laptop.data_dir(None, os.environ))
    verification = Verification(found, settings.load(stack_name))
    verdict = verification.run(wait, lambda line: click.echo(line, err=True))
    print_verdict(verdict, as_json)
    return int(bool(verdict.findings))


def _end_on_signals(run: Run, signals: list[int]) -> None:
    def end(number: int, _: FrameType | None) -> None:
        signals.append(number)
        run.stopping.set()
        run.sink.hurry(STOP_GRACE_S if len(signals) == 1 else 0.0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _close(run: Run, grace_s: float) -> LoglakeError | None:
    try:
        run.sink.close(grace_s)
    except LoglakeError as error:
        return error
    return None
