"""From what was asked to what runs: the sink that the events go to, and the parts of time that they fill."""

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import numpy as np

from catalog.errors import UsageError
from catalog.schema import SERVICES
from catalog.settings import Settings
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.events import Generator, Stream
from producer.pacing import FixedClock, FixedUnpacedClock, LiveClock, UnpacedClock, wall_ms
from producer.produce import DAY_MS, Clock, Run, daily_history, thinned_history
from producer.replay import replayed
from producer.scenarios import Conditions, find_scenario
from producer.shape import load_at
from producer.sinks import Sink

STREAM_SINKS = ("kinesis", "firehose")
_REFRESH_S = 30.0
_FIXED_MAX_RATE = 1000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run was asked for; the flags of `loglake produce`, checked. Durations in seconds, moments in epoch ms."""

    to: str
    days: int
    entries: int
    output_dir: Path
    rate: tuple[float, float]
    duration: float | None
    count: int | None
    start: int | None
    seed: int | None
    malformed: float
    scenario: tuple[str, ...]
    backfill: float | None
    backfill_events: int
    stream: str | None
    delivery_stream: str | None
    ledger: Path | None
    dead_letters: Path | None
    retry_for: float
    replay: Path | None

    def check(self) -> None:
        """Raise `UsageError` for flags that exclude each other."""
        if self.ledger and self.to not in STREAM_SINKS:
            raise UsageError(f"--ledger needs --to kinesis or --to firehose; got --to {self.to}")
        if self.backfill is not None and self.to == "files":
            raise UsageError("--backfill needs --to stdout, kinesis or firehose; for files, say --days")
        if self.replay and self.to not in STREAM_SINKS:
            raise UsageError(f"--replay needs --to kinesis or --to firehose; got --to {self.to}")
        if self.replay and self.dead_letters and self.replay.resolve() == self.dead_letters.resolve():
            raise UsageError(f"--replay and --dead-letters must be different files; got {str(self.replay)!r} for both")
        if self.scenario and self.to == "files":
            raise UsageError("--scenario needs --to stdout, kinesis or firehose; got --to files")

    def conditions(self, start_ms: int) -> Conditions:
        """Return the conditions of the chosen scenarios, live traffic beginning at `start_ms`."""
        return Conditions([find_scenario(name) for name in self.scenario], start_ms)


def dead_letters_of(plan: Plan) -> DeadLetters:
    """Return the file for what finally fails: the asked one, else one named after this run in the working folder."""
    default = Path(f"dead-letters-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.jsonl")
    return DeadLetters(plan.dead_letters or default)


def open_sink(plan: Plan, settings: Settings, counts: Counts, dead_letters: DeadLetters) -> Sink:
    """Return the sink that was asked for; `settings` are only read for a name that the plan does not give."""
    if plan.to == "files":
        from producer.sinks.files import FilesSink

        return FilesSink(plan.output_dir, SERVICES, counts)
    if plan.to == "stdout":
        from producer.sinks.stdout import StdoutSink

        return StdoutSink(sys.stdout.buffer, counts)
    return _open_stream_sink(plan, settings, counts, dead_letters)


def _open_stream_sink(plan: Plan, settings: Settings, counts: Counts, dead_letters: DeadLetters) -> Sink:
    from producer import aws
    from producer.delivery import Delivery, Put
    from producer.ledger import Ledger
    from producer.shards import ShardMap
    from producer.sinks.firehose import firehose_sink
    from producer.sinks.kinesis import kinesis_sink

    def delivery(put: Put, on_trouble: Callable[[], None] = lambda: None) -> Delivery:
        ledger = Ledger(plan.ledger, SERVICES) if plan.ledger else None
        return Delivery(put, counts, dead_letters, ledger, plan.retry_for, on_trouble)

    client = aws.client(plan.to)
    if plan.to == "firehose":
        return firehose_sink(delivery(aws.firehose_put(client, plan.delivery_stream or settings.delivery_stream)))
    stream = plan.stream or settings.stream
    if not stream:
        raise UsageError("--to kinesis needs a stack in stream mode, or --stream; this stack takes --to firehose")
    shard_map = ShardMap(aws.list_shards(client, stream), Random())
    refresh = throttled(lambda: shard_map.replace(aws.list_shards(client, stream)), _REFRESH_S)
    return kinesis_sink(delivery(aws.kinesis_put(client, stream), refresh), shard_map)


def throttled(action: Callable[[], None], every_s: float) -> Callable[[], None]:
    """Return `action` made to run at most every `every_s` seconds, and not in the first; its errors are ignored."""
    last = time.monotonic()

    def run() -> None:
        nonlocal last
        if time.monotonic() - last < every_s:
            return
        last = time.monotonic()
        try:
            action()
        except Exception:  # the old map still works: a wrong guess costs balance, not events
            return

    return run


def generate(plan: Plan, run: Run) -> None:
    """Fill the time that was asked for with events, or send a file's again, until done or stopped."""
    if plan.replay:
        run.history(replayed(plan.replay, SERVICES))
        return
    generator = Generator(secrets.randbits(63) if plan.seed is None else plan.seed, plan.malformed)
    if plan.to == "files":
        first_day_ms = _first_day_ms(plan)
        run.history(daily_history(generator, first_day_ms, plan.days, plan.entries))
        return
    start_ms = int(wall_ms()) if plan.start is None else plan.start
    if plan.backfill is not None:
        past_ms = start_ms - round(plan.backfill * 1000)
        run.history(thinned_history(generator, past_ms, start_ms, plan.backfill_events))
    conditions = plan.conditions(start_ms)
    clock = clock_of(plan, start_ms, conditions)
    requests = 1024 if plan.rate[1] > 5_000 else max(8, round(plan.rate[1] / 8))
    until_ms = None if plan.duration is None else start_ms + round(plan.duration * 1000)
    if until_ms is None or until_ms > start_ms:
        run.live(Stream(generator, clock, start_ms, requests, conditions), clock, until_ms, plan.count)


def clock_of(plan: Plan, start_ms: int, conditions: Conditions) -> Clock:
    """Return the clock of live traffic: a fixed one when the start was given, so that the bytes don't depend on now."""
    unpaced = plan.rate[0] == float("inf")
    if plan.start is None and unpaced:
        return UnpacedClock(wall_ms)
    low, high = (_FIXED_MAX_RATE, _FIXED_MAX_RATE) if unpaced else plan.rate

    def rate_at(now_ms: float) -> float:
        """A range follows the daily and weekly shape."""
        usual = low if low == high else low + (high - low) * float(load_at(np.array([now_ms]))[0])
        return usual * conditions.traffic(now_ms)

    kind = LiveClock if plan.start is None else FixedUnpacedClock if unpaced else FixedClock
    return kind(rate_at, start_ms, wall_ms)


def _first_day_ms(plan: Plan) -> int:
    if plan.start is not None:
        return plan.start // DAY_MS * DAY_MS
    return (int(wall_ms()) // DAY_MS - plan.days + 1) * DAY_MS
