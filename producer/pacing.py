"""Holding a rate: events leave when they are due, and a pause moves the schedule instead of being caught up."""

import math
import time
from collections.abc import Callable

import numpy as np

from producer.counting import Integers

LONGEST_LAG_MS = 1_000
"""A lag up to this is made up for, so that the rate holds on average; a longer one is a pause."""


RateAt = Callable[[float], float]
"""Event time (epoch milliseconds) -> events a second at that time; asked once a block."""


class LiveClock:
    """Says when, in event time, the n-th event of live traffic is due, and how long that is to wait for.

    A `start_ms` in the past is worked through at once until the present is reached. From then on a lag over
    `LONGEST_LAG_MS` moves the schedule: event times follow the wall clock again from the next block.
    """

    def __init__(self, rate_at: RateAt, start_ms: int, now_ms: Callable[[], float]) -> None:
        self._rate_at = rate_at
        self._last_ms = float(start_ms)
        self._running = 0
        self._now_ms = now_ms
        self._moved_ms = 0.0
        self._caught_up = False

    def __call__(self, running: Integers) -> Integers:
        self._last_ms += self._moved_ms
        self._moved_ms = 0.0
        return self._advance(running)

    def _advance(self, running: Integers) -> Integers:
        due = self._last_ms + (running - self._running) * (1000.0 / self._rate_at(self._last_ms))
        self._last_ms, self._running = float(due[-1]), int(running[-1])
        return np.asarray(due, dtype=np.int64)

    def wait_ms(self, due_ms: int) -> float:
        """Return how long it is until an event due at `due_ms` may leave; zero or less means now."""
        lag = self._now_ms() - self._moved_ms - due_ms
        self._caught_up = self._caught_up or lag <= LONGEST_LAG_MS
        if self._caught_up and lag > LONGEST_LAG_MS:
            self._moved_ms += lag
            return 0.0
        return -lag


class FixedClock(LiveClock):
    """Event time from a given start, whatever the present: the same start gives the same times, always.

    The wall clock only paces: a pause delays events but never changes them. `live_ms` is the event time that is now;
    what comes before it is worked through at once.
    """

    def __init__(self, rate_at: RateAt, start_ms: int, now_ms: Callable[[], float], live_ms: int | None = None) -> None:
        super().__init__(rate_at, start_ms, now_ms)
        self._moved_ms = now_ms() - (start_ms if live_ms is None else live_ms)

    def __call__(self, running: Integers) -> Integers:
        return self._advance(running)


class FixedUnpacedClock(FixedClock):
    """Event time from a given start at a given rate, but sent as fast as it goes."""

    def wait_ms(self, due_ms: int) -> float:
        """Return minus infinity: nothing waits."""
        return -math.inf


class UnpacedClock:
    """As fast as it goes: each block's events are spread over the time since the block before."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._last_ms = now_ms()
        self._running = 0

    def __call__(self, running: Integers) -> Integers:
        first, self._last_ms = self._last_ms, max(self._last_ms, self._now_ms())
        share = (running - self._running) / max(1, int(running[-1]) - self._running)
        self._running = int(running[-1])
        return np.asarray(first + share * (self._last_ms - first), dtype=np.int64)

    def wait_ms(self, due_ms: int) -> float:
        """Return minus infinity: nothing waits."""
        return -math.inf


def wall_ms() -> float:
    """Return the present in epoch milliseconds."""
    return time.time() * 1000
