"""The poll engine over the laptop's Kinesis and DynamoDB."""

import time
from collections.abc import Callable

import pytest

from catalog.live import HEADS
from consumer.errors import ConsumerError
from tests.conftest import EndpointProcess
from tests.consumer.conftest import LivePath, aggregate, encoded, until

pytestmark = pytest.mark.local
Make = Callable[..., LivePath]


def test_every_event_is_counted_once_and_shown(live_path: Make) -> None:
    path = live_path(shards=2)
    path.put([encoded(n) for n in range(300)])
    path.put([encoded(n, level="ERROR", status_code=500) for n in range(100)], aggregated=True)
    path.start()
    until(lambda: path.counted().total == 400)
    counts = path.counted()
    assert counts.events["payment", "ERROR", "5xx"] == 100
    feed = path.feed()
    assert feed.state().word == "live"
    assert feed.state().totals == {"events": 400}
    tail = feed.tail(None)
    assert tail.seen == 400
    assert {found["message"] for found in tail.events if found["level"] == "ERROR"} == {
        f"GET /charges/{n} answered 200" for n in range(100)
    }


def test_two_engines_and_a_restart_without_its_checkpoints_double_nothing(live_path: Make) -> None:
    path = live_path(shards=2)
    path.put([encoded(n) for n in range(200)])
    path.start()
    path.start()
    path.put([encoded(n) for n in range(200)], aggregated=True)
    until(lambda: path.counted().total == 400)
    path.stop()
    for item in path.dynamodb.query(
        TableName=path.name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": HEADS}},
    )["Items"]:
        path.dynamodb.delete_item(TableName=path.name, Key={"pk": item["pk"], "sk": item["sk"]})
    path.put([encoded(n) for n in range(50)])
    path.start()
    until(lambda: path.counted().total >= 450)
    path.stop()
    assert path.counted().total == 450


def test_bad_records_are_counted_and_said_once(live_path: Make) -> None:
    path = live_path(shards=1)
    sound = aggregate([encoded(1), encoded(2)], "k")
    path.put([b"no json"] * 20 + [sound[:-1] + b"\x00"] * 5 + [sound])
    path.start()
    until(lambda: path.feed().state().totals.get("events") == 2)
    totals = path.feed().state().totals
    assert sum(count for name, count in totals.items() if name.startswith("rejected")) == 25
    said = [text for text in path.said if "rejected" in text]
    assert len(said) == 2


def test_deleted_stream_ends_the_engine_with_its_name(live_path: Make) -> None:
    path = live_path(shards=1)
    path.put([encoded()])
    _, _, thread = path.start()
    until(lambda: path.counted().total == 1)
    path.kinesis.delete_stream(StreamName=path.name)
    thread.join(timeout=60)
    (failure,) = path.failures
    assert isinstance(failure, ConsumerError)
    assert str(failure).startswith(f"the stream must exist; {path.name!r} does not, or was deleted")


def test_deleted_table_ends_the_engine_with_its_name(live_path: Make) -> None:
    path = live_path(shards=1)
    _, _, thread = path.start()
    until(lambda: path.feed().state().word != "none")
    path.dynamodb.delete_table(TableName=path.name)
    thread.join(timeout=60)
    (failure,) = path.failures
    assert str(failure) == (f"the live table must exist; {path.name!r} does not, or was deleted; run 'loglake deploy'")


def test_feed_of_a_table_that_nobody_wrote_says_so(live_path: Make, endpoint: EndpointProcess) -> None:
    path = live_path(shards=1)
    assert path.feed().state().word == "none"
    assert path.feed().tail(None).events == ()


def test_one_feed_serves_many_readers_with_one_reading(live_path: Make) -> None:
    path = live_path(shards=1)
    path.put([encoded(n) for n in range(10)])
    path.start()
    until(lambda: path.counted().total == 10)
    feed = path.feed()
    feed.state()
    asked, started = feed.asked, time.monotonic()
    for _ in range(20):
        feed.tail(None)
        feed.counts(0)
    ticks = 1 + (time.monotonic() - started) / 0.4
    assert feed.asked - asked <= 3 * ticks


def test_resharding_reads_parents_first_and_loses_nothing(live_path: Make) -> None:
    path = live_path(shards=2)
    path.put([encoded(n) for n in range(100)])
    path.start()
    until(lambda: path.counted().total == 100)
    path.kinesis.update_shard_count(StreamName=path.name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    path.put([encoded(n) for n in range(200)])
    for count in (2, 1):
        path.kinesis.update_shard_count(StreamName=path.name, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
    path.put([encoded(n) for n in range(100)])
    until(lambda: path.counted().total >= 400)
    path.stop()
    assert path.counted().total == 400
    assert sum("is read to its end" in text for text in path.said) >= 2
