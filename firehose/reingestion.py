"""Answers kept under Lambda's 6 MB: what does not fit goes back to the source, as AWS's own blueprint does it.

Lambda refuses a larger answer, and with it the whole batch. The records put back are as they came, not as transformed,
and come again in a later batch; those answered `Dropped` meanwhile are not lost. The one module here that talks boto3.
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from firehose.encoding import unwrap

MAX_ANSWER_BYTES = 6_000_000
"""Lambda's limit is 6,291,556 bytes with the envelope around the answer."""
MAX_ATTEMPTS = 10

_BATCH_RECORDS = 500
_BATCH_BYTES = 3_500_000
_ENVELOPE_BYTES = 80
"""The names, quotes and commas around one record's values, rounded up."""

Record = Mapping[str, Any]
PutBack = Callable[[Mapping[str, Any], Sequence[Record]], None]


class ReingestionError(Exception):
    """The source took records back neither at once nor later: the whole batch must be tried again."""


def fit(event: Mapping[str, Any], answer: dict[str, Any], put_back: PutBack) -> dict[str, Any]:
    """Return `answer`, or if it is too large one whose overflow is `Dropped` after `put_back` took the records.

    A failed record keeps its failure and loses only its copy of the data, which the delivery stream has. One that could
    not be answered even alone fails, for it would come back for ever.
    """
    sizes = [_size(each) for each in answer["records"]]
    if sum(sizes) <= MAX_ANSWER_BYTES:
        return answer
    least = [len(each["recordId"]) + _ENVELOPE_BYTES for each in answer["records"]]
    room, overflow, records = MAX_ANSWER_BYTES - sum(least), [], []
    for record, each, size, alone in zip(event["records"], answer["records"], sizes, least, strict=True):
        if size - alone <= room:
            room -= size - alone
            records.append(each)
            continue
        hopeless = each["result"] != "Ok" or size > MAX_ANSWER_BYTES
        records.append({"recordId": each["recordId"], "result": "ProcessingFailed" if hopeless else "Dropped"})
        if not hopeless:
            overflow.append(record)
    if overflow:
        print(f'{{"put_back": {len(overflow)}, "records": {len(records)}}}')
        put_back(event, overflow)
    return {"records": records}


def put_back(event: Mapping[str, Any], records: Sequence[Record]) -> None:
    """Put records into the stream or delivery stream they came from; raise `ReingestionError` if it takes them not."""
    import boto3

    stream_arn = event.get("sourceKinesisStreamArn")
    if stream_arn:
        kinesis = boto3.client("kinesis", region_name=event["region"])
        entries = [_kinesis_entry(record) for record in records]
        for batch in _batches(entries):
            _put_all(batch, lambda left: _kinesis_left(kinesis, stream_arn, left))
        return
    firehose = boto3.client("firehose", region_name=event["region"])
    name = event["deliveryStreamArn"].rpartition("/")[2]
    for batch in _batches([{"Data": unwrap(record["data"])} for record in records]):
        _put_all(batch, lambda left: _firehose_left(firehose, name, left))


def _size(answer: Record) -> int:
    return (
        len(answer.get("data", "")) + len(answer["recordId"]) + len(str(answer.get("metadata", ""))) + _ENVELOPE_BYTES
    )


def _kinesis_entry(record: Record) -> dict[str, Any]:
    return {"Data": unwrap(record["data"]), "PartitionKey": record["kinesisRecordMetadata"]["partitionKey"]}


def _batches(entries: Sequence[Record]) -> list[list[Record]]:
    batches: list[list[Record]] = [[]]
    size = 0
    for entry in entries:
        if batches[-1] and (len(batches[-1]) >= _BATCH_RECORDS or size + len(entry["Data"]) > _BATCH_BYTES):
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += len(entry["Data"])
    return batches


def _put_all(batch: list[Record], put: Callable[[list[Record]], list[Record]]) -> None:
    for attempt in range(MAX_ATTEMPTS):
        batch = put(batch)
        if not batch:
            return
        time.sleep(min(0.1 * 2**attempt, 2.0))
    raise ReingestionError(f"the source must take records back; got {len(batch)} refused after {MAX_ATTEMPTS} attempts")


def _kinesis_left(kinesis: Any, stream_arn: str, batch: list[Record]) -> list[Record]:
    answers = kinesis.put_records(StreamARN=stream_arn, Records=batch)["Records"]
    return [entry for entry, answer in zip(batch, answers, strict=True) if answer.get("ErrorCode")]


def _firehose_left(firehose: Any, name: str, batch: list[Record]) -> list[Record]:
    answers = firehose.put_record_batch(DeliveryStreamName=name, Records=batch)["RequestResponses"]
    return [entry for entry, answer in zip(batch, answers, strict=True) if answer.get("ErrorCode")]
