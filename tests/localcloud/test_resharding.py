"""Splits and merges keep every record, and tell readers where to go on."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import EndpointProcess

pytestmark = pytest.mark.local

UNIFORM = {"ScalingType": "UNIFORM_SCALING"}
FIRST, FOURTH = "the first open shard", "the fourth"


@pytest.fixture
def stream(endpoint: EndpointProcess) -> Iterator[tuple[Any, str]]:
    client, name = endpoint.client("kinesis"), f"reshard-{uuid.uuid4().hex[:8]}"
    client.create_stream(StreamName=name, ShardCount=2)
    yield client, name
    client.delete_stream(StreamName=name)


def put(client: Any, name: str, count: int) -> None:
    records = [{"Data": b"x", "PartitionKey": str(uuid.uuid4())} for _ in range(count)]
    assert client.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


def read_all(client: Any, name: str, shard: str) -> tuple[int, dict[str, Any]]:
    """Return how many records a shard gives until it ends or runs dry, and the last answer."""
    kind = {"ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(StreamName=name, ShardId=shard, **kind)["ShardIterator"]
    answer = client.get_records(ShardIterator=iterator)
    return len(answer["Records"]), answer


@pytest.mark.parametrize("targets", [(4,), (1,), (3,), (4, 2, 1), (4, 3, 5, 3)])
def test_resharding_keeps_every_record_and_every_hash_key(stream: tuple[Any, str], targets: tuple[int, ...]) -> None:
    client, name = stream
    put(client, name, 50)
    for target in targets:
        client.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        put(client, name, 50)
    shards = client.list_shards(StreamName=name)["Shards"]
    assert sum(read_all(client, name, shard["ShardId"])[0] for shard in shards) == 50 * (1 + len(targets))
    ranges = sorted(
        (int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
        for shard in client.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    )
    assert len(ranges) == targets[-1]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 2**128 - 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(ranges))


def test_closed_shard_ends_with_its_children(stream: tuple[Any, str]) -> None:
    client, name = stream
    put(client, name, 20)
    client.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**125))
    _, answer = read_all(client, name, "shardId-000000000000")
    assert not answer.get("NextShardIterator")
    assert sorted(child["ShardId"] for child in answer["ChildShards"]) == [
        "shardId-000000000002",
        "shardId-000000000003",
    ]
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**125))


def spans(client: Any, name: str) -> dict[str, tuple[str, str]]:
    shards = client.list_shards(StreamName=name)["Shards"]
    return {
        each["ShardId"]: (each["HashKeyRange"]["StartingHashKey"], str(each["SequenceNumberRange"])) for each in shards
    }


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("merge_shards", {"ShardToMerge": FIRST, "AdjacentShardToMerge": FIRST}, "InvalidArgumentException"),
        ("merge_shards", {"ShardToMerge": FIRST, "AdjacentShardToMerge": FOURTH}, "InvalidArgumentException"),
        ("merge_shards", {"ShardToMerge": FIRST, "AdjacentShardToMerge": "shardId-9"}, "ResourceNotFoundException"),
        ("split_shard", {"ShardToSplit": FIRST, "NewStartingHashKey": "0"}, "InvalidArgumentException"),
        ("split_shard", {"ShardToSplit": FIRST, "NewStartingHashKey": str(2**127)}, "InvalidArgumentException"),
        ("split_shard", {"ShardToSplit": FIRST, "NewStartingHashKey": str(2**128)}, "InvalidArgumentException"),
        ("update_shard_count", {"TargetShardCount": 9, **UNIFORM}, "InvalidArgumentException"),
        ("update_shard_count", {"TargetShardCount": 1, **UNIFORM}, "InvalidArgumentException"),
        ("update_shard_count", {"TargetShardCount": 10_001, **UNIFORM}, "LimitExceededException"),
    ],
)
def test_a_change_that_aws_refuses_is_refused_and_changes_nothing(
    stream: tuple[Any, str], operation: str, parameters: dict[str, Any], code: str
) -> None:
    client, name = stream
    client.update_shard_count(StreamName=name, TargetShardCount=4, **UNIFORM)
    opened = client.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    ordered = sorted(opened, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
    known = {FIRST: ordered[0]["ShardId"], FOURTH: ordered[3]["ShardId"]}
    put(client, name, 20)
    before = spans(client, name)
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(
            StreamName=name, **{key: known.get(value, value) for key, value in parameters.items()}
        )
    assert raised.value.response["Error"]["Code"] == code
    assert spans(client, name) == before
    assert sum(read_all(client, name, shard)[0] for shard in before) == 20


def test_shards_split_at_their_first_and_last_hash_key_and_merged_in_either_order(stream: tuple[Any, str]) -> None:
    client, name = stream
    client.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey="1")
    client.split_shard(StreamName=name, ShardToSplit="shardId-000000000001", NewStartingHashKey=str(2**128 - 1))
    pair = {"ShardToMerge": "shardId-000000000003", "AdjacentShardToMerge": "shardId-000000000002"}
    client.merge_shards(StreamName=name, **pair)
    put(client, name, 50)
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.merge_shards(StreamName=name, **pair)
    assert sum(read_all(client, name, shard)[0] for shard in spans(client, name)) == 50


def test_a_stream_is_scaled_ten_times_within_a_day(stream: tuple[Any, str]) -> None:
    client, name = stream
    for turn in range(10):
        client.update_shard_count(StreamName=name, TargetShardCount=3 - turn % 2, **UNIFORM)
    with pytest.raises(client.exceptions.LimitExceededException):
        client.update_shard_count(StreamName=name, TargetShardCount=3, **UNIFORM)


def test_thousands_of_shards_keep_no_other_service_waiting(own_endpoint: Callable[[], EndpointProcess]) -> None:
    endpoint = own_endpoint()
    client, s3, glue = (endpoint.client(service) for service in ("kinesis", "s3", "glue"))
    longest = [0.0]
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            for call in (s3.list_buckets, glue.get_databases):
                began = time.monotonic()
                call()
                longest[0] = max(longest[0], time.monotonic() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        client.create_stream(StreamName="wide", ShardCount=2000)
        client.update_shard_count(StreamName="wide", TargetShardCount=3999, **UNIFORM)
        for _ in range(3):
            put(client, "wide", 500)
        assert len(client.list_shards(StreamName="wide")["Shards"]) >= 5999
    finally:
        done.set()
        asking.join()
    assert longest[0] < 2.0
