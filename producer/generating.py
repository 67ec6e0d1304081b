"""Filling the time that was asked for with events."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Protocol

from catalog.schema import SERVICES
from producer.events import Block, Generator, Stream
from producer.events import Clock as EventClock
from producer.own_schema.events import OwnEvents, OwnStream
from producer.own_schema.reading import read_schema
from producer.plan import Plan
from producer.produce import DAY_MS, BlockStream, Run, daily_history, thinned_history
from producer.rates import block_sizes, clock_of
from producer.scenarios import Conditions

_EVENTS_PER_REQUEST = 3


def traffic_of(plan: Plan) -> "Traffic":
    """Return what makes the events of a plan; raise `UsageError` for a schema or a scenario that is none."""
    plan.conditions(0)
    seed = secrets.randbits(63) if plan.seed is None else plan.seed
    return OwnTraffic(plan, seed) if plan.schema else CompanyTraffic(plan, seed)


def generate(plan: Plan, run: Run, traffic: "Traffic") -> None:
    """Fill the time that was asked for with events, until done or stopped."""
    if plan.to == "files":
        run.history(traffic.daily(_first_day_ms(plan, run.now_ms())))
        return
    start_ms = int(run.now_ms()) if plan.start is None else plan.start
    _live(plan, run, traffic, start_ms)


def _live(plan: Plan, run: Run, traffic: "Traffic", start_ms: int) -> None:
    """The past first, then live traffic from the very moment at which the past ends."""
    until_ms = None if plan.duration is None else start_ms + round(plan.duration * 1000)
    from_ms = start_ms
    if plan.backfill is not None:
        past_ms = start_ms - round(plan.backfill * 1000)
        # From here on the rate's own events; a clock that starts in the past works through it at once.
        from_ms = start_ms - round((plan.backfill_whole or 0.0) * 1000) if plan.backfill_events else past_ms
        if from_ms > past_ms:
            run.history(traffic.thinned(past_ms, from_ms))
    conditions = plan.conditions(start_ms)
    clock = clock_of(plan, from_ms, conditions, run.now_ms)
    if until_ms is None or until_ms > from_ms:
        run.live(traffic.stream(clock, from_ms, start_ms, conditions), clock, until_ms, plan.count)


class Traffic(Protocol):
    """What makes events: whole days, a thinned past, and live traffic."""

    @property
    def services(self) -> Sequence[str]: ...

    def daily(self, first_day_ms: int) -> Iterator[Block]: ...

    def thinned(self, start_ms: int, end_ms: int) -> Iterator[Block]: ...

    def stream(self, clock: EventClock, start_ms: int, live_ms: int, conditions: Conditions) -> BlockStream: ...


class CompanyTraffic:
    """The events of the traffic model."""

    services = SERVICES

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._generator = Generator(seed, plan.malformed, plan.traffic_shape())

    def daily(self, first_day_ms: int) -> Iterator[Block]:
        """Return whole days."""
        return daily_history(self._generator, first_day_ms, self._plan.days, self._plan.entries)

    def thinned(self, start_ms: int, end_ms: int) -> Iterator[Block]:
        """Return a past with as many events as were asked for."""
        return thinned_history(self._generator, start_ms, end_ms, self._plan.backfill_events)

    def stream(self, clock: EventClock, start_ms: int, live_ms: int, conditions: Conditions) -> BlockStream:
        """Return traffic from `start_ms` on; it is live from `live_ms` on."""
        sizes = block_sizes(self._plan, live_ms)
        return Stream(
            self._generator,
            clock,
            start_ms,
            lambda now_ms: max(1, sizes.at(now_ms) // _EVENTS_PER_REQUEST),
            conditions,
        )


class OwnTraffic:
    """The events of the user's own schema."""

    def __init__(self, plan: Plan, seed: int) -> None:
        assert plan.schema
        self._plan = plan
        schema = read_schema(plan.schema)
        self.services = (schema.name,)
        self._events = OwnEvents(schema, seed)

    def daily(self, first_day_ms: int) -> Iterator[Block]:
        """Return whole days."""
        shape = self._plan.traffic_shape()
        for day_ms in range(first_day_ms, first_day_ms + self._plan.days * DAY_MS, DAY_MS):
            yield from self._events.history(day_ms, day_ms + DAY_MS - 1, self._plan.entries, shape)

    def thinned(self, start_ms: int, end_ms: int) -> Iterator[Block]:
        """Return a past with as many events as were asked for."""
        return self._events.history(start_ms, end_ms, self._plan.backfill_events, self._plan.traffic_shape())

    def stream(self, clock: EventClock, start_ms: int, live_ms: int, conditions: Conditions) -> BlockStream:
        """Return traffic from `start_ms` on; it is live from `live_ms` on."""
        return OwnStream(self._events, clock, start_ms, block_sizes(self._plan, live_ms).at)


def _first_day_ms(plan: Plan, now_ms: float) -> int:
    if plan.start is not None:
        return plan.start // DAY_MS * DAY_MS
    return (int(now_ms) // DAY_MS - plan.days + 1) * DAY_MS
