"""A verdict as a reader sees it: a table, or one JSON object."""

from collections import Counter
from dataclasses import asdict

import click
import orjson
from rich.console import Console
from rich.table import Table

from producer.verification import Verdict
from producer.verify import ALL

MOST_ROWS = 40
_MOST_SERVICES = 6


def print_verdict(verdict: Verdict, as_json: bool) -> None:
    """Print the verdict: what each stage holds, then every disagreement."""
    if as_json:
        click.echo(orjson.dumps({"ok": not verdict.findings, **asdict(verdict)}).decode())
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{_ledgers(verdict)}: {verdict.acknowledged:,} acknowledged, {verdict.in_doubt:,} in doubt; "
        f"compared minutes before {verdict.until}Z, after {verdict.waited_s:,.0f} s"
    )
    held = ", ".join(f"{stage} {count:,}" for stage, count in verdict.stages.items())
    console.print(f"lake: {held}; {verdict.raw_doubles:,} raw lines stored twice, which curation drops")
    if verdict.unledgered:
        console.print(f"in no ledger: {_unledgered(verdict)}; a loss in their minutes could hide behind them")
    if not verdict.findings:
        console.print("verified: nothing lost, nothing doubled")
        return
    console.print(_table(verdict))
    left = len(verdict.findings) - MOST_ROWS
    if left > 0:
        console.print(f"and {left:,} more; see --json")


def _ledgers(verdict: Verdict) -> str:
    return "ledger" if len(verdict.ledgers) == 1 else f"{len(verdict.ledgers)} ledgers"


def _unledgered(verdict: Verdict) -> str:
    counts: Counter[str] = Counter()
    for finding in verdict.unledgered:
        counts[finding.service if finding.service != ALL else f"broken, in {finding.stage}"] += finding.events
    services = ", ".join(f"{name} {events:,}" for name, events in counts.most_common(_MOST_SERVICES))
    more = ", …" if len(counts) > _MOST_SERVICES else ""
    return f"{counts.total():,} events ({services}{more}) of producers without --ledger"


def _table(verdict: Verdict) -> Table:
    table = Table("stage", "what", "service", "minute", "events", title="disagreements", title_justify="left")
    for finding in verdict.findings[:MOST_ROWS]:
        table.add_row(finding.stage, finding.kind, finding.service, finding.minute, f"{finding.events:,}")
    return table
