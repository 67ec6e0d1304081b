"""Delivery streams as the emulator describes them, and services that need no endpoint."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localcloud.delivery import configuration
from localcloud.delivery.configuration import Configuration
from localcloud.delivery.transformation import Event, Invoke, Reply

LAMBDA_ARN = "arn:aws:lambda:us-east-1:000000000000:function:transform"
PREFIX = "logs/!{partitionKeyFromLambda:service}/"
ERRORS = "errors/!{firehose:error-output-type}/"


def processor(kind: str, **parameters: str) -> dict[str, Any]:
    """Return a processor as the API writes it."""
    return {"Type": kind, "Parameters": [{"ParameterName": k, "ParameterValue": v} for k, v in parameters.items()]}


def description(*processors: Mapping[str, Any], source: str = "", **config: Any) -> dict[str, Any]:
    """Return the emulator's record of a delivery stream `d`, dynamic when it has a partition key in its prefix."""
    full = {
        "BucketARN": "arn:aws:s3:::raw",
        "Prefix": PREFIX,
        "ErrorOutputPrefix": ERRORS,
        "ProcessingConfiguration": {"Enabled": bool(processors), "Processors": list(processors)},
        **config,
    }
    full.setdefault("DynamicPartitioningConfiguration", {"Enabled": "partitionKey" in full["Prefix"]})
    return {
        "name": "d",
        "arn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/d",
        "version": 3,
        "type": "DirectPut",
        "created_at": 1,
        "kinesis_source": {"KinesisStreamARN": source} if source else None,
        "destinations": [{"type": "ExtendedS3", "config": full}],
    }


def configured(*processors: Mapping[str, Any], source: str = "", **config: Any) -> Configuration:
    """Return the configuration of such a stream."""
    result = configuration.read(description(*processors, source=source, **config))
    assert result is not None
    return result


def answering(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Invoke:
    """Return an `invoke` whose function answers each record with `change(record)` and the record's id."""

    def invoke(_: str, event: Event) -> Reply:
        return Reply(body={"records": [{"recordId": each["recordId"], **change(each)} for each in event["records"]]})

    return invoke


class Bucket:
    """Services whose function is `change` and whose bucket is a dictionary."""

    def __init__(self, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        self.objects: dict[str, bytes] = {}
        self.buckets: dict[str, str] = {}
        self.puts: list[str] = []
        self.refusals = 0
        self.invoke = answering(change)
        self.lock = threading.Lock()

    def put_object(self, bucket: str, key: str, body: Path) -> None:
        with self.lock:
            if self.refusals:
                self.refusals -= 1
                raise ConnectionError("refused")
            self.objects[key], self.buckets[key] = body.read_bytes(), bucket
            self.puts.append(key)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for `condition`; fail when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)
