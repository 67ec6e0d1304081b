"""The poll engine: every shard of the stream read by boto3, in one process, a thread for each shard.

Checkpoints are in the heads of the live table. A shard is read only when its parents are read to their ends, so that
the order of a partition key's records is kept across resharding.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from catalog.live import COUNTED_SECONDS, Head
from catalog.masking import Masking
from consumer.errors import Stopped
from consumer.records import Record
from consumer.shard import Shard, Stored
from consumer.store import Store
from consumer.stream import IteratorExpired, Page, PlaceUnknown, ShardInfo, Start, Stream

POLL_SECONDS = 0.4
"""Between two reads of a shard: Kinesis allows five a second for all who read it."""
HEARTBEAT_SECONDS = 2.0
DISCOVER_SECONDS = 10.0
RECENT_SECONDS = 600
SURELY_READ_SECONDS = 60
"""A shard without a checkpoint is read again from this long before the moment it was read to; nothing counts twice."""
STARTS = ("recent", "latest", "horizon")


@dataclass(slots=True)
class Progress:
    """What the engine has done so far, for people and for the health file."""

    events: int = 0
    shards: int = 0
    read_to: dict[str, float] = field(default_factory=dict)


class PollEngine:
    """Reads a stream until told to stop, or until it can't go on."""

    def __init__(
        self,
        stream: Stream,
        store: Store,
        stop: threading.Event,
        say: Callable[[str], None],
        start: str = "recent",
        masking: Masking | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.progress = Progress()
        self._stream, self._store, self._stop, self._say = stream, store, stop, say
        self._start, self._masking, self._clock = start, masking or Masking(), clock
        self._threads: dict[str, threading.Thread] = {}
        self._ended: set[str] = set()
        self._failure: Exception | None = None
        self._wake = threading.Event()

    def run(self) -> None:
        """Read until `stop` is set; then everything read is written and checkpointed. Raise what ended a shard."""
        heads = self._store.heads()
        self._ended = {head.shard for head in heads.values() if head.ended}
        is_first = not heads
        try:
            while not self._stop.is_set() and self._failure is None:
                self._discover(is_first)
                is_first = False
                self._wake.wait(DISCOVER_SECONDS)
                self._wake.clear()
        except Stopped:
            pass
        finally:
            self._stop.set()
            for thread in self._threads.values():
                thread.join()
        if self._failure is not None:
            raise self._failure

    def wake(self) -> None:
        """Make the engine look around at once; after `stop` was set, for instance."""
        self._wake.set()

    def _discover(self, is_first: bool) -> None:
        """Start a reader for every shard whose parents are read to their ends."""
        shards = self._stream.shards()
        listed = {shard.id for shard in shards}
        for shard in shards:
            waits = any(parent in listed and parent not in self._ended for parent in shard.parents)
            if shard.id in self._ended or shard.id in self._threads or waits:
                continue
            thread = threading.Thread(target=self._follow, args=(shard, is_first), name=shard.id, daemon=True)
            self._threads[shard.id] = thread
            thread.start()
        self.progress.shards = sum(thread.is_alive() for thread in self._threads.values())

    def _follow(self, info: ShardInfo, is_first: bool) -> None:
        try:
            is_ended = self._read(*self._begin(info.id, is_first))
        except Stopped:
            return
        except Exception as error:
            self._failure = self._failure or error
            self._stop.set()
            self.wake()
            return
        if is_ended:
            self._ended.add(info.id)
            self._say(f"{info.id} is read to its end; its children follow")
            self.wake()

    def _begin(self, shard_id: str, is_first: bool) -> tuple[Shard, Start]:
        """Return a shard with what is stored of it, and where to read on."""
        now = self._clock()
        stored = self._store.load(shard_id)
        if stored is None:
            start, covered_from = self._fresh(is_first, now)
            stored = Stored(Head(shard_id, covered_from=covered_from))
        elif stored.head.checkpoint and now - stored.head.written_at > COUNTED_SECONDS:
            self._say(
                f"{shard_id} was last read {now - stored.head.written_at:,.0f} s ago; going on with recent records"
            )
            start = Start(moment=now - RECENT_SECONDS)
            stored = Stored(replace(stored.head, covered_from=now - RECENT_SECONDS), stored.slots, stored.last_chunk)
        else:
            start = Start(after=stored.head.checkpoint, moment=max(0.0, stored.head.read_to - SURELY_READ_SECONDS))
        return Shard(shard_id, stored, self._masking, now), start

    def _fresh(self, is_first: bool, now: float) -> tuple[Start, float]:
        """Return where a shard starts that was never read, and since when that covers everything."""
        if not is_first:  # a child: all of it is new
            ended = [head.covered_from for head in self._store.heads().values() if head.ended]
            return Start(), max(ended, default=now)
        if self._start == "latest":
            return Start(newest=True), now
        if self._start == "recent":
            return Start(moment=now - RECENT_SECONDS), now - RECENT_SECONDS
        return Start(), 0.0

    def _read(self, shard: Shard, start: Start) -> bool:
        """Read a shard until its end (True) or until told to stop (False)."""
        checkpoint, iterator, written_at = start.after, self._iterator(shard, start), 0.0
        while not self._stop.is_set():
            asked_at = self._clock()
            try:
                page = self._stream.read(iterator)
            except IteratorExpired:
                self._say(f"the iterator of {shard.id} expired; asking for a new one")
                iterator = self._iterator(shard, Start(after=checkpoint) if checkpoint else start)
                continue
            checkpoint = self._take(shard, page, asked_at, checkpoint)
            is_due = asked_at - written_at >= HEARTBEAT_SECONDS
            if page.records or is_due or not page.next_iterator:
                self._store.write(shard, checkpoint)
                written_at = asked_at
            if not page.next_iterator:
                return True
            iterator = page.next_iterator
            if page.behind_ms < 1000 * POLL_SECONDS or not page.records:
                self._stop.wait(max(0.0, POLL_SECONDS - (self._clock() - asked_at)))
        self._store.write(shard, checkpoint)
        return False

    def _iterator(self, shard: Shard, start: Start) -> str:
        try:
            return self._stream.iterator(shard.id, start)
        except PlaceUnknown:
            self._say(f"{shard.id} does not know where it was read to: the stream is a new one; reading all it has")
            return self._stream.iterator(shard.id, Start())

    def _take(self, shard: Shard, page: Page, asked_at: float, checkpoint: str) -> str:
        """Add a page up, and return the sequence number to go on after."""
        self.progress.events += count_page(shard, page.records, self._say)
        shard.read_until(asked_at - page.behind_ms / 1000)
        shard.ended = not page.next_iterator
        self.progress.read_to[shard.id] = shard.read_to
        return page.records[-1].sequence_number if page.records else checkpoint


def count_page(shard: Shard, records: Sequence[Record], say: Callable[[str], None]) -> int:
    """Add records up, and say of each reason for rejecting one that it was met, once."""
    count = shard.add(records)
    while shard.new_reasons:
        say(f"{shard.id}: rejected a record: {shard.new_reasons.pop()} (from now on only counted)")
    return count
