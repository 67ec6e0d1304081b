"""What a run shows: a moving line on a terminal, a plain line every ten seconds elsewhere, its counts at the end."""

import shutil
import threading
import time
from collections.abc import Callable

import click
import orjson

from producer.counts import Counts
from producer.dead_letters import DeadLetters

PLAIN_EVERY_S = 10.0
MOVING_EVERY_S = 0.5
_BAR = 24

Snapshot = Callable[[], dict[str, float]]


def describe(counts: dict[str, float], rate: float, total: int | None = None) -> str:
    """Return one line about a run: rate, where its events are, and how the sink does."""
    parts = [
        f"{counts['generated']:,.0f} events",
        f"{rate:,.1f}/s",
        f"{counts['acknowledged']:,.0f} acknowledged",
        f"{counts['retried_records']:,.0f} records retried",
        f"{counts['failed']:,.0f} failed",
        f"{counts['bytes'] / 1e6:,.1f} MB",
    ]
    if counts["unparsable"]:
        parts.append(f"{counts['unparsable']:,.0f} unparsable")
    if counts["events_per_record"]:
        parts.append(f"{counts['events_per_record']:,.1f} a record")
        parts.append(f"p50 {counts['call_p50_ms']:,.0f} ms, p99 {counts['call_p99_ms']:,.0f} ms")
    if counts["lag_ms"] >= 1000:
        parts.append(f"{counts['lag_ms'] / 1000:,.1f} s behind")
    return bar(counts["generated"] / total) + ", ".join(parts) if total else ", ".join(parts)


def bar(share: float) -> str:
    """Return a bar of a share from 0 to 1, with a space behind it."""
    full = min(_BAR, int(share * _BAR))
    return f"[{'#' * full}{'.' * (_BAR - full)}] {min(share, 1):4.0%} "


class Progress:
    """Shows a run from a thread of its own, so that it also speaks while the run waits for room. A context manager."""

    def __init__(self, snapshot: Snapshot, moving: bool, total: int | None = None) -> None:
        self._snapshot = snapshot
        self._moving = moving
        self._total = total
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        if self._moving:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _show(self) -> None:
        every = MOVING_EVERY_S if self._moving else PLAIN_EVERY_S
        before, then = 0.0, time.monotonic()
        while not self._done.wait(every):
            counts, now = self._snapshot(), time.monotonic()
            line = describe(counts, (counts["generated"] - before) / (now - then), self._total)
            before, then = counts["generated"], now
            if self._moving:
                width = shutil.get_terminal_size().columns
                click.echo(f"\r\x1b[K{line[: width - 1]}", nl=False, err=True)
            else:
                click.echo(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}", err=True)


def report(counts: Counts, dead_letters: DeadLetters, elapsed_s: float, as_json: bool, err: bool) -> None:
    """Print the counts of a run that has ended, and why events failed."""
    totals = counts.snapshot()
    for reason, events in dead_letters.reasons.items():
        click.echo(f"failed: {events:,} events in {dead_letters.path}: {reason}", err=True)
    if as_json:
        click.echo(orjson.dumps({**totals, "elapsed_s": round(elapsed_s, 3)}).decode(), err=err)
        return
    click.echo(_summary(totals, elapsed_s), err=True)


def _summary(totals: dict[str, float], elapsed_s: float) -> str:
    rate = totals["generated"] / elapsed_s if elapsed_s else 0.0
    spooled = f" + spooled {totals['spooled']:,.0f}" if totals["spooled"] else ""
    text = (
        f"generated {totals['generated']:,.0f} = acknowledged {totals['acknowledged']:,.0f}"
        f" + failed {totals['failed']:,.0f}{spooled} in {elapsed_s:,.1f} s ({rate:,.1f}/s);"
        f" malformed {totals['malformed']:,.0f}, {totals['bytes']:,.0f} bytes"
    )
    if totals["unparsable"]:
        text += f", {totals['unparsable']:,.0f} lines unparsable"
    if totals["records"]:
        text += f", {totals['calls']:,.0f} calls, {totals['events_per_record']:.1f} events a record"
    if totals["calls"]:
        text += f", a call took {totals['call_p50_ms']:,.1f} ms (p50), {totals['call_p99_ms']:,.1f} ms (p99)"
    return text
