"""Delivery through the endpoint, as boto3 sees it: Kinesis or Direct PUT in, objects in S3 out."""

import base64
import gzip
import io
import json
import resource
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import EndpointProcess
from tests.localcloud.delivery.streams import until
from tests.localcloud.delivery.test_aggregates import aggregate

pytestmark = pytest.mark.local

ROLE = "arn:aws:iam::000000000000:role/any"
HANDLER = """
import base64, json

def handler(event, context):
    return {"records": [answer(record) for record in event["records"]]}

def answer(record):
    try:
        service = json.loads(base64.b64decode(record["data"]))["service"]
    except (ValueError, KeyError):
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    keys = {"service": service, "year": "2026"}
    return {"recordId": record["recordId"], "result": "Ok", "data": record["data"], "metadata": {"partitionKeys": keys}}
"""


def make_function(endpoint: EndpointProcess, name: str) -> str:
    """Make the function and return its ARN."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    made = endpoint.client("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="index.handler", Code={"ZipFile": code.getvalue()}
    )
    arn: str = made["FunctionArn"]
    return arn


def make_stream(endpoint: EndpointProcess, name: str) -> dict[str, str]:
    """Make a Kinesis stream and return it as a delivery stream's source."""
    kinesis = endpoint.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    return {"KinesisStreamARN": arn, "RoleARN": ROLE}


def make_delivery_stream(
    endpoint: EndpointProcess, name: str, *, source: dict[str, str] | None = None, **config: Any
) -> None:
    """Make a bucket and a delivery stream of one name; uncompressed and every second unless `config` says otherwise."""
    endpoint.client("s3").create_bucket(Bucket=name)
    kind: dict[str, Any] = {"DeliveryStreamType": "DirectPut"}
    if source:
        kind = {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": source}
    endpoint.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{name}",
            "RoleARN": ROLE,
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 1},
            **config,
        },
        **kind,
    )


def processors(*items: tuple[str, dict[str, str]]) -> dict[str, Any]:
    """Return a processing configuration."""
    return {
        "Enabled": True,
        "Processors": [
            {"Type": kind, "Parameters": [{"ParameterName": k, "ParameterValue": v} for k, v in parameters.items()]}
            for kind, parameters in items
        ],
    }


def objects(endpoint: EndpointProcess, bucket: str) -> dict[str, bytes]:
    """Return what a bucket holds."""
    client = endpoint.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_direct_put_is_delivered_with_awss_names_and_hour_folders(endpoint: EndpointProcess) -> None:
    make_delivery_stream(endpoint, "direct-put", CompressionFormat="GZIP", Prefix="in/")
    firehose = endpoint.client("firehose")
    assert firehose.put_record(DeliveryStreamName="direct-put", Record={"Data": b"one\n"})["RecordId"]
    answer = firehose.put_record_batch(DeliveryStreamName="direct-put", Records=[{"Data": b"two\n"}] * 3)
    assert (answer["FailedPutCount"], len(answer["RequestResponses"])) == (0, 3)
    until(lambda: b"".join(map(gzip.decompress, objects(endpoint, "direct-put").values())).count(b"\n") == 4)
    hour = time.strftime("in/%Y/%m/%d/", time.gmtime())
    assert all(key.startswith(hour) and "/direct-put-1-20" in key for key in objects(endpoint, "direct-put"))


def test_kinesis_aggregates_reach_their_partitions_after_a_minute(endpoint: EndpointProcess) -> None:
    """The 60 seconds are AWS's minimum with dynamic partitioning."""
    arn = make_function(endpoint, "partitions")
    source = make_stream(endpoint, "partitions")
    endpoint.client("kinesis").put_record(StreamName="partitions", Data=b"before it existed", PartitionKey="k")
    make_delivery_stream(
        endpoint,
        "partitions",
        source=source,
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        CompressionFormat="GZIP",
        FileExtension=".json.gz",
        Prefix="logs/!{partitionKeyFromLambda:service}/year=!{partitionKeyFromLambda:year}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        DynamicPartitioningConfiguration={"Enabled": True},
        ProcessingConfiguration=processors(("Lambda", {"LambdaArn": arn}), ("AppendDelimiterToRecord", {})),
    )
    events = [json.dumps({"service": f"s{n % 3}", "n": n}).encode() for n in range(300)]
    data = aggregate(*((f"key{n}", event) for n, event in enumerate([*events, b"not json"])))
    endpoint.client("kinesis").put_records(StreamName="partitions", Records=[{"Data": data, "PartitionKey": "k"}])
    until(lambda: len(objects(endpoint, "partitions")) == 4, seconds=150)
    got = {key.rpartition("/")[0]: body for key, body in objects(endpoint, "partitions").items()}
    (error,) = got.pop("errors/processing-failed").splitlines()
    assert base64.b64decode(json.loads(error)["rawData"]) == b"not json"
    assert {key: len(gzip.decompress(body).splitlines()) for key, body in got.items()} == {
        f"logs/s{n}/year=2026": 100 for n in range(3)
    }
    wanted = {"IncomingRecords", "DeliveryToS3.DataFreshness", "DeliveryToS3.Records", "PartitionCount"}
    until(lambda: wanted <= metrics(endpoint, "partitions"), seconds=150)


def metrics(endpoint: EndpointProcess, stream: str) -> set[str]:
    """Return the metrics that CloudWatch has of a delivery stream."""
    dimension = {"Name": "DeliveryStreamName", "Value": stream}
    pages = endpoint.client("cloudwatch").get_paginator("list_metrics")
    found = pages.paginate(Namespace="AWS/Firehose", Dimensions=[dimension])
    return {metric["MetricName"] for page in found for metric in page["Metrics"]}


def test_everything_acknowledged_is_delivered_once_over_kill_9(own_endpoint: Callable[[], EndpointProcess]) -> None:
    first = own_endpoint()
    source = make_stream(first, "killed")
    make_delivery_stream(
        first, "killed", source=source, ProcessingConfiguration=processors(("AppendDelimiterToRecord", {}))
    )
    time.sleep(3)  # until the stream itself is in a snapshot
    sent: list[bytes] = []
    for turn in range(3):
        running = first if turn == 0 else own_endpoint()
        client = running.client("kinesis")
        for batch in range(20):
            datas = [b"%d-%d-%d" % (turn, batch, n) for n in range(50)]
            client.put_records(StreamName="killed", Records=[{"Data": each, "PartitionKey": "k"} for each in datas])
            sent += datas
        running.kill()
    last = own_endpoint()

    def delivered() -> Counter[bytes]:
        return Counter(line for body in objects(last, "killed").values() for line in body.splitlines())

    until(lambda: sum(delivered().values()) >= len(sent))
    assert delivered() == Counter(sent)


def test_a_deleted_delivery_stream_delivers_what_it_had(endpoint: EndpointProcess) -> None:
    make_delivery_stream(endpoint, "deleted", BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 900})
    firehose = endpoint.client("firehose")
    firehose.put_record(DeliveryStreamName="deleted", Record={"Data": b"kept"})
    firehose.delete_delivery_stream(DeliveryStreamName="deleted")
    until(lambda: list(objects(endpoint, "deleted").values()) == [b"kept"])


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"Data": b"x" * 1_024_001}], "InvalidArgumentException"),
        ([{"Data": b"x"}] * 501, "InvalidArgumentException"),
        ([{"Data": b"x" * 1_000_000}] * 5, "InvalidArgumentException"),
    ],
)
def test_limits_of_put_record_batch(endpoint: EndpointProcess, records: list[dict[str, bytes]], code: str) -> None:
    if "limits" not in endpoint.client("firehose").list_delivery_streams(Limit=1000)["DeliveryStreamNames"]:
        make_delivery_stream(endpoint, "limits")
    client = endpoint.client("firehose")
    with pytest.raises(ClientError) as refused:
        client.put_record_batch(DeliveryStreamName="limits", Records=records)
    assert refused.value.response["Error"]["Code"] == code


def test_errors_are_awss(endpoint: EndpointProcess) -> None:
    firehose = endpoint.client("firehose")
    with pytest.raises(firehose.exceptions.ResourceNotFoundException) as missing:
        firehose.put_record(DeliveryStreamName="nowhere", Record={"Data": b"x"})
    assert "Firehose nowhere under account 000000000000 not found." in str(missing.value)
    make_delivery_stream(endpoint, "sourced", source=make_stream(endpoint, "sourced"))
    with pytest.raises(firehose.exceptions.InvalidArgumentException) as refused:
        firehose.put_record(DeliveryStreamName="sourced", Record={"Data": b"x"})
    assert "not permitted on KinesisStreamAsSource delivery stream type" in str(refused.value)


def test_cloudformation_is_told_what_aws_would_refuse(endpoint: EndpointProcess) -> None:
    destination = {
        "BucketARN": "arn:aws:s3:::any-bucket",
        "RoleARN": ROLE,
        "Prefix": "a/",
        "ErrorOutputPrefix": "b/",
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60},
        "DynamicPartitioningConfiguration": {"Enabled": True},
    }
    properties = {"ExtendedS3DestinationConfiguration": destination}
    template = {"Resources": {"D": {"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties": properties}}}
    cloudformation = endpoint.client("cloudformation")
    cloudformation.create_stack(StackName="refused", TemplateBody=json.dumps(template))

    def reasons() -> str:
        events = cloudformation.describe_stack_events(StackName="refused")["StackEvents"]
        return " ".join(each.get("ResourceStatusReason", "") for each in events)

    until(lambda: "SizeInMBs must be at least 64 when Dynamic Partitioning is enabled" in reasons())


def test_records_are_read_again_after_kill_9(own_endpoint: Callable[[], EndpointProcess]) -> None:
    first = own_endpoint()
    make_stream(first, "read-again")
    time.sleep(3)  # until the stream itself is in a snapshot
    datas = [b"%d" % n for n in range(100)]
    put = first.client("kinesis").put_records(
        StreamName="read-again", Records=[{"Data": each, "PartitionKey": "k"} for each in datas]
    )["Records"]
    first.kill()
    kinesis = own_endpoint().client("kinesis")
    kinesis.put_record(StreamName="read-again", Data=b"later", PartitionKey="k")
    iterator = kinesis.get_shard_iterator(
        StreamName="read-again", ShardId=put[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [record["Data"] for record in records] == [*datas, b"later"]
    numbers = [record["SequenceNumber"] for record in records]
    assert numbers[:-1] == [each["SequenceNumber"] for each in put]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("refusing", ["delivery stream", "stream's own log"])
def test_a_put_refused_for_a_full_disk_is_read_and_delivered_once_when_tried_again(
    own_endpoint: Callable[[], EndpointProcess], refusing: str
) -> None:
    endpoint = own_endpoint()
    source = make_stream(endpoint, "full-source")
    make_delivery_stream(endpoint, "full-delivery", source=source)
    kinesis = endpoint.client("kinesis")
    if refusing == "stream's own log":  # of one without a delivery stream: the log grows beyond the delivery's spool
        make_stream(endpoint, "other")
        kinesis.put_record(StreamName="other", Data=b"x" * 5000, PartitionKey="k")
    records = [{"Data": json.dumps({"n": n}).encode() + b"\n", "PartitionKey": str(n)} for n in range(20)]
    assert endpoint.process is not None
    limits = resource.prlimit(endpoint.process.pid, resource.RLIMIT_FSIZE)
    largest = 50 if refusing == "delivery stream" else 5000
    resource.prlimit(endpoint.process.pid, resource.RLIMIT_FSIZE, (largest, limits[1]))
    with pytest.raises(ClientError, match="InternalFailure"):
        kinesis.put_records(StreamName="full-source", Records=records)
    with pytest.raises(ClientError, match="InternalFailure"):
        kinesis.put_record(StreamName="full-source", **records[0])
    resource.prlimit(endpoint.process.pid, resource.RLIMIT_FSIZE, limits)
    assert read_all(kinesis, "full-source") == []
    assert kinesis.put_records(StreamName="full-source", Records=records)["FailedRecordCount"] == 0
    assert sorted(read_all(kinesis, "full-source")) == sorted(record["Data"] for record in records)
    until(lambda: len(delivered_lines(endpoint, "full-delivery")) >= len(records))
    endpoint.stop()
    again = own_endpoint()
    time.sleep(2)
    assert sorted(read_all(again.client("kinesis"), "full-source")) == sorted(record["Data"] for record in records)
    assert Counter(delivered_lines(again, "full-delivery")) == Counter(record["Data"].strip() for record in records)


def read_all(kinesis: Any, name: str) -> list[bytes]:
    """Return the data of every record that a stream's shards give."""
    found: list[bytes] = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        place = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(StreamName=name, **place)["ShardIterator"]
        found += [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    return found


def delivered_lines(endpoint: EndpointProcess, bucket: str) -> list[bytes]:
    """Return the lines of every object in a bucket."""
    s3 = endpoint.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [line for body in bodies for line in body.splitlines()]
