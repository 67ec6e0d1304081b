"""How many calls are in flight: as many as make the sink faster, and no more.

The method is additive increase, multiplicative decrease over round-trip times, as in TCP Vegas and in Vector's adaptive
request concurrency: more calls while answers come as quickly as before, fewer when they get slower or are refused.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SHARE = 0.4
"""Weight of the newest window in the moving average of round-trip times."""
_SLOWER = 1.3
"""A window this much slower than the average means that calls queue up at the other end."""
_DECREASE = 0.85


class Call:
    """One call in flight: says afterwards whether it went well and whether its time is worth comparing."""

    def __init__(self) -> None:
        self.refused = False
        self.comparable = True


class Concurrency:
    """A limit of calls in flight that follows the sink, between 1 and `most`. Safe for threads."""

    def __init__(self, most: int, first: int = 2) -> None:
        self._most = most
        self._limit = float(min(first, most))
        self._condition = threading.Condition()
        self._in_flight = 0
        self._reached = False
        self._refused = False
        self._times: list[float] = []
        self._average = 0.0

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._limit)

    @contextmanager
    def call(self) -> Iterator[Call]:
        """Wait for a place, and hold it over one call."""
        with self._condition:
            self._condition.wait_for(lambda: self._in_flight < int(self._limit))
            self._in_flight += 1
            self._reached = self._reached or self._in_flight >= int(self._limit)
        call, began = Call(), time.monotonic()
        try:
            yield call
        finally:
            self._leave(call, time.monotonic() - began)

    def _leave(self, call: Call, seconds: float) -> None:
        with self._condition:
            self._in_flight -= 1
            self._refused = self._refused or call.refused
            if call.comparable and not call.refused:
                self._times.append(seconds)
            if call.refused or len(self._times) >= max(3, int(self._limit)):
                self._adapt()
            self._condition.notify_all()

    def _adapt(self) -> None:
        latest = sum(self._times) / len(self._times) if self._times else self._average
        slower = bool(self._average) and latest > self._average * _SLOWER
        if self._refused or slower:
            self._limit = max(1.0, self._limit * _DECREASE)
        elif self._reached:
            self._limit = min(float(self._most), self._limit + 1)
        self._average = latest if not self._average else self._average + _SHARE * (latest - self._average)
        self._times, self._refused, self._reached = [], False, False
