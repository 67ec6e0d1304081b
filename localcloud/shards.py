"""The shards of a stream as ministack keeps them: which are open, which takes a hash key, and how they change.

A change is made on a copy and takes effect in one step: a reader sees all of it or nothing, and so does a failure.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from localcloud.retention import RECORD_WINDOW_SECONDS

Shard = dict[str, Any]
Stream = dict[str, Any]
CLOSED_AT = "closed_at"
ENDING = "ending_sequence_number"
_routes: dict[str, tuple[dict[str, Shard], int, list[int], list[str]]] = {}
"""By stream: the shards that a table was made of, how many they were, where each open one begins, and its name."""


class Span(NamedTuple):
    """The hash keys of a shard, both ends included, and its name."""

    start: int
    end: int
    name: str


def span_of(name: str, shard: Shard) -> Span:
    """Return the hash keys of a shard."""
    return Span(int(shard["starting_hash_key"]), int(shard["ending_hash_key"]), name)


def open_shards(stream: Stream) -> dict[str, Shard]:
    """Return the shards of a stream that take records."""
    return {name: shard for name, shard in list(stream["shards"].items()) if ENDING not in shard}


def forget_closed(stream: Stream) -> None:
    """Forget closed shards that are empty and past the window in which anything could have been read."""
    oldest = time.time() - RECORD_WINDOW_SECONDS
    for name, shard in list(stream["shards"].items()):
        if shard.get(CLOSED_AT, oldest) < oldest and not shard["records"]:
            del stream["shards"][name]


class Change:
    """Splits and merges of one stream's open shards, in its records only once `commit` is called."""

    def __init__(self, stream: Stream) -> None:
        from ministack.services import kinesis

        self._stream = stream
        self._shards = dict(stream["shards"])
        self._numbers = count(kinesis._max_shard_index(stream) + 1)
        self._now = time.time()

    def split(self, parent: Span, place: int) -> tuple[Span, Span]:
        """Close a shard; return its children, of which the second begins at `place`."""
        self._close(parent)
        return self._open(parent.start, place - 1, parent.name), self._open(place, parent.end, parent.name)

    def merge(self, one: Span, other: Span) -> Span:
        """Close two shards that lie side by side, and return their child."""
        self._close(one)
        self._close(other)
        return self._open(min(one.start, other.start), max(one.end, other.end), one.name, other.name)

    def cut(self, places: Sequence[int]) -> Iterator[Span]:
        """Split the open shards so that one begins at each place, given in order; yield all open ones in order."""
        waiting = iter(places)
        place = next(waiting, None)
        for rest in sorted(span_of(name, shard) for name, shard in open_shards(self._stream).items()):
            while place is not None and place <= rest.end:
                if place > rest.start:
                    first, rest = self.split(rest, place)
                    yield first
                place = next(waiting, None)
            yield rest

    def commit(self) -> None:
        """Let the stream have the shards as they are now."""
        self._stream["shards"] = self._shards

    def _close(self, span: Span) -> None:
        from ministack.services import kinesis

        closed = {ENDING: kinesis._next_sequence_number(), CLOSED_AT: self._now}
        self._shards[span.name] = {**self._shards[span.name], **closed}

    def _open(self, start: int, end: int, parent: str, adjacent: str | None = None) -> Span:
        from ministack.services import kinesis

        span = Span(start, end, f"shardId-{next(self._numbers):012d}")
        self._shards[span.name] = {
            "records": [],
            "starting_hash_key": str(start),
            "ending_hash_key": str(end),
            "starting_sequence_number": kinesis._next_sequence_number(),
            "parent_shard_id": parent,
            "adjacent_parent_shard_id": adjacent,
        }
        return span


def route(hash_key: int, stream: Stream) -> str:
    """Return the open shard of a hash key; its table is made anew when the stream's shards are others."""
    shards = stream["shards"]
    known = _routes.get(stream["StreamARN"])
    if known is None or known[0] is not shards or known[1] != len(shards):
        found = sorted((int(shard["starting_hash_key"]), name) for name, shard in open_shards(stream).items())
        known = shards, len(shards), [start for start, _ in found], [name for _, name in found]
        _routes[stream["StreamARN"]] = known
    return known[3][max(0, bisect_right(known[2], hash_key) - 1)]
