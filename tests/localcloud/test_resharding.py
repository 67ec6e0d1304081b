"""Splits and merges keep every record, and tell readers where to go on."""

import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import EndpointProcess

pytestmark = pytest.mark.local


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


@pytest.mark.parametrize("targets", [(4,), (1,), (3,), (4, 1, 2)])
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
