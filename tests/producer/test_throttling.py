from collections.abc import Sequence

import numpy as np

from producer.record import Record
from producer.throttling import SHARD_BYTES_PER_S, THROTTLED, ShardPace


def record(shard: int, size: int = 50_000) -> Record:
    return Record(b"x" * size, str(shard), [b"x"], np.zeros(1, dtype=np.int64))


class Shard:
    """A shard that takes `share` of a second's bytes a second, and refuses the rest."""

    def __init__(self, share: float = 1.0) -> None:
        self.share = share
        self.room = SHARD_BYTES_PER_S * 1.0
        self.stored = self.refused = 0

    def take(self, size: int) -> str | None:
        if self.room < size:
            self.refused += 1
            return THROTTLED
        self.room -= size
        self.stored += size
        return None

    def pass_time(self, seconds: float) -> None:
        self.room = min(SHARD_BYTES_PER_S, self.room + seconds * self.share * SHARD_BYTES_PER_S)


class World:
    """Time that passes when told, and shards."""

    def __init__(self, *shares: float) -> None:
        self.now = 0.0
        self.shards = [Shard(share) for share in shares]
        self.pace = ShardPace(lambda hash_key: hash_key, lambda: self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for shard in self.shards:
            shard.pass_time(seconds)

    def send(self, pending: Sequence[Record]) -> list[Record]:
        admitted, wait_s = self.pace.admit(pending)
        if not admitted:
            self.pass_time(wait_s)
            return list(pending)
        codes = [self.shards[int(record.hash_key)].take(len(record.data) + 7) for record in admitted]
        self.pace.answered(admitted, codes)
        self.pass_time(0.02)
        refused = {id(record) for record, code in zip(admitted, codes, strict=True) if code}
        sent = {id(record) for record in admitted} - refused
        return [record for record in pending if id(record) not in sent]

    def run(self, seconds: float) -> None:
        end, pending = self.now + seconds, []
        while self.now < end:
            if len(pending) < 40:
                pending += [record(shard) for shard in range(len(self.shards)) for _ in range(20)]
            pending = self.send(pending)


def test_nothing_is_held_back_until_a_shard_throttles() -> None:
    pace = ShardPace(lambda hash_key: hash_key, lambda: 0.0)
    records = [record(0) for _ in range(500)]
    assert pace.admit(records) == (records, 0.0)
    pace.answered(records, [None] * 500)
    assert pace.admit(records) == (records, 0.0)


def test_a_throttled_shard_waits_and_another_does_not() -> None:
    pace = ShardPace(lambda hash_key: hash_key, lambda: 0.0)
    first, other = record(0), record(1)
    pace.answered([first, other], [THROTTLED, None])
    assert pace.admit([first, other]) == ([other], 0.0)
    admitted, wait_s = pace.admit([first])
    assert admitted == []
    assert 0 < wait_s <= 0.1


def test_goodput_is_the_limit_and_hardly_anything_is_refused() -> None:
    world = World(1.0, 1.0, 1.0, 1.0)
    world.run(30)
    for shard in world.shards:
        assert shard.stored >= 0.95 * 30 * SHARD_BYTES_PER_S
        assert shard.refused <= 0.05 * shard.stored / 50_000


def test_a_shard_that_others_write_to_as_well_gets_less() -> None:
    world = World(0.3)
    world.run(20)
    shard = world.shards[0]
    shard.stored = shard.refused = 0
    world.run(40)
    assert shard.stored >= 0.9 * 0.3 * 40 * SHARD_BYTES_PER_S
    assert shard.refused <= 0.12 * shard.stored / 50_000


def test_a_record_larger_than_a_burst_goes_in_its_time() -> None:
    world = World(1.0)
    world.pace.answered([record(0)], [THROTTLED])
    pending = [record(0, 900_000)]
    while pending:
        pending = world.send(pending)
    assert world.now < 1.5
