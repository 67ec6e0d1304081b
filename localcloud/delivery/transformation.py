"""The Lambda processor: records out to the function and back, as AWS sends them."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pybase64

from localcloud.delivery.configuration import Configuration, Transformation
from localcloud.delivery.prefixes import LAMBDA
from localcloud.delivery.record import Failure, Item

MAX_PAYLOAD_BYTES = 5_500_000
"""Lambda takes 6 MB per synchronous call, in and out."""
PROCESSING_FAILED = "processing-failed"

MISSING = "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids."
DUPLICATED = (
    "Multiple records were returned with the same record ID. "
    "Ensure that the Lambda function returns unique record Ids for each record."
)

_OVERHEAD_BYTES = 420
_BACKOFF_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call of the function gave: its JSON, or the error as AWS codes it."""

    body: Any = None
    code: str = ""
    message: str = ""


Event = dict[str, Any]
Invoke = Callable[[str, Event], Reply]
"""Calls the function of that ARN with that event."""


def transform(
    configuration: Configuration, region: str, items: Sequence[Item], invoke: Invoke
) -> tuple[list[Item], list[Failure]]:
    """Return the items that the function let through, changed, and the failures; dropped ones are in neither."""
    processor = configuration.transformation
    assert processor is not None
    kept: list[Item] = []
    failed: list[Failure] = []
    for batch in _batches(items, processor.batch_bytes):
        event = request(configuration, region, batch)
        reply, attempts = _call(processor, event, invoke)
        answers = _in_order(event["records"], reply.body)
        for item, answer in zip(batch, answers, strict=True):
            code, message = (reply.code, reply.message) if reply.code else _take(item, answer)
            if code:
                failed.append(Failure(item, PROCESSING_FAILED, code, message, attempts, processor.function_arn))
            elif answer[0]["result"] == "Ok":
                kept.append(item)
    return kept, failed


def request(configuration: Configuration, region: str, batch: Sequence[Item]) -> Event:
    """Return the event that AWS would send for a batch; `kinesisRecordMetadata` is for a Kinesis source."""
    event: Event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": configuration.arn,
        "region": region,
    }
    if configuration.source_stream_arn:
        event["sourceKinesisStreamArn"] = configuration.source_stream_arn
    event["records"] = [_outgoing(index, item) for index, item in enumerate(batch)]
    return event


def _batches(items: Sequence[Item], limit_bytes: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = payload = 0
    for item in items:
        encoded = len(item.data) * 4 // 3 + _OVERHEAD_BYTES
        if batch and (size + len(item.data) > limit_bytes or payload + encoded > MAX_PAYLOAD_BYTES):
            yield batch
            batch, size, payload = [], 0, 0
        batch.append(item)
        size += len(item.data)
        payload += encoded
    if batch:
        yield batch


def _outgoing(index: int, item: Item) -> dict[str, Any]:
    record = item.record
    outgoing: dict[str, Any] = {
        "recordId": f"{record.sequence_number or '0'}{index:07d}",
        "approximateArrivalTimestamp": record.arrival_ms,
        "data": pybase64.b64encode_as_string(item.data),
    }
    if record.sequence_number:
        outgoing["kinesisRecordMetadata"] = {
            "shardId": record.shard_id,
            "partitionKey": item.partition_key,
            "approximateArrivalTimestamp": record.arrival_ms,
            "sequenceNumber": record.sequence_number,
            "subsequenceNumber": "" if item.sub is None else item.sub,
        }
    return outgoing


def _call(processor: Transformation, event: Event, invoke: Invoke) -> tuple[Reply, int]:
    attempts = 0
    while True:
        attempts += 1
        reply = invoke(processor.function_arn, event)
        if not reply.code or attempts > processor.retries:
            return reply, attempts
        time.sleep(_BACKOFF_SECONDS * attempts)


def _in_order(asked: Sequence[Mapping[str, Any]], body: Any) -> Sequence[Sequence[Any]]:
    """Return for each record asked the answers with its id: one, unless the function lost or repeated some."""
    records = body.get("records") if isinstance(body, dict) else None
    answers = [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []
    ids = [record["recordId"] for record in asked]
    if [answer.get("recordId") for answer in answers] == ids:
        return [(answer,) for answer in answers]
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        by_id.setdefault(str(answer.get("recordId")), []).append(answer)
    return [by_id.get(record_id, ()) for record_id in ids]


def _take(item: Item, answers: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Put an answer into its item; return an error's code and message, empty when there is none."""
    if not answers:
        return "Lambda.MissingRecordId", MISSING
    if len(answers) > 1:
        return "Lambda.DuplicatedRecordId", DUPLICATED
    answer = answers[0]
    if answer.get("result") == "ProcessingFailed":
        return "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"
    if answer.get("result") == "Dropped":
        return "", ""
    if answer.get("result") != "Ok":
        return "Lambda.InvalidReturnFormat", "The result field must be one of Ok, Dropped or ProcessingFailed."
    try:
        item.data = pybase64.b64decode(answer["data"], validate=True)
    except (KeyError, TypeError, ValueError):
        return "Lambda.InvalidReturnFormat", "The data field must be base64 encoded."
    metadata = answer.get("metadata")
    keys = metadata.get("partitionKeys") if isinstance(metadata, dict) else None
    if isinstance(keys, dict):
        item.keys = _partition_keys(keys)
    return "", ""


def _partition_keys(keys: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the function's keys as the prefix names them; equal keys are one object, for there are few of them."""
    try:
        return _shared_keys(*keys, *keys.values())
    except TypeError:  # a value that is an array or an object
        return _shared_keys(*keys, *(None if value is None else str(value) for value in keys.values()))


@lru_cache(maxsize=4096, typed=True)
def _shared_keys(*names_and_values: Any) -> Mapping[str, str]:
    half = len(names_and_values) // 2
    pairs = zip(names_and_values[:half], names_and_values[half:], strict=True)
    return {f"{LAMBDA}:{name}": str(value) for name, value in pairs if value is not None}
