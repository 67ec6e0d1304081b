"""The record-transformation Lambda of the delivery stream.

Event and answer: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html (Kinesis source and Direct
PUT alike). Every record comes back exactly once, in order: `Ok` with partition keys, or `ProcessingFailed` with its
data untouched, which the delivery stream then writes under `errors/`. One bad record never fails the others.
"""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from catalog.errors import SchemaError
from catalog.schema import parse_timestamp
from firehose.encoding import decode, encode
from firehose.normalising import normalise
from firehose.partitioning import partition_keys


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Transform one batch of the delivery stream's records; `handler` in the function's configuration."""
    return transform(event, datetime.now(UTC))


def transform(event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the answer for `event` as of `now`; print one line that counts what failed, by reason."""
    received_at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
    failures: Counter[str] = Counter()
    records = [transform_record(record, now, received_at, failures) for record in event["records"]]
    if failures:
        print(json.dumps({"processing_failed": dict(failures), "records": len(records)}))
    return {"records": records}


def transform_record(
    record: Mapping[str, Any], now: datetime, received_at: str, failures: Counter[str]
) -> dict[str, Any]:
    """Return the answer for one record; its reason is counted in `failures` when it can't be read."""
    try:
        event = decode(base64.b64decode(record["data"]))
        timestamp = _usable_timestamp(event)
        normalise(event, received_at)
        data = base64.b64encode(encode(event)).decode("ascii")
        keys = partition_keys(event["service"], timestamp, now)
    except Exception as error:  # whatever one record does to us, the others must get through
        failures[_reason(error)] += 1
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record.get("data", "")}
    return {"recordId": record["recordId"], "result": "Ok", "data": data, "metadata": {"partitionKeys": keys}}


def _usable_timestamp(event: Any) -> datetime:
    if not isinstance(event, dict):
        raise SchemaError("an event must be a JSON object")
    if not isinstance(event.get("service"), str) or not event["service"].strip():
        raise SchemaError("`service` must be a text that is not empty")
    if not isinstance(event.get("timestamp"), str):
        raise SchemaError("`timestamp` must be ISO-8601")
    return parse_timestamp(event["timestamp"])


def _reason(error: Exception) -> str:
    """Return why a record failed, without its content: log lines may hold what must be masked."""
    if isinstance(error, SchemaError):
        return str(error).split(";")[0]
    return "not one JSON value in UTF-8" if isinstance(error, ValueError | RecursionError) else type(error).__name__
