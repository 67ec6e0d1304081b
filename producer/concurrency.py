"""How many calls are in flight: as many as make the sink faster, and no more.

The method is additive increase, multiplicative decrease over round-trip times, as in TCP Vegas and in Vector's adaptive
request concurrency: more calls while answers come as quickly as before, fewer when they get slower or are refused.
Until the first of these happens, more means twice as many; a number that was refused is not tried again soon.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SHARE = 0.4
"""Weight of the newest window in the moving average of round-trip times."""
_SLOWER = 1.3
"""A window this much slower than the average means that calls queue up at the other end."""
_NOISE_S = 0.001
_DECREASE = 0.85
_FIRST_PROBE, _LAST_PROBE = 8, 128
"""How many windows without a refusal it takes to try again what was refused; twice as many after each refusal."""


class Call:
    """One call in flight: says afterwards whether it went well and whether its time is worth comparing."""

    def __init__(self, era: int = 0) -> None:
        self.era = era
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
        self._starting = True
        self._ceiling = most
        self._era = 0
        self._good_windows = 0
        self._probe_after = _FIRST_PROBE
        self._answers = 0
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
            call, began = Call(self._era), time.monotonic()
        try:
            yield call
        finally:
            self._leave(call, time.monotonic() - began)

    def _leave(self, call: Call, seconds: float) -> None:
        with self._condition:
            self._in_flight -= 1
            self._answers += 1
            if call.era == self._era:  # a call from before the last decrease says nothing about what holds now
                self._refused = self._refused or call.refused
            if call.comparable and not call.refused:
                self._times.append(seconds)
            if self._answers >= max(2, int(self._limit)):
                self._adapt()
            self._condition.notify_all()

    def _adapt(self) -> None:
        """A window of calls is over: change the limit by how they went."""
        latest = sum(self._times) / len(self._times) if self._times else self._average
        slower = bool(self._average) and latest > self._average * _SLOWER + _NOISE_S
        self._good_windows += 1
        if self._refused:
            self._learn_refusal()
        elif self._good_windows % self._probe_after == 0:
            self._ceiling += 1
        if self._refused or slower:
            self._limit = max(1.0, self._limit * _DECREASE)
        elif self._reached:
            self._limit = min(float(self._most), self._limit * 2 if self._starting else self._limit + 1)
        self._starting = self._starting and not slower
        self._limit = min(self._limit, float(self._ceiling))
        self._average = latest if not self._average else self._average + _SHARE * (latest - self._average)
        self._times, self._answers, self._refused, self._reached = [], 0, False, False

    def _learn_refusal(self) -> None:
        """Fewer calls may be what it takes; where a single one is refused, their number is not to blame."""
        self._starting = self._limit < 2
        self._ceiling = self._most if self._starting else int(self._limit) - 1
        self._probe_after = _FIRST_PROBE if self._starting else min(_LAST_PROBE, self._probe_after * 2)
        self._era, self._good_windows = self._era + 1, 0
