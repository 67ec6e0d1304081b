"""What a run shows while it works: one moving line on a terminal, a plain line every ten seconds elsewhere."""

import threading
import time
from collections.abc import Callable

import click

PLAIN_EVERY_S = 10.0
MOVING_EVERY_S = 0.5

Snapshot = Callable[[], dict[str, float]]


def describe(counts: dict[str, float], rate: float) -> str:
    """Return one line about a run: rate, and where its events are."""
    text = (
        f"{counts['generated']:,.0f} events, {rate:,.1f}/s, {counts['acknowledged']:,.0f} acknowledged, "
        f"{counts['retried_records']:,.0f} records retried, {counts['failed']:,.0f} failed"
    )
    lag_s = counts["lag_ms"] / 1000
    return f"{text}, {lag_s:,.1f} s behind" if lag_s >= 1 else text


class Progress:
    """Shows a run from a thread of its own, so that it also speaks while the run waits for room. A context manager."""

    def __init__(self, snapshot: Snapshot, moving: bool) -> None:
        self._snapshot = snapshot
        self._moving = moving
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
            line = describe(counts, (counts["generated"] - before) / (now - then))
            before, then = counts["generated"], now
            if self._moving:
                click.echo(f"\r\x1b[K{line}", nl=False, err=True)
            else:
                click.echo(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}", err=True)
