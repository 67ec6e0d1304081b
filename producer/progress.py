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


def line(counts: dict[str, float], rate: float, total: int | None = None) -> str:
    """Return one line about a run, for a log: rate, where its events are, and how the sink does."""
    return ", ".join([f"{counts['generated']:,.0f} events", f"{rate:,.1f}/s", *_facts(counts)] + _share(counts, total))


def panel(sink: str, counts: dict[str, float], rate: float, elapsed_s: float, total: int | None = None) -> list[str]:
    """Return the lines of a terminal about a run, of at most 80 columns while no count passes the millions."""
    minutes, seconds = divmod(int(elapsed_s), 60)
    head = f"{sink}  {minutes:02}:{seconds:02}  {rate:,.1f} events/s, {counts['lag_ms'] / 1000:,.1f} s behind"
    if total:
        head = f"{bar(counts['generated'] / total)} {head}"
    lines = [
        head,
        f"  generated {counts['generated']:,.0f}  sent {counts['sent']:,.0f}"
        f"  acknowledged {counts['acknowledged']:,.0f}  failed {counts['failed']:,.0f}",
        f"  {counts['bytes'] / 1e6:,.1f} MB in {counts['calls']:,.0f} calls"
        f"  p50 {counts['call_p50_ms']:,.1f} ms  p99 {counts['call_p99_ms']:,.1f} ms",
    ]
    if counts["records"]:
        lines.append(
            f"  {counts['records']:,.0f} records of {counts['events_per_record']:,.1f} events,"
            f" {counts['retried_records']:,.0f} sent again"
        )
    if counts["unparsable"]:
        lines.append(f"  {counts['unparsable']:,.0f} lines unparsable")
    return lines


def _facts(counts: dict[str, float]) -> list[str]:
    facts = [
        f"{counts['sent']:,.0f} sent",
        f"{counts['acknowledged']:,.0f} acknowledged",
        f"{counts['retried_records']:,.0f} records retried",
        f"{counts['failed']:,.0f} failed",
        f"{counts['bytes'] / 1e6:,.1f} MB",
    ]
    if counts["unparsable"]:
        facts.append(f"{counts['unparsable']:,.0f} unparsable")
    if counts["events_per_record"]:
        facts.append(f"{counts['events_per_record']:,.1f} a record")
    if counts["calls"]:
        facts.append(f"p50 {counts['call_p50_ms']:,.0f} ms, p99 {counts['call_p99_ms']:,.0f} ms")
    if counts["lag_ms"] >= 1000:
        facts.append(f"{counts['lag_ms'] / 1000:,.1f} s behind")
    return facts


def _share(counts: dict[str, float], total: int | None) -> list[str]:
    return [f"{min(1.0, counts['generated'] / total):.0%} done"] if total else []


def bar(share: float) -> str:
    """Return a bar of a share from 0 to 1."""
    full = min(_BAR, int(share * _BAR))
    return f"[{'#' * full}{'.' * (_BAR - full)}] {min(share, 1):4.0%}"


class Progress:
    """Shows a run from a thread of its own, so that it also speaks while the run waits for room. A context manager."""

    def __init__(self, sink: str, snapshot: Snapshot, moving: bool, total: int | None = None) -> None:
        self._sink = sink
        self._snapshot = snapshot
        self._moving = moving
        self._total = total
        self._shown = 0
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        with self._lock:
            self._paint([])

    def say(self, text: str) -> None:
        """Tell something that stays, above what moves."""
        with self._lock:
            self._paint([])
            self._shown = 0
            click.echo(text, err=True)

    def _show(self) -> None:
        every = MOVING_EVERY_S if self._moving else PLAIN_EVERY_S
        generated, began = 0.0, time.monotonic()
        then = began
        while not self._done.wait(every):
            counts, now = self._snapshot(), time.monotonic()
            rate = (counts["generated"] - generated) / (now - then)
            generated, then = counts["generated"], now
            if self._moving:
                with self._lock:
                    self._paint(panel(self._sink, counts, rate, now - began, self._total))
            else:
                stamp = time.strftime("%H:%M:%S", time.gmtime())
                click.echo(f"{stamp} {line(counts, rate, self._total)}", err=True)

    def _paint(self, lines: list[str]) -> None:
        """Put `lines` where the last ones stood; no line may wrap, or the next would not find the first of them."""
        if not lines and not self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        up = f"\x1b[{self._shown}F" if self._shown else ""
        click.echo(up + "\x1b[J" + "".join(f"{text[:width]}\n" for text in lines), nl=False, err=True)
        self._shown = len(lines)


def report(counts: Counts, dead_letters: DeadLetters, elapsed_s: float, as_json: bool, err: bool) -> None:
    """Print the counts of a run that has ended, and why events failed."""
    totals = counts.snapshot()
    for reason, events in dead_letters.reasons.items():
        click.echo(f"failed: {events:,} events in {dead_letters.path}: {reason}", err=True)
    if as_json:
        ways = counts.malformed_by_way
        click.echo(
            orjson.dumps({**totals, "malformed_by_way": ways, "elapsed_s": round(elapsed_s, 3)}).decode(), err=err
        )
        return
    for way, events in counts.malformed_by_way.items():
        click.echo(f"malformed: {events:,} events: {way}", err=True)
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
