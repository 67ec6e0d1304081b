"""A run of the producer: history at full speed, live traffic at its rate, and what came of it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from producer import counting
from producer.counting import Integers
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.events import Block, Generator
from producer.malformed import name_of
from producer.pacing import wall_ms
from producer.sinks import Sink

DAY_MS = 86_400_000
_CHUNK = 2_048
_NAP_S = 0.02
_LONGEST_NAP_S = 0.04


class Clock(Protocol):
    """When live events are due; see `producer.pacing`."""

    def __call__(self, running: Integers) -> Integers: ...

    def wait_ms(self, due_ms: int) -> float: ...


class BlockStream(Protocol):
    """Endless events in the order in which they are due; see `producer.events.Stream`."""

    def next_block(self) -> Block: ...


@dataclass(slots=True)
class Run:
    """One run: where its events go, what they count, and whether someone asked it to end. `say` tells its user."""

    sink: Sink
    counts: Counts
    dead_letters: DeadLetters
    stopping: threading.Event = field(default_factory=threading.Event)
    lag_ms: float = 0.0
    say: Callable[[str], None] = lambda _: None
    now_ms: Callable[[], float] = wall_ms
    sleep: Callable[[float], None] = time.sleep

    def write(self, block: Block) -> None:
        """Count the events as generated and hand them to the sink."""
        ways = counting.ways(block.keys)
        self.counts.add(generated=len(block.payloads), malformed=len(ways))
        if len(ways):
            self.counts.broke(name_of(way) for way in ways.tolist())
        self.sink.write(block)

    def history(self, blocks: Iterator[Block]) -> None:
        """Write blocks as fast as the sink takes them."""
        for block in blocks:
            if self.stopping.is_set():
                return
            self.write(block)
            self.sink.tick()

    def live(self, stream: BlockStream, clock: Clock, until_ms: int | None = None, count: int | None = None) -> None:
        """Write the stream's events when they are due: those before `until_ms`, and at most `count`."""
        left = count
        while not self.stopping.is_set() and left != 0:
            block = stream.next_block()
            if left is not None:
                block = block.part(0, left)
                left -= len(block.payloads)
            ended = until_ms is not None and int(block.due_ms[-1]) >= until_ms
            if until_ms is not None and ended:
                block = block.part(0, int(np.searchsorted(block.due_ms, until_ms)))
            self._release(block, clock)
            if ended:
                return

    def _release(self, block: Block, clock: Clock) -> None:
        first = 0
        while first < len(block.payloads) and not self.stopping.is_set():
            wait_ms = clock.wait_ms(int(block.due_ms[first]))
            self.lag_ms = max(0.0, -wait_ms) if np.isfinite(wait_ms) else 0.0
            if wait_ms <= 0:
                last = int(np.searchsorted(block.due_ms, block.due_ms[first] - wait_ms, side="right"))
                self.write(block.part(first, last))
                first = last
            else:
                self.sleep(min(max(wait_ms / 1000, _NAP_S), _LONGEST_NAP_S))
            self.sink.tick()


def thinned_history(generator: Generator, start_ms: int, end_ms: int, events: int) -> Iterator[Block]:
    """Yield `events` events spread over the time from `start_ms` to `end_ms` by the shape of traffic."""
    emitted = 0
    while emitted < events:
        outcomes = generator.draw(_CHUNK)
        running = emitted + np.cumsum(generator.model.sizes[outcomes])
        ends_ms = generator.shape.moments(start_ms, end_ms, np.minimum(running / events, 1.0))
        block = generator.render(generator.lines(outcomes, ends_ms, start_ms))
        yield block.part(0, events - emitted)
        emitted = int(running[-1])


def daily_history(generator: Generator, first_day_ms: int, days: int, entries: int) -> Iterator[Block]:
    """Yield exactly `entries` events of every service for each day, whole days from `first_day_ms` on.

    Services differ in how much they log, so the busier ones are sampled evenly; a trace may lack some of its lines.
    """
    for day_ms in range(first_day_ms, first_day_ms + days * DAY_MS, DAY_MS):
        outcomes = _enough_outcomes(generator, entries)
        fractions = (np.arange(len(outcomes)) + 0.5) / len(outcomes)
        ends_ms = generator.shape.moments(day_ms, day_ms + DAY_MS - 1, fractions)
        totals = generator.service_counts(outcomes)
        seen = np.zeros_like(totals)
        for first in range(0, len(outcomes), _CHUNK):
            part = slice(first, first + _CHUNK)
            lines = generator.lines(outcomes[part], ends_ms[part], day_ms)
            services = generator.model.line_service[lines.kinds]
            yield generator.render(lines.only(_sampled(services, seen, totals, entries)))


def _enough_outcomes(generator: Generator, entries: int) -> Integers:
    """Draw requests until every service has written at least `entries` lines."""
    rarest = float(generator.model.service_means().min())
    outcomes = generator.draw(int(entries / rarest) + 1)
    while generator.service_counts(outcomes).min() < entries:
        outcomes = np.concatenate((outcomes, generator.draw(len(outcomes) // 20 + 100)))
    return outcomes


def _sampled(services: Integers, seen: Integers, totals: Integers, entries: int) -> Integers:
    """Return which lines to keep so that each service keeps `entries` of its `totals`; `seen` counts on, in place."""
    kept = np.zeros(len(services), dtype=bool)
    for service in range(len(totals)):
        mine = np.flatnonzero(services == service)
        numbers = seen[service] + np.arange(len(mine) + 1)
        kept[mine] = np.diff(numbers * entries // totals[service]) > 0
        seen[service] += len(mine)
    return np.flatnonzero(kept)
