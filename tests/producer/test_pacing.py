import numpy as np

from producer.pacing import FixedClock, LiveClock

START_MS = 1_000_000


class Time:
    """A wall clock that moves when told."""

    def __init__(self) -> None:
        self.ms = float(START_MS)

    def __call__(self) -> float:
        return self.ms


def test_live_events_are_due_at_the_rate() -> None:
    clock = LiveClock(lambda _: 200, START_MS, Time())
    assert clock(np.array([200, 400])).tolist() == [START_MS + 1000, START_MS + 2000]
    assert clock.wait_ms(START_MS + 1000) == 1000


def test_a_short_lag_is_made_up_for() -> None:
    time = Time()
    clock = LiveClock(lambda _: 200, START_MS, time)
    clock.wait_ms(START_MS + 5)
    time.ms += 900
    assert clock.wait_ms(START_MS + 5) == -895
    assert clock(np.array([200])).tolist() == [START_MS + 1000]


def test_a_pause_moves_the_schedule_instead_of_being_caught_up() -> None:
    time = Time()
    clock = LiveClock(lambda _: 200, START_MS, time)
    clock.wait_ms(START_MS + 5)
    time.ms += 60_000
    assert clock.wait_ms(START_MS) == 0
    assert clock.wait_ms(START_MS + 100) == 100
    assert clock(np.array([200])).tolist() == [START_MS + 61_000]


def test_live_traffic_after_a_backfill_closes_the_gap_first() -> None:
    time = Time()
    time.ms += 10_000
    clock = LiveClock(lambda _: 200, START_MS, time)
    assert clock.wait_ms(START_MS + 5) == -9_995
    assert clock.wait_ms(START_MS + 10_005) == 5


def test_the_past_before_a_given_start_is_worked_through_at_once() -> None:
    time = Time()
    clock = FixedClock(lambda _: 200, START_MS - 600_000, time, live_ms=START_MS)
    assert clock.wait_ms(START_MS - 599_000) == -599_000
    assert clock.wait_ms(START_MS + 5) == 5


def test_a_given_start_gives_the_same_times_whatever_the_clock_does() -> None:
    time = Time()
    time.ms = 5e12
    clock = FixedClock(lambda _: 200, START_MS, time)
    assert clock.wait_ms(START_MS + 5) == 5
    time.ms += 60_000
    assert clock.wait_ms(START_MS + 5) == 0
    assert clock(np.array([200])).tolist() == [START_MS + 1000]
