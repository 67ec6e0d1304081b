"""A shard's counting: exact under replays, aggregates and bad input."""

import random
import time

import orjson
import pytest

from catalog import live_items
from catalog.errors import SchemaError
from catalog.live import Head, counts_of, counts_to_bytes, position_of
from catalog.masking import Masking
from consumer import records
from consumer.records import Record, open_record, parse
from consumer.ring import Sample, pattern
from consumer.shard import Shard, Slot, Stored
from tests.consumer.conftest import aggregate, bad_index_aggregate, encoded, event

NOW_MS = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test begin now: the ring leaves out what is ten minutes old, and a whole suite takes longer."""
    monkeypatch.setitem(globals(), "NOW_MS", int(time.time() * 1000))


def fresh() -> Shard:
    return Shard("shardId-0", Stored(Head("shardId-0")), Masking(), NOW_MS / 1000)


def stored_of(shard: Shard) -> Stored:
    """What the table holds once a shard is written, through its own items."""
    head = live_items.head_of(live_items.head_item(shard.head(0.0), 0))
    slots = {}
    for start, slot in shard.slots.items():
        item = live_items.counts_item(shard.id, start, slot.counts, shard.position, 0)
        _, counts, position = live_items.counts_in(item)
        slots[start] = Slot(counts, position)
    return Stored(head, slots, next(reversed(shard.chunks()), None))


def numbered(datas: list[bytes], first: int = 1) -> list[Record]:
    return [Record(str(first + place), NOW_MS, data) for place, data in enumerate(datas)]


def total(shard: Shard) -> int:
    return sum(slot.counts.total for slot in shard.slots.values())


def test_shard_counts_by_service_level_and_status_class() -> None:
    shard = fresh()
    shard.add(
        numbered(
            [
                encoded(level="warn", status_code=404),
                encoded(level="ERROR", status_code=503, message="pool 17 exhausted for a@b.com", error_type="Pool"),
                encoded(service="User Service", status_code=None, response_time_ms=None),
            ]
        )
    )
    (slot,) = (
        shard.slots.values() if len(shard.slots) == 1 else [max(shard.slots.values(), key=lambda s: s.counts.total)]
    )
    assert dict(slot.counts.events) == {
        ("payment", "WARNING", "4xx"): 1,
        ("payment", "ERROR", "5xx"): 1,
        ("user-service", "INFO", "none"): 1,
    }
    assert dict(slot.counts.errors) == {("payment", "Pool: pool <*> exhausted for [email]"): 1}
    assert sum(slot.counts.latencies["payment"].values()) == 2
    assert not slot.counts.latencies["user-service"]


def test_counts_come_back_from_the_table_as_they_were() -> None:
    shard = fresh()
    shard.add(numbered([encoded(n, level="ERROR", status_code=500 + n % 4) for n in range(40)]))
    for slot in shard.slots.values():
        assert counts_of(counts_to_bytes(slot.counts)) == slot.counts


@pytest.mark.parametrize("seed", range(8))
def test_replay_from_any_place_counts_nothing_twice(seed: int) -> None:
    chance = random.Random(seed)
    datas = [encoded(n) for n in range(60)] + [b"no json"] * 3
    chance.shuffle(datas)
    batches = numbered([aggregate(datas[n : n + 7], "k") for n in range(0, 63, 7)])
    once = fresh()
    once.add(batches)
    shard, written = fresh(), 0
    while written < len(batches):
        upto = chance.randint(written + 1, len(batches))
        shard.add(batches[max(0, written - chance.randint(0, 4)) : upto])
        shard = Shard(shard.id, stored_of(shard), Masking(), NOW_MS / 1000)
        written = upto
    assert total(shard) == total(once) == 60
    assert shard.totals == once.totals
    assert shard.totals["events"] == 60
    assert shard.totals[f"rejected: {records.NOT_JSON}"] == 3


def test_write_that_finds_a_further_position_adopts_it() -> None:
    datas = numbered([encoded(n, timestamp="2026-11-22T00:00:00.000Z") for n in range(10)])
    moment = 1_795_305_600_000
    datas = [Record(each.sequence_number, moment, each.data) for each in datas]
    ahead, behind = fresh(), fresh()
    ahead.add(datas[:8])
    behind.add(datas[:5])
    (start,) = behind.slots
    behind.adopt_slot(start, stored_of(ahead).slots[start])
    behind.add(datas[5:])
    assert total(behind) == 10


def test_aggregates_and_plain_records_have_places_that_sort() -> None:
    whole = Record("9", NOW_MS, aggregate([b"a", b"b", b"c"], "k"))
    places = [each.position for each in open_record(whole)]
    assert places == [position_of("9", 0), position_of("9", 1), position_of("9", 2)]
    assert places == sorted(places)
    assert places[-1] < position_of("10")


def test_broken_aggregates_are_rejected_by_name() -> None:
    sound = aggregate([encoded(1), encoded(2)], "k")
    broken_md5 = sound[:-1] + bytes([sound[-1] ^ 1])
    shard = fresh()
    assert shard.add(numbered([broken_md5, bad_index_aggregate(encoded(3)), sound])) == 4
    assert shard.totals == {f"rejected: {records.BROKEN_AGGREGATE}": 2, "events": 2}
    assert shard.new_reasons == [records.BROKEN_AGGREGATE]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", records.NOT_JSON),
        (b"[1]", records.NOT_JSON),
        (b'{"a": 1', records.NOT_JSON),
        (b"\xff\xfe{}", records.NOT_JSON),
        (orjson.dumps({**event(), "status_code": "200"}), "`status_code` must be int"),
        (orjson.dumps({**event(), "status_code": True}), "`status_code` must be int"),
        (orjson.dumps({**event(), "level": "LOUD"}), "`level` must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        (orjson.dumps({**event(), "level": ["ERROR"]}), "`level` must be string"),
        (orjson.dumps({**event(), "timestamp": "soon"}), "`timestamp` must be ISO-8601"),
        (orjson.dumps({k: v for k, v in event().items() if k != "message"}), "`message` must be present"),
    ],
)
def test_bad_input_is_rejected_without_its_content(data: bytes, reason: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse(data)
    assert str(caught.value) == reason


def test_old_and_future_events_are_counted_as_late_and_in_no_slot() -> None:
    shard = fresh()
    shard.add(numbered([encoded(timestamp="2020-01-01T00:00:00.000Z"), encoded(timestamp="2090-01-01T00:00:00.000Z")]))
    assert shard.totals == {"events": 2, "late": 2}
    assert not shard.slots


def test_sample_keeps_errors_first_and_says_how_many_it_saw() -> None:
    sample = Sample(50, "seed")
    for n in range(1000):
        sample.offer(event(n, level="ERROR" if n % 40 == 0 else "INFO"), n)
    chosen = sample.chosen()
    assert sample.seen == 1000
    assert len(chosen) == 50
    assert sum(kept.event["level"] == "ERROR" for kept in chosen) == 25
    assert [kept.arrival_ms for kept in chosen] == sorted(kept.arrival_ms for kept in chosen)


def test_ring_masks_messages_and_drops_what_identifies_anybody() -> None:
    shard = fresh()
    shard.add(numbered([encoded(message="token=abcdef123 for a@b.com", client_ip="203.0.113.9", user_id="u1")]))
    (chunk,) = shard.chunks()
    assert chunk.events[0]["message"] == "token=[secret] for [email]"
    assert not {"client_ip", "user_id"} & set(chunk.events[0])


def test_pattern_leaves_out_what_varies() -> None:
    assert pattern("GET /a/17 took 3ms id=ab12") == "GET <*> took <*> <*>"
