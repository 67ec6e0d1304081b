"""`loglake produce` and `loglake verify`: the only module of this stage that reads argv and the environment."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click
import orjson

from catalog import settings
from catalog.errors import LoglakeError
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.options import Duration, Moment, Rate
from producer.produce import Run

STOP_GRACE_S = 20.0
"""How long a stopped run tries to send what it holds; ECS kills a task after 30 s."""
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _list_scenarios(context: click.Context, _: click.Parameter, asked: bool) -> None:
    from producer.scenarios import SCENARIOS

    if asked:
        for scenario in SCENARIOS:
            click.echo(f"{scenario.name:<20}{scenario.description}")
        context.exit()


@click.command()
@click.option(
    "--to",
    type=click.Choice(["files", "stdout", "kinesis", "firehose"]),
    default="files",
    show_default=True,
    help="Where the events go.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="files: days, up to today.")
@click.option("--entries", type=click.IntRange(1), default=1000, show_default=True, help="files: a day and service.")
@click.option("--output-dir", type=_FOLDER, default="logs", show_default=True, help="files: the folder of folders.")
@click.option(
    "--rate",
    type=Rate(),
    default="200",
    show_default=True,
    help="Live events a second: 200, 50..400 by the time of day, or max.",
)
@click.option("--duration", type=Duration(), help="Live traffic for so long: 60s, 5m, 2h; for ever by default.")
@click.option("--count", type=click.IntRange(0), help="At most so many live events.")
@click.option("--start", type=Moment(), help="Event time begins here: 2026-11-01T00:00:00Z; now by default.")
@click.option("--seed", type=click.IntRange(0), help="The same seed, start and flags give the same bytes.")
@click.option("--malformed", type=click.FloatRange(0, 1), default=0.0, help="Share of events broken on purpose: 0.001.")
@click.option("--scenario", multiple=True, help="An incident: a name or a .yaml file; may be given several times.")
@click.option(
    "--list-scenarios", is_flag=True, is_eager=True, expose_value=False, callback=_list_scenarios, help="Explain them."
)
@click.option("--backfill", type=Duration(), help="First fill so much of the past at full speed: 2d.")
@click.option(
    "--backfill-events", type=click.IntRange(1), default=200_000, show_default=True, help="Events to thin the past to."
)
@click.option("--stream", help="kinesis: the stream; the stack's by default.")
@click.option("--delivery-stream", help="firehose: the delivery stream; the stack's by default.")
@click.option("--stack-name", help="The stack whose names to use.")
@click.option("--ledger", type=_FOLDER, help="kinesis, firehose: folder of the ledger that 'loglake verify' reads.")
@click.option("--dead-letters", type=click.Path(dir_okay=False, path_type=Path), help="File for what finally failed.")
@click.option(
    "--replay", type=click.Path(dir_okay=False, path_type=Path), help="Send the events of a dead-letter file, only."
)
@click.option("--retry-for", type=Duration(), default="5m", show_default=True, help="How long to retry a failing call.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object at the end.")
def produce(stack_name: str | None, as_json: bool, **flags: Any) -> int:
    """Make log events and send them to files (the default), stdout, Kinesis or Firehose.

    Without a flag: 7 days of 1000 events for each service and day, under ./logs. It ends with exact counts, and with
    exit code 1 if an event finally failed. SIGTERM and Ctrl-C send what was generated, then end the run.
    """
    from producer.plan import Plan, dead_letters_of, generate, open_sink
    from producer.progress import Progress

    plan = Plan(**flags)
    plan.check()
    counts, dead_letters, signals = Counts(), dead_letters_of(plan), list[int]()
    run = Run(open_sink(plan, settings.load(stack_name), counts, dead_letters), counts)
    _end_on_signals(run, signals)
    began, error = time.monotonic(), None
    with Progress(lambda: {**counts.snapshot(), "lag_ms": run.lag_ms}, sys.stderr.isatty() and plan.to != "stdout"):
        try:
            generate(plan, run)
        except LoglakeError as raised:
            error = raised
        except BrokenPipeError:  # the reader of stdout has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        error = _close(run, STOP_GRACE_S if signals else plan.retry_for) or error
    _report(counts, dead_letters, time.monotonic() - began, as_json, err=plan.to == "stdout")
    if error:
        raise error
    return 130 if signal.SIGINT in signals else int(counts.failed > 0)


@click.command()
@click.option("--ledger", type=_FOLDER, default=".loglake/ledger", show_default=True, help="Folder of the ledger.")
@click.option(
    "--wait", type=Duration(), default="240", show_default=True, help="How long to wait for what is under way."
)
@click.option("--stack-name", help="The stack whose lake to verify.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def verify(ledger: Path, wait: float, stack_name: str | None, as_json: bool) -> int:
    """Count every stage against the producer's ledger; exit 1 on a lost or doubled event.

    Delivery and curation take their time, so events may be under way at first: verify looks again until all stages
    agree, or until the wait is over. A producer may go on meanwhile; only minutes before the start are compared.
    """
    from producer.verdict import print_verdict
    from producer.verification import Verification

    verification = Verification(ledger, settings.load(stack_name))
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


def _report(counts: Counts, dead_letters: DeadLetters, elapsed_s: float, as_json: bool, err: bool) -> None:
    totals = counts.snapshot()
    for reason, events in dead_letters.reasons.items():
        click.echo(f"failed: {events:,} events in {dead_letters.path}: {reason}", err=True)
    if as_json:
        click.echo(orjson.dumps({**totals, "elapsed_s": round(elapsed_s, 3)}).decode(), err=err)
        return
    rate = totals["generated"] / elapsed_s if elapsed_s else 0.0
    per_record = totals["acknowledged"] / totals["records"] if totals["records"] else 0.0
    click.echo(
        f"generated {totals['generated']:,} = acknowledged {totals['acknowledged']:,} + failed {totals['failed']:,}"
        f" in {elapsed_s:,.1f} s ({rate:,.1f}/s); malformed {totals['malformed']:,}, {totals['bytes']:,} bytes"
        + (f", {totals['calls']:,} calls, {per_record:.1f} events a record" if totals["records"] else ""),
        err=True,
    )
