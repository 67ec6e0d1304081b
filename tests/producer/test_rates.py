"""The rate that leaves, second by second, on a clock that moves when told."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest

from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.events import Block
from producer.generating import CompanyTraffic, generate
from producer.plan import Plan
from producer.produce import Run
from producer.rates import block_sizes, clock_of

NOON_MS = 1_795_089_600_000  # Thursday 2026-11-19, 12:00 UTC
PLAN = Plan(
    to="stdout",
    days=1,
    entries=1,
    output_dir=Path("logs"),
    file_format="json",
    gzip=False,
    rate=(200.0, 200.0),
    shape=None,
    time_zone=None,
    burst=None,
    duration=None,
    count=None,
    start=None,
    seed=1,
    malformed=0.0,
    scenario=(),
    schema=None,
    backfill=None,
    backfill_events=1000,
    backfill_whole=None,
    source=None,
    follow=False,
    read_as=None,
    mapping=None,
    service=None,
    spool=Path("spool"),
    stream=None,
    delivery_stream=None,
    ledger=None,
    dead_letters=None,
    retry_for=1.0,
    max_age=None,
    replay=None,
)


class World:
    """A wall clock that moves by sleeping and by work, and a sink that remembers when what came."""

    def __init__(self, work_ms: float = 0.02) -> None:
        self.ms = float(NOON_MS)
        self.work_ms = work_ms
        self.sent: list[tuple[float, int]] = []
        self.payloads: list[bytes] = []
        self.pauses: dict[float, float] = {}

    def now_ms(self) -> float:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.ms += seconds * 1000

    def write(self, block: Block) -> None:
        self.sent.append((self.ms, len(block.payloads)))
        self.payloads += block.payloads
        self.ms += self.work_ms * len(block.payloads)

    def tick(self) -> None:
        for at_ms in [at_ms for at_ms in self.pauses if self.ms >= at_ms]:
            self.ms += self.pauses.pop(at_ms)

    def drain(self) -> None: ...

    def hurry(self, grace_s: float) -> None: ...

    def close(self, grace_s: float) -> None: ...

    def per_second(self) -> np.ndarray:
        times = np.array([ms for ms, _ in self.sent]) - NOON_MS
        return np.bincount((times // 1000).astype(int), weights=[count for _, count in self.sent])


def run(plan: Plan, world: World) -> World:
    whole = Run(world, Counts(), DeadLetters(Path("none")), now_ms=world.now_ms, sleep=world.sleep)
    generate(plan, whole, CompanyTraffic(plan, 1))
    return world


@pytest.mark.parametrize("rate", [7.0, 200.0, 5_000.0, 20_000.0])
def test_the_rate_holds_within_one_percent_over_a_minute(rate: float) -> None:
    world = run(replace(PLAN, rate=(rate, rate), duration=61.0), World())
    assert world.per_second()[:60].sum() == pytest.approx(60 * rate, rel=0.01)


def test_no_burst_follows_a_pause() -> None:
    world = World()
    world.pauses = {NOON_MS + 20_000: 30_000}
    run(replace(PLAN, duration=60.0), world)
    counts = world.per_second()
    assert counts[22:49].sum() == 0
    assert (counts[51:] <= 230).all()
    assert counts[51:58].sum() == pytest.approx(7 * 200, rel=0.05)


def test_small_hitches_do_not_slow_the_minute() -> None:
    world = World()
    world.pauses = {NOON_MS + at_ms: 400 for at_ms in range(3_000, 58_000, 5_000)}
    run(replace(PLAN, duration=61.0), world)
    assert world.per_second()[:60].sum() == pytest.approx(12_000, rel=0.01)


def test_a_burst_comes_in_its_seconds_of_every_period() -> None:
    counts = run(replace(PLAN, burst=(5.0, 10.0, 30.0), duration=61.0), World()).per_second()
    usual, burst = np.r_[counts[1:19], counts[32:49]], np.r_[counts[21:29], counts[51:59]]
    assert usual.mean() == pytest.approx(200, rel=0.05)
    assert burst.mean() == pytest.approx(1_000, rel=0.05)


def test_a_range_follows_the_day_of_its_time_zone() -> None:
    midnight = replace(PLAN, rate=(50.0, 400.0), start=round(datetime(2026, 11, 19, tzinfo=UTC).timestamp() * 1000))

    def rates(plan: Plan) -> list[float]:
        assert plan.start
        starts = [plan.start + hour * 3_600_000 for hour in range(24)]
        clocks = [clock_of(plan, start, plan.conditions(start)) for start in starts]
        return [
            10_000_000 / int(clock(np.array([10_000]))[0] - start) for clock, start in zip(clocks, starts, strict=True)
        ]

    utc, tokyo = rates(midnight), rates(replace(midnight, time_zone=ZoneInfo("Asia/Tokyo")))
    assert np.argmax(utc) == 20
    assert np.argmax(tokyo) == 11
    assert 50 <= min(utc) < 120
    assert 350 < max(utc) <= 400


def test_one_rate_with_a_shape_is_that_of_full_load() -> None:
    start = round(datetime(2026, 11, 19, 20, tzinfo=UTC).timestamp() * 1000)
    plan = replace(PLAN, shape="day", start=start)
    clock = clock_of(plan, start, plan.conditions(start))
    assert 10_000_000 / int(clock(np.array([10_000]))[0] - start) == pytest.approx(200, rel=0.02)
    night = start + 8 * 3_600_000
    clock = clock_of(replace(plan, start=night), night, plan.conditions(night))
    assert 10_000_000 / int(clock(np.array([10_000]))[0] - night) < 60


@pytest.mark.parametrize("events", [3_000, 0])
def test_a_backfill_goes_on_live_without_gap_or_overlap(events: int) -> None:
    world = World(work_ms=0.5)
    plan = replace(PLAN, rate=(20.0, 20.0), backfill=600.0, backfill_events=events, duration=60.0)
    run(plan, world)
    seen = [orjson.loads(payload) for payload in world.payloads]
    assert len({event["event_id"] for event in seen}) == len(seen)
    ends = [
        datetime.fromisoformat(event["timestamp"]).timestamp() * 1000 - NOON_MS
        for event in seen
        if event["service"] == "api-gateway"
    ]
    past, live = [end for end in ends if end < 0], [end for end in ends if end >= 0]
    assert ends == sorted(ends)
    assert -600_000 <= past[0] < -590_000
    assert past[-1] > -4_000
    assert live[0] < 4_000
    assert max(np.diff(ends)) < 10_000
    if not events:  # the rate's own events, in the past as in the present
        counts = np.histogram(ends, bins=11, range=(-600_000, 60_000))[0]
        assert counts.min() > 0.8 * counts.max()


def test_the_past_is_made_in_large_blocks_and_the_present_in_small_ones() -> None:
    slow, fast = (block_sizes(replace(PLAN, rate=(rate, rate)), NOON_MS) for rate in (12.0, 50_000.0))
    assert (slow.at(NOON_MS - 1), slow.at(NOON_MS)) == (120, 3)
    assert (fast.at(NOON_MS - 1), fast.at(NOON_MS)) == (3_000, 3_000)


def test_a_backfill_is_whole_in_its_last_part_and_thinned_before() -> None:
    world = World(work_ms=0.5)
    plan = replace(PLAN, rate=(20.0, 20.0), backfill=6_000.0, backfill_events=500, backfill_whole=600.0, duration=300.0)
    run(plan, world)
    ends = np.array([
        datetime.fromisoformat(orjson.loads(payload)["timestamp"]).timestamp() * 1000 - NOON_MS
        for payload in world.payloads
    ])  # fmt: skip
    assert abs((ends < -600_000).sum() - 500) < 20
    counts = np.histogram(ends, bins=3, range=(-600_000, 300_000))[0]
    assert counts.tolist() == [pytest.approx(6_000, rel=0.05)] * 3
