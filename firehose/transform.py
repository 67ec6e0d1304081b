"""The record-transformation Lambda of the delivery stream.

Event and answer: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html (Kinesis source and Direct
PUT alike). Every record comes back exactly once, in order: `Ok` with partition keys, `ProcessingFailed`, which the
delivery stream then writes under `errors/`, or `Dropped` once it was put back into the source because the answer would
have been too large. One bad record never fails the others.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from catalog.errors import SchemaError
from catalog.masking import Masking, Rule, masking_from, suspicions
from catalog.schema import parse_timestamp
from firehose import reingestion
from firehose.encoding import decode, encode, unwrap, wrap
from firehose.normalising import normalise
from firehose.partitioning import Partitions

Event = dict[str, Any]
Record = Mapping[str, Any]
Answer = Callable[[Record, Event, Iterable[Rule] | None], dict[str, Any]]
DEFAULT_MASKING = Masking()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Transform one batch of the delivery stream's records; `handler` in the function's configuration."""
    return reingestion.fit(event, transform(event, datetime.now(UTC), _masking()), reingestion.put_back)


def transform(event: Mapping[str, Any], now: datetime, masking: Masking = DEFAULT_MASKING) -> dict[str, Any]:
    """Return the answer for `event` as of `now`; print one line that counts what failed, by reason."""
    failures: Counter[str] = Counter()
    records = event["records"]
    events = [_read(record, failures) for record in records]
    messages = [message if (message := each.get("message")).__class__ is str else "" for each in events]
    answer = _answering(now, masking, failures)
    suspicious = suspicions(messages).get
    answers = [
        answer(record, each, suspicious(n)) for n, (record, each) in enumerate(zip(records, events, strict=True))
    ]
    if failures:
        print(json.dumps({"processing_failed": dict(failures), "records": len(records)}))
    return {"records": answers}


def _read(record: Record, failures: Counter[str]) -> Event:
    """Return a record's event, whose `service` is a text; an empty one, counted, when it can't be used."""
    try:
        event: Event = decode(unwrap(record["data"]))
        if event.__class__ is not dict:
            raise SchemaError("an event must be a JSON object")
        service = event.get("service")
        if service.__class__ is not str or not service.strip():
            raise SchemaError("`service` must be a text that is not empty")
    except Exception as error:  # whatever one record does to us, the others must get through
        failures[_reason(error)] += 1
        return {}
    return event


def _answering(now: datetime, masking: Masking, failures: Counter[str]) -> Answer:
    """Return what makes the answer for a record, its event, and the rules that the event's message may match."""
    received_at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
    keys, masks, mask_text = Partitions(now).keys, masking.field_masks, masking.mask_text

    def answer(record: Record, event: Event, rules: Iterable[Rule] | None) -> dict[str, Any]:
        try:
            if event:
                metadata = {"partitionKeys": keys(event["service"], _timestamp(event))}
                normalise(event, received_at, masks)
                if rules:
                    event["message"] = mask_text(event["message"], rules)
                data = wrap(encode(event))
                return {"recordId": record["recordId"], "result": "Ok", "data": data, "metadata": metadata}
        except Exception as error:
            failures[_reason(error)] += 1
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record.get("data", "")}

    return answer


def _timestamp(event: Event) -> datetime:
    text = event.get("timestamp")
    if text.__class__ is not str:
        raise SchemaError("`timestamp` must be ISO-8601")
    return parse_timestamp(text)


@lru_cache(maxsize=1)
def _masking() -> Masking:
    """Return what the function's environment asks for; said once if that can't be understood."""
    masking, wrong = masking_from(os.environ)
    if wrong:
        print(json.dumps({"masking": wrong}))
    return masking


def _reason(error: Exception) -> str:
    """Return why a record failed, without its content: log lines may hold what must be masked."""
    if isinstance(error, SchemaError):
        return str(error).split(";")[0]
    return "not one JSON value in UTF-8" if isinstance(error, ValueError | RecursionError) else type(error).__name__
