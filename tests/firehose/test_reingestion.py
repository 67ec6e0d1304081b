import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from firehose import reingestion
from firehose.transform import transform

NOW = datetime(2026, 11, 21, 23, 32, tzinfo=UTC)
LAMBDA_LIMIT_BYTES = 6_291_556


def batch(count: int, message_chars: int) -> dict[str, Any]:
    """Return a transformation event of `count` records with messages of that length."""
    fields = {"service": "payment", "timestamp": "2026-11-21T23:31:07Z", "message": "x" * message_chars}
    records = [{"recordId": f"4954698627196090728000{n:07}", "data": _base64({**fields, "n": n})} for n in range(count)]
    return {"region": "us-east-1", "records": records}


def _base64(event: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(event).encode()).decode()


class Source:
    """Takes records back."""

    def __init__(self) -> None:
        self.taken: list[Mapping[str, Any]] = []

    def __call__(self, _: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
        self.taken += records


@pytest.mark.parametrize(("count", "message_chars"), [(40, 190_000), (5_000, 900), (30_000, 0)])
def test_an_answer_stays_under_lambdas_limit_and_the_rest_goes_back_as_it_came(count: int, message_chars: int) -> None:
    event, source = batch(count, message_chars), Source()
    answer = reingestion.fit(event, transform(event, NOW), source)
    assert len(json.dumps(answer)) < LAMBDA_LIMIT_BYTES
    assert [each["recordId"] for each in answer["records"]] == [each["recordId"] for each in event["records"]]
    dropped = {each["recordId"] for each in answer["records"] if each["result"] == "Dropped"}
    assert source.taken == [each for each in event["records"] if each["recordId"] in dropped]
    kept = {each["recordId"] for each in answer["records"] if each["result"] == "Ok"}
    assert (len(kept) + len(dropped), bool(dropped)) == (count, True)
    assert len(json.dumps(answer)) > LAMBDA_LIMIT_BYTES * 0.7


def test_an_answer_that_fits_is_left_alone() -> None:
    event, source = batch(100, 100), Source()
    answer = transform(event, NOW)
    assert reingestion.fit(event, answer, source) is answer
    assert source.taken == []


def test_what_could_not_be_answered_even_alone_fails_instead_of_coming_back_for_ever() -> None:
    event, source = batch(1, 7_000_000), Source()
    answer = reingestion.fit(event, transform(event, NOW), source)
    assert answer == {"records": [{"recordId": event["records"][0]["recordId"], "result": "ProcessingFailed"}]}
    assert source.taken == []


def test_failed_records_lose_only_their_copy_of_the_data() -> None:
    data = base64.b64encode(b"not json" * 100_000).decode()
    event: dict[str, Any] = {"records": [{"recordId": str(n), "data": data} for n in range(10)]}
    source = Source()
    answer = reingestion.fit(event, transform(event, NOW), source)
    assert {each["result"] for each in answer["records"]} == {"ProcessingFailed"}
    assert len(json.dumps(answer)) < LAMBDA_LIMIT_BYTES
    assert source.taken == []


def test_only_what_the_source_refused_is_put_again() -> None:
    calls: list[int] = []

    class Kinesis:
        def put_records(self, StreamARN: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            calls.append(len(Records))
            refused = len(Records) // 2
            return {"Records": [{"ErrorCode": "Throttled"} if n < refused else {} for n in range(len(Records))]}

    entries: list[Any] = [{"Data": b"x", "PartitionKey": "k"}] * 8
    reingestion._put_all(entries, lambda left: reingestion._kinesis_left(Kinesis(), "arn", left))
    assert calls == [8, 4, 2, 1]
