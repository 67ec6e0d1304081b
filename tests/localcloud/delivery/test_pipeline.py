import base64
import json
from typing import Any

import pytest

from localcloud.delivery import pipeline
from localcloud.delivery.record import Record
from localcloud.delivery.transformation import Event, Reply, request
from tests.localcloud.delivery.streams import LAMBDA_ARN, answering, configured, processor
from tests.localcloud.delivery.test_aggregates import aggregate

TRANSFORM = processor("Lambda", LambdaArn=LAMBDA_ARN, NumberOfRetries="1")


def run(config: Any, *datas: bytes, invoke: Any = None, sequence: str = "") -> dict[str, list[bytes]]:
    """Return what each buffer gets, by `key=value` or by its kind of error."""
    records = [Record(1_700_000_000_000 + n, data, "pk", sequence, "shard") for n, data in enumerate(datas)]
    groups = pipeline.run(config, "us-east-1", records, invoke)
    return {each.output_type or ",".join(value for _, value in each.keys): each.parts for each in groups}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_records_go_to_the_partition_that_the_function_names() -> None:
    def change(record: dict[str, Any]) -> dict[str, Any]:
        service = base64.b64decode(record["data"]).decode()
        return {"result": "Ok", "data": b64(service * 2), "metadata": {"partitionKeys": {"service": service}}}

    config = configured(TRANSFORM, processor("AppendDelimiterToRecord"))
    assert run(config, b"a", b"b", b"a", invoke=answering(change)) == {"a": [b"aa\n", b"aa\n"], "b": [b"bb\n"]}


def test_aggregates_are_opened_before_the_function_sees_them() -> None:
    seen: list[dict[str, Any]] = []

    def change(record: dict[str, Any]) -> dict[str, Any]:
        seen.append(record)
        return {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": {"service": "s"}}}

    config = configured(TRANSFORM, source="arn:aws:kinesis:us-east-1:000000000000:stream/s")
    data = aggregate(("k1", b"one"), ("k2", b"two"))
    assert run(config, data, b"three", invoke=answering(change), sequence="49") == {"s": [b"one", b"two", b"three"]}
    assert [each["kinesisRecordMetadata"]["partitionKey"] for each in seen] == ["k1", "k2", "pk"]
    assert [each["kinesisRecordMetadata"]["subsequenceNumber"] for each in seen] == [0, 1, ""]
    assert len({each["recordId"] for each in seen}) == 3


def test_the_functions_event_has_awss_shape() -> None:
    config = configured(TRANSFORM, source="arn:stream")
    (item,) = pipeline._items(config, [Record(5, b"x", "pk", "49", "shardId-000000000000")])
    event = request(config, "us-east-1", [item])
    assert set(event) == {"invocationId", "deliveryStreamArn", "region", "sourceKinesisStreamArn", "records"}
    assert event["records"] == [
        {
            "recordId": "490000000",
            "approximateArrivalTimestamp": 5,
            "data": "eA==",
            "kinesisRecordMetadata": {
                "shardId": "shardId-000000000000",
                "partitionKey": "pk",
                "approximateArrivalTimestamp": 5,
                "sequenceNumber": "49",
                "subsequenceNumber": "",
            },
        }
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"result": "ProcessingFailed", "data": "eA=="}, "Lambda.ProcessingFailedStatus"),
        ({"result": "Fine", "data": "eA=="}, "Lambda.InvalidReturnFormat"),
        ({"result": "Ok", "data": "?"}, "Lambda.InvalidReturnFormat"),
        ({"result": "Ok"}, "Lambda.InvalidReturnFormat"),
        ({"recordId": "other", "result": "Ok", "data": "eA=="}, "Lambda.MissingRecordId"),
    ],
)
def test_a_bad_answer_sends_the_original_to_the_errors(answer: dict[str, Any], code: str) -> None:
    (line,) = run(configured(TRANSFORM), b"original", invoke=answering(lambda _: answer))["processing-failed"]
    error = json.loads(line)
    assert error.pop("attemptEndingTimestamp") > error["arrivalTimestamp"]
    assert error.pop("errorMessage")
    assert error == {
        "attemptsMade": 1,
        "arrivalTimestamp": 1_700_000_000_000,
        "errorCode": code,
        "rawData": b64("original"),
        "lambdaArn": LAMBDA_ARN,
    }


def test_a_failing_function_is_called_again_and_then_its_batch_fails() -> None:
    calls: list[Event] = []

    def invoke(_: str, event: Event) -> Reply:
        calls.append(event)
        return Reply(code="Lambda.FunctionError", message="it failed")

    lines = run(configured(TRANSFORM), b"a", b"b", invoke=invoke)["processing-failed"]
    assert len(calls) == 2
    assert [json.loads(line)["attemptsMade"] for line in lines] == [2, 2]


def test_dropped_records_are_gone() -> None:
    dropping = answering(lambda record: {"result": "Dropped", "data": record["data"]})
    assert run(configured(TRANSFORM), b"a", invoke=dropping) == {}


def test_a_record_without_a_partition_key_goes_to_the_errors() -> None:
    keyless = answering(lambda record: {"result": "Ok", "data": record["data"]})
    (line,) = run(configured(TRANSFORM), b"a", invoke=keyless)["metadata-extraction-failed"]
    assert json.loads(line)["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    assert json.loads(line)["errorMessage"] == "partitionKeys values must not be null or empty"


def test_a_null_partition_key_is_none_whatever_stands_beside_it() -> None:
    keys = {"service": None, "tags": ["a"]}
    nulls = answering(lambda record: {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": keys}})
    assert list(run(configured(TRANSFORM), b"a", invoke=nulls)) == ["metadata-extraction-failed"]


def test_keys_come_from_jq() -> None:
    query = '{service:(.service//"unknown"),year:.timestamp[0:4]}'
    config = configured(
        processor("RecordDeAggregation", SubRecordType="JSON"),
        processor("MetadataExtraction", MetadataExtractionQuery=query, JsonParsingEngine="JQ-1.6"),
        processor("AppendDelimiterToRecord"),
        Prefix="logs/!{partitionKeyFromQuery:service}/!{partitionKeyFromQuery:year}/",
    )
    one, other = b'{"service":"a","timestamp":"2026-01"}', b'{"timestamp":"2025-01"}'
    got = run(config, one + other, b"not json", b"{}")
    assert got["a,2026"] == [one + b"\n"]
    assert got["unknown,2025"] == [other + b"\n"]
    messages = [json.loads(line)["errorMessage"] for line in got["metadata-extraction-failed"]]
    assert messages == ["Non JSON record provided", "partitionKeys values must not be null or empty"]


def test_batches_respect_the_processors_size_hint() -> None:
    sizes: list[int] = []

    def change(record: dict[str, Any]) -> dict[str, Any]:
        return {"result": "Dropped"}

    def invoke(arn: str, event: Event) -> Reply:
        sizes.append(len(event["records"]))
        return answering(change)(arn, event)

    config = configured(processor("Lambda", LambdaArn=LAMBDA_ARN, BufferSizeInMBs="0.2"))
    run(config, *[b"x" * 50_000] * 10, invoke=invoke)
    assert sizes == [4, 4, 2]


def test_more_partitions_than_allowed_become_errors_with_their_data() -> None:
    change = answering(
        lambda record: {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": {"service": "s"}}}
    )
    (group,) = pipeline.run(configured(TRANSFORM), "us-east-1", [Record(7, b"a")], change)
    (error,) = pipeline.overflow(group)
    assert error.output_type == "activePartitionExceeded"
    assert json.loads(error.parts[0])["rawData"] == b64("a")
