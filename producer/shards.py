"""The stream's shards, and a key inside each: what one aggregate must not straddle."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

HASH_KEYS = 1 << 128


@dataclass(frozen=True, slots=True)
class Shard:
    """An open shard and the hash keys it owns, both ends included."""

    shard_id: str
    first: int
    last: int


WHOLE_RANGE = Shard("", 0, HASH_KEYS - 1)
"""Stands for a stream whose shards nobody has listed: any key then goes where the stream says."""


def open_shards(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Shard, ...]:
    """Return the shards that take records, from what ListShards answers: those without an ending sequence number."""
    return tuple(
        Shard(
            shard["ShardId"],
            int(shard["HashKeyRange"]["StartingHashKey"]),
            int(shard["HashKeyRange"]["EndingHashKey"]),
        )
        for shard in descriptions
        if "EndingSequenceNumber" not in shard.get("SequenceNumberRange", {})
    )


def hash_key_of(partition_key: str) -> int:
    """Return the hash key that Kinesis gives to a partition key."""
    return int.from_bytes(hashlib.md5(partition_key.encode("utf-8"), usedforsecurity=False).digest(), "big")


class ShardMap:
    """Gives each aggregate a hash key, shard after shard in turn.

    The key is drawn anew within the shard's range, so that after a split, and before the map is refreshed, the children
    share the traffic; every record of an aggregate carries the same key, so no split can part them.
    """

    def __init__(self, shards: Sequence[Shard], random: Random) -> None:
        self._random = random
        self._next = 0
        self._use(shards or (WHOLE_RANGE,))

    def _use(self, shards: Sequence[Shard]) -> None:
        ordered = sorted(shards, key=lambda shard: shard.first)
        self._owners = [shard.first for shard in ordered], [shard.shard_id for shard in ordered]
        self._shards: Sequence[Shard] = shards

    @property
    def shards(self) -> Sequence[Shard]:
        """The shards in use."""
        return self._shards

    def replace(self, shards: Sequence[Shard]) -> None:
        """Use `shards` from now on; an empty list changes nothing."""
        self._use(shards or self._shards)

    def knows(self, shard_ids: set[str]) -> bool:
        """Return whether all of these are shards in use, so that the map is not out of date."""
        return shard_ids <= set(self._owners[1])

    def shard_of(self, hash_key: str) -> str:
        """Return the id of the shard in use that owns `hash_key`."""
        firsts, ids = self._owners
        return ids[bisect_right(firsts, int(hash_key)) - 1]

    def hash_key(self) -> str:
        """Return an explicit hash key inside the next shard."""
        shards = self._shards
        shard = shards[self._next % len(shards)]
        self._next += 1
        return str(self._random.randint(shard.first, shard.last))
