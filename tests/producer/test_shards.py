import hashlib
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from producer.shards import HASH_KEYS, WHOLE_RANGE, Shard, ShardMap, hash_key_of, open_shards
from tests.producer.kinesis_server import SHARDS


def ranges(edges: list[int]) -> list[Shard]:
    limits = [0, *sorted(set(edges) - {0}), HASH_KEYS]
    return [Shard(f"s{first}", first, last - 1) for first, last in pairwise(limits)]


@given(st.lists(st.integers(1, HASH_KEYS - 1), max_size=20), st.integers())
def test_keys_go_round_the_shards_and_each_hashes_into_its_own(edges: list[int], seed: int) -> None:
    shards = ranges(edges)
    shard_map = ShardMap(shards, Random(seed))
    for shard in shards * 2:
        assert shard.first <= int(shard_map.hash_key()) <= shard.last


def test_closed_shards_take_no_records() -> None:
    closed = {**SHARDS[0], "SequenceNumberRange": {"StartingSequenceNumber": "1", "EndingSequenceNumber": "9"}}
    assert [shard.shard_id for shard in open_shards([closed, SHARDS[1]])] == [SHARDS[1]["ShardId"]]


def test_a_map_without_shards_covers_the_whole_range() -> None:
    assert ShardMap([], Random(1)).shards == (WHOLE_RANGE,)


def test_a_partition_key_hashes_as_kinesis_hashes_it() -> None:
    assert hash_key_of("loglake") == int(hashlib.md5(b"loglake").hexdigest(), 16)
