"""A verdict as a reader sees it: a table, or one JSON object."""

from dataclasses import asdict

import click
import orjson
from rich.console import Console
from rich.table import Table

from producer.verification import Verdict

MOST_ROWS = 40


def print_verdict(verdict: Verdict, as_json: bool) -> None:
    """Print the verdict: what each stage holds, then every disagreement."""
    if as_json:
        click.echo(orjson.dumps({"ok": not verdict.findings, **asdict(verdict)}).decode())
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"ledger: {verdict.acknowledged:,} acknowledged, {verdict.in_doubt:,} in doubt; "
        f"compared minutes before {verdict.until}Z, after {verdict.waited_s:,.0f} s"
    )
    held = ", ".join(f"{stage} {count:,}" for stage, count in verdict.stages.items())
    console.print(f"lake: {held}; {verdict.raw_doubles:,} raw lines stored twice, which curation drops")
    if not verdict.findings:
        console.print("verified: nothing lost, nothing doubled")
        return
    console.print(_table(verdict))
    left = len(verdict.findings) - MOST_ROWS
    if left > 0:
        console.print(f"and {left:,} more; see --json")


def _table(verdict: Verdict) -> Table:
    table = Table("stage", "what", "service", "minute", "events", title="disagreements", title_justify="left")
    for finding in verdict.findings[:MOST_ROWS]:
        table.add_row(finding.stage, finding.kind, finding.service, finding.minute, f"{finding.events:,}")
    return table
