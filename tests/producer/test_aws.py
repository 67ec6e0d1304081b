import base64
import json

import numpy as np
import pytest

from catalog.errors import LoglakeError
from producer import aws
from producer.record import Put, PutError, Record
from tests.producer.kinesis_server import FaultyKinesis, serving


def record(data: bytes) -> Record:
    return Record(data, "7", [data], np.zeros(1, dtype=np.int64))


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> FaultyKinesis:
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return FaultyKinesis()


def put_to(url: str, monkeypatch: pytest.MonkeyPatch) -> Put:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return aws.kinesis_put(aws.client("kinesis"), "logs")


def test_a_body_says_what_botocore_would() -> None:
    body = json.loads(aws.put_records_body('lo"gs', [record(b"\xff\x00"), record(b"b")]))
    assert body["StreamName"] == 'lo"gs'
    assert [base64.b64decode(entry["Data"]) for entry in body["Records"]] == [b"\xff\x00", b"b"]
    assert {(entry["PartitionKey"], entry["ExplicitHashKey"]) for entry in body["Records"]} == {("loglake", "7")}


def test_a_put_stores_the_bytes_and_answers_for_each(kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(kinesis) as url:
        assert put_to(url, monkeypatch)([record(b"\xff\x00"), record(b"b")]) == [None, None]
    assert kinesis.stored == [(7, b"\xff\x00"), (7, b"b")]


def test_a_failed_entry_is_answered_by_its_code(kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    kinesis.entry_faults = 1.0
    with serving(kinesis) as url:
        assert put_to(url, monkeypatch)([record(b"a")]) == ["ProvisionedThroughputExceededException"]


@pytest.mark.parametrize(("call_faults", "cuts"), [(1.0, 0.0), (0.0, 1.0)])
def test_a_call_that_may_have_been_stored_is_in_doubt(
    kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch, call_faults: float, cuts: float
) -> None:
    kinesis.call_faults, kinesis.cuts = call_faults, cuts
    with serving(kinesis) as url, pytest.raises(PutError) as raised:
        put_to(url, monkeypatch)([record(b"a")])
    assert (raised.value.retryable, raised.value.in_doubt) == (True, True)


def test_a_call_that_reached_no_one_is_not_in_doubt(kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PutError) as raised:
        put_to("http://127.0.0.1:9", monkeypatch)([record(b"a")])
    assert (raised.value.retryable, raised.value.in_doubt) == (True, False)


def test_the_shards_of_an_answer_are_passed_on(kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    with serving(kinesis) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        aws.kinesis_put(aws.client("kinesis"), "logs", seen.update)([record(b"a")])
    assert seen == {"shardId-000000000000"}


def test_shards_that_may_not_be_listed_are_a_clear_error(
    kinesis: FaultyKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinesis.denied = {"ListShards"}
    with serving(kinesis) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(LoglakeError) as raised:
            aws.list_shards(aws.client("kinesis"), "logs")
    assert str(raised.value) == (
        "kinesis:ListShards must be allowed on stream 'logs', since an aggregate must stay inside one shard; "
        "got AccessDeniedException; allow it in the producer's policy, as the stack's own does"
    )
