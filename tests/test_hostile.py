"""Hostile events through every stage that can be called without AWS: none raises or loops, and nothing vanishes."""

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from catalog import live_items
from catalog.errors import SchemaError
from catalog.live import Head, merged
from catalog.live_feed import Feed
from catalog.masking import Masking
from catalog.schema import validate
from consumer.records import Record, parse
from consumer.shard import Shard, Stored
from consumer.store import Store
from firehose import encoding
from firehose.transform import transform
from glue_streaming.reasons import reason_of
from producer.raw_objects import RawCounter
from producer.verify import Lake
from tests.consumer.memory_table import MemoryTable, size_of
from tests.hostile import BAD, GOOD, HOSTILE, STALE, UNDELIVERED, lines

LONGEST_SECONDS = 5.0
"""More than any of these lines may take a stage, on a busy machine."""


def consumed(datas: list[bytes]) -> dict[str, int]:
    """Return a shard's totals once both engines' processor has read and written it, and no item was too large."""
    table = MemoryTable()
    store = Store(table, "t", print, lambda seconds: False)
    shard = Shard("shard", Stored(Head("shard")), Masking(), time.time())
    now_ms = int(time.time() * 1000)
    assert shard.add([Record(str(place + 1), now_ms, data) for place, data in enumerate(datas)]) == len(datas)
    store.write(shard)
    assert shard.position == live_items.head_of(table.items["shards", "shard"]).position
    assert all(size_of(item) <= 400 * 1024 for item in table.items.values())
    feed = Feed(table, "t")
    counted = merged(feed.counts(0).values()).total
    assert counted + shard.totals["late"] == shard.totals["events"]
    assert feed.tail(None).seen <= counted + shard.totals["late"]
    return dict(shard.totals)


def is_counted(data: bytes) -> bool:
    totals = consumed([data])
    assert sum(count for name, count in totals.items() if name != "late") == 1
    return bool(totals.get("events"))


def delivered(data: bytes) -> bytes | None:
    """Return what the Lambda makes of a line; None for what goes under errors/, byte for byte."""
    wrapped = base64.b64encode(data).decode()
    answer = transform({"records": [{"recordId": "1", "data": wrapped}]}, datetime.now(UTC))
    (record,) = answer["records"]
    assert record["recordId"] == "1"
    if record["result"] == "Ok":
        assert set(record["metadata"]["partitionKeys"]) == {"service", "year", "month", "day"}
        return base64.b64decode(record["data"])
    assert (record["result"], record["data"]) == ("ProcessingFailed", wrapped)
    return None


def is_verified(data: bytes, *, under: str = "logs") -> bool:
    """Return whether `loglake verify` takes a line for an event, found under logs/ or as its record under errors/."""
    counter, lake = RawCounter(), Lake()
    if under == "logs":
        counter.add_events(data)
        counter.fill(lake)
        good, bad = lake.raw.total(), lake.raw_rejects
    else:
        counter.add_errors(orjson.dumps({"rawData": base64.b64encode(data).decode()}))
        counter.fill(lake)
        good, bad = lake.undelivered.total(), lake.errors
    lines_counted = len([each for each in data.split(b"\n") if each.strip()])
    assert good + bad == (lines_counted if under == "logs" else 1)
    return good > 0


def is_reasoned(data: bytes) -> bool:
    reason = reason_of(data)
    assert reason
    assert "\n" not in reason
    return "an event that Spark's JSON reader takes" not in reason


def in_time(stage: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    began = time.perf_counter()
    result = stage(*arguments, **named)
    assert time.perf_counter() - began < LONGEST_SECONDS
    return result


@pytest.mark.parametrize("name", HOSTILE)
def test_every_stage_agrees_whether_a_hostile_line_is_an_event(name: str) -> None:
    data = HOSTILE[name]
    is_event = name not in BAD
    assert in_time(is_counted, data) is is_event
    assert in_time(is_verified, data) is is_event
    assert in_time(is_verified, data, under="errors") is is_event
    assert in_time(is_reasoned, data) is not is_event
    found = in_time(delivered, data)
    assert found is not None or name in (*BAD, *UNDELIVERED)
    assert found is None or is_verified(found) is is_event


def test_one_batch_of_all_hostile_lines_loses_none() -> None:
    totals = consumed([*HOSTILE.values()])
    assert totals["events"] == len(GOOD) + len(STALE) + len(UNDELIVERED)
    assert totals["late"] == len(STALE)
    assert sum(count for name, count in totals.items() if name.startswith("rejected: ")) == len(BAD)
    batch = [{"recordId": str(n), "data": base64.b64encode(data).decode()} for n, data in enumerate(HOSTILE.values())]
    assert len(transform({"records": batch}, datetime.now(UTC))["records"]) == len(HOSTILE)


@given(lines)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_line_whatever_stops_a_stage_or_is_judged_in_two_ways(data: bytes) -> None:
    single = data.replace(b"\n", b" ")
    verdict = is_counted(single)
    found = delivered(single)
    is_reasoned(single)
    if single.strip():
        # what only our words for a level make an event of is one for who reads what the Lambda normalised
        assert is_verified(single) <= verdict
        assert is_verified(single, under="errors") is is_verified(single)
    if found is not None:
        assert is_verified(found) is verdict


@given(lines)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_consumer_takes_the_quick_way_only_where_the_schema_agrees(data: bytes) -> None:
    try:
        event, _ = parse(data)
    except SchemaError:
        return
    validate(event)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_standard_library_reads_a_hostile_line_as_orjson_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_orjson = delivered(HOSTILE[name])
    monkeypatch.setattr("firehose.transform.decode", encoding.decode_plainly)
    monkeypatch.setattr("firehose.transform.encode", encoding.encode_plainly)
    plainly = delivered(HOSTILE[name])
    assert (plainly is None) is (by_orjson is None)
