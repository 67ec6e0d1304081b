"""Writing the live table while DynamoDB throttles, loses answers, or is gone."""

import random
import time
from datetime import UTC, datetime

import pytest

from catalog import live, live_items
from catalog.live import merged
from catalog.live_feed import Feed
from catalog.masking import Masking
from catalog.schema import LEVELS
from consumer.errors import ConsumerError, Stopped
from consumer.records import Record
from consumer.shard import MOST_SERVICES, Shard
from consumer.store import Store
from tests.consumer.conftest import encoded
from tests.consumer.memory_table import MemoryTable, refusal

NOW_MS = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test begin now: the ring leaves out what is ten minutes old, and a whole suite takes longer."""
    monkeypatch.setitem(globals(), "NOW_MS", int(time.time() * 1000))


def records(count: int, first: int = 1) -> list[Record]:
    return [Record(str(first + n), NOW_MS, encoded(n)) for n in range(count)]


def opened(store: Store, shard_id: str = "shardId-0") -> Shard:
    from consumer.shard import Stored

    return Shard(shard_id, store.load(shard_id) or Stored(live.Head(shard_id)), Masking(), time.time())


def counted(table: MemoryTable) -> int:
    return merged(Feed(table, "t").counts(0).values()).total


@pytest.mark.parametrize("after", [False, True])
def test_throttling_and_lost_answers_lose_and_double_nothing_and_are_said_once(after: bool) -> None:
    table, said = MemoryTable(), list[str]()
    store = Store(table, "t", said.append, lambda seconds: False)
    shard = opened(store)
    table.after = after
    for first in (1, 101, 201):
        shard.add(records(100, first))
        table.refusals.extend([refusal("ProvisionedThroughputExceededException")] * 4)
        store.write(shard)
    assert counted(table) == 300
    assert Feed(table, "t").state().totals == {"events": 300}
    assert sum("can't be used (ProvisionedThroughputExceededException" in text for text in said) <= 3
    assert said[-1] == "table t answers again; nothing was lost"


def test_stop_while_dynamodb_refuses_leaves_everything_to_be_read_again() -> None:
    table, said = MemoryTable(), list[str]()
    store = Store(table, "t", said.append, lambda seconds: True)
    shard = opened(store)
    shard.add(records(10))
    table.refusals.append(refusal("InternalServerError"))
    with pytest.raises(Stopped):
        store.write(shard)
    again = opened(store)
    again.add(records(10))
    store.write(again)
    assert counted(table) == 10


def test_missing_table_is_an_error_with_its_mend() -> None:
    table = MemoryTable()
    table.refusals.append(refusal("ResourceNotFoundException"))
    with pytest.raises(ConsumerError) as caught:
        Store(table, "t", print, lambda seconds: False).load("shardId-0")
    assert str(caught.value) == "the live table must exist; 't' does not, or was deleted; run 'loglake deploy'"


def test_former_owner_that_still_writes_adds_nothing() -> None:
    table = MemoryTable()
    store = Store(table, "t", print, lambda seconds: False)
    former, owner = opened(store), opened(store)
    everything = records(60)
    former.add(everything[:20])
    store.write(former)
    owner.add(everything[:40])
    store.write(owner)
    former.add(everything[20:30])
    store.write(former)
    owner.add(everything[40:])
    store.write(owner)
    former.add(everything[30:])
    store.write(former)
    assert counted(table) == 60
    assert Feed(table, "t").state().totals == {"events": 60}


def test_ring_is_bounded_and_a_late_reader_is_told_how_much_it_missed() -> None:
    table = MemoryTable()
    store = Store(table, "t", print, lambda seconds: False)
    shard, feed = opened(store), Feed(table, "t")
    shard.add(records(5))
    store.write(shard)
    cursor = feed.tail(None).cursor
    for turn in range(live.RING_CHUNKS + 40):
        shard.add(records(3, 10 + 3 * turn))
        store.write(shard)
    chunks = [key for key in table.items if key[0].startswith("ring#")]
    assert len(chunks) == live.RING_CHUNKS
    tail = Feed(table, "t").tail(cursor)
    assert tail.skipped + tail.seen == 3 * (live.RING_CHUNKS + 40)
    assert tail.skipped > 0


def noise(size: int, seed: int) -> str:
    """Return a text that no compression makes small."""
    return "".join(map(chr, random.Random(seed).choices(range(0x4E00, 0x9FFF), k=size)))


@pytest.mark.parametrize("answers_are_lost", [False, True])
def test_events_too_large_for_one_item_are_written_as_several_chunks(answers_are_lost: bool) -> None:
    table = MemoryTable()
    store = Store(table, "t", print, lambda seconds: False)
    shard = opened(store)
    large = [encoded(n, message=noise(1200, n)) for n in range(240)]
    shard.add([Record(str(1 + n), NOW_MS, text) for n, text in enumerate(large)])
    table.after = answers_are_lost
    table.refusals.extend([refusal("ProvisionedThroughputExceededException")] * 4 * answers_are_lost)
    store.write(shard)
    table.refusals.clear()
    chunks = [live_items.chunk_of(item) for key, item in table.items.items() if key[0].startswith("ring#")]
    assert [chunk.number for chunk in chunks] == [1, 2]
    assert [chunk.total for chunk in chunks] == [chunks[0].seen, 240]
    assert chunks[0].position < chunks[1].position == shard.position
    tail = Feed(table, "t").tail(None)
    assert (tail.seen, tail.kept, tail.skipped) == (240, 240, 0)
    assert {(len(event["message"]), event["message"][-1]) for event in tail.events} == {(live.MESSAGE_CHARS, "…")}


def test_what_finds_no_room_in_the_ring_is_seen_and_not_kept_and_all_is_counted() -> None:
    table = MemoryTable()
    store = Store(table, "t", print, lambda seconds: False)
    shard = opened(store)
    names = ("event_id", "host", "endpoint", "trace_id", "error_type", "message")
    for n in range(250):
        texts = {name: noise(1000, 10 * n + place) for place, name in enumerate(names)}
        shard.add([Record(str(n + 1), NOW_MS, encoded(n, **texts))])
    store.write(shard)
    tail = Feed(table, "t").tail(None)
    assert tail.seen == counted(table) == 250
    assert 0 < tail.kept < 250


def test_counters_of_any_services_statuses_and_durations_fit_into_an_item() -> None:
    table, dice = MemoryTable(), random.Random(1)
    store = Store(table, "t", print, lambda seconds: False)
    shard = opened(store)
    timestamp = datetime.fromtimestamp(NOW_MS / 1000, UTC).isoformat()
    for n in range(12_000):
        named = {"service": f"{n % 500:03d}-" + "x" * 50, "level": LEVELS[n % 5]}
        told = {"status_code": dice.randrange(-(2**31), 2**31), "response_time_ms": 1.05 ** dice.randrange(-50, 320)}
        data = encoded(n, **named, **told, timestamp=timestamp, message=noise(120, n % 100))
        shard.add([Record(str(n + 1), NOW_MS, data)])
    store.write(shard)
    total = merged(Feed(table, "t").counts(0).values())
    assert total.total == 12_000
    assert len({service for service, _, _ in total.events}) == MOST_SERVICES + 1
    assert {status for _, _, status in total.events} <= {live.OTHER, "1xx", "2xx", "3xx", "4xx", "5xx"}
