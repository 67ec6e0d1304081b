"""The clock of a run's live traffic, from the rate that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from producer.pacing import FixedClock, FixedUnpacedClock, LiveClock, UnpacedClock, wall_ms
from producer.plan import Plan
from producer.produce import Clock
from producer.scenarios import Conditions

_FIXED_MAX_RATE = 1000.0
_MOST_AT_ONCE = 3_000


def clock_of(plan: Plan, start_ms: int, conditions: Conditions, now_ms: Callable[[], float] = wall_ms) -> Clock:
    """Return the clock of live traffic: a fixed one when the start was given, so that the bytes don't depend on now.

    A range of rates, or one rate with a shape, follows the shape; the higher rate is that of full load.
    """
    unpaced = plan.rate[0] == float("inf")
    if plan.start is None and unpaced:
        return UnpacedClock(now_ms)
    low, high = (_FIXED_MAX_RATE, _FIXED_MAX_RATE) if unpaced else plan.rate
    if plan.shape and low == high:
        low = 0.0
    shape = plan.traffic_shape()

    def rate_at(at_ms: float) -> float:
        usual = low if low == high else low + (high - low) * float(shape.load_at(np.array([at_ms]))[0])
        return usual * conditions.traffic(at_ms)

    if plan.start is None:
        return LiveClock(rate_at, start_ms, now_ms)
    kind = FixedUnpacedClock if unpaced else FixedClock
    return kind(rate_at, start_ms, now_ms, plan.start)


@dataclass(frozen=True, slots=True)
class BlockSizes:
    """How many events to make at once: many at a time of the past before `live_ms`, where speed is what counts."""

    live_ms: float
    past: int
    live: int

    def at(self, now_ms: float) -> int:
        """Return the size of a block that begins at `now_ms`, in event time."""
        return self.past if now_ms < self.live_ms else self.live


def block_sizes(plan: Plan, live_ms: float) -> BlockSizes:
    """Return sizes that follow a changing rate within a quarter second, within ten seconds in the past."""
    highest = plan.rate[1] * (plan.burst[0] if plan.burst else 1.0)
    live = _MOST_AT_ONCE if highest > 4 * _MOST_AT_ONCE else max(1, round(highest / 4))
    return BlockSizes(live_ms, round(min(_MOST_AT_ONCE, max(live, highest * 10))), live)
