import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.masking import Masking, masking_from
from firehose import encoding
from firehose import transform as transforming
from firehose.transform import handler, transform

EVENTS = Path(__file__).parents[1] / "events"
NOW = datetime(2026, 11, 21, 23, 32, 1, 5_000, tzinfo=UTC)


def captured(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def decoded(record: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(base64.b64decode(record["data"]))
    return event


@pytest.fixture(params=["orjson", "standard library"])
def any_json(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "standard library":
        for name in ("decode", "encode", "unwrap", "wrap"):
            monkeypatch.setattr(transforming, name, getattr(encoding, f"{name}_plainly"))


@pytest.mark.usefixtures("any_json")
@pytest.mark.parametrize("name", ["firehose-kinesis-source", "firehose-direct-put", "firehose-poison"])
def test_every_record_comes_back_once_and_in_order(name: str) -> None:
    event = captured(name)
    answer = transform(event, NOW)
    assert [record["recordId"] for record in answer["records"]] == [record["recordId"] for record in event["records"]]


@pytest.mark.usefixtures("any_json")
def test_an_event_is_normalised_stamped_and_masked() -> None:
    record = transform(captured("firehose-kinesis-source"), NOW)["records"][0]
    assert record["result"] == "Ok"
    assert record["metadata"] == {
        "partitionKeys": {"service": "api-gateway", "year": "2026", "month": "11", "day": "21"}
    }
    event = decoded(record)
    assert (event["level"], event["level_raw"]) == ("WARNING", "WARN")
    assert event["received_at"] == "2026-11-21T23:32:01.005Z"
    assert event["client_ip"] == "203.0.113.0"
    assert event["message"] == "login failed for [email] from 198.51.100.0"
    assert (event["service"], event["tenant"], event["user_id"]) == ("API Gateway", "blue", None)


def test_an_output_is_one_line_without_a_newline() -> None:
    for record in transform(captured("firehose-kinesis-source"), NOW)["records"]:
        assert b"\n" not in base64.b64decode(record["data"])


def test_a_timestamp_out_of_reason_opens_no_partition_of_its_own() -> None:
    record = transform(captured("firehose-kinesis-source"), NOW)["records"][2]
    assert record["metadata"]["partitionKeys"] == {"service": "inventory", "year": "1970", "month": "01", "day": "01"}
    assert decoded(record)["timestamp"] == "1999-01-01T00:00:00.000Z"


@pytest.mark.usefixtures("any_json")
def test_a_poison_record_fails_alone_with_its_data_untouched() -> None:
    event = captured("firehose-poison")
    answer = transform(event, NOW)["records"]
    assert [record["result"] for record in answer] == ["ProcessingFailed"] * (len(answer) - 1) + ["Ok"]
    assert [record["data"] for record in answer[:-1]] == [record["data"] for record in event["records"][:-1]]


def test_failures_are_counted_by_reason_without_their_content(capsys: pytest.CaptureFixture[str]) -> None:
    transform(captured("firehose-poison"), NOW)
    line = json.loads(capsys.readouterr().out)
    assert sum(line["processing_failed"].values()) == line["records"] - 1
    assert line["processing_failed"]["`timestamp` must be ISO-8601"] == 4
    assert "yesterday" not in json.dumps(line)


def test_values_of_a_wrong_type_pass_for_the_job_to_reject() -> None:
    event = {"service": "payment", "timestamp": "2026-11-21T23:31:07Z", "level": 3, "message": None, "client_ip": 9}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    record = transform({"records": [{"recordId": "1", "data": data}]}, NOW)["records"][0]
    assert record["result"] == "Ok"
    assert decoded(record) == {**event, "received_at": "2026-11-21T23:32:01.005Z"}


def test_the_handler_uses_the_present_time() -> None:
    before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
    record = handler(captured("firehose-direct-put"), None)["records"][0]
    assert decoded(record)["received_at"] >= before


def transformed(masking: Masking, **fields: Any) -> dict[str, Any]:
    """Return what becomes of an event with these fields."""
    event = {"service": "payment", "timestamp": "2026-11-21T23:31:07Z", "level": "INFO", **fields}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    return decoded(transform({"records": [{"recordId": "1", "data": data}]}, NOW, masking)["records"][0])


def test_masking_that_is_off_leaves_an_event_as_it_came() -> None:
    masking, _ = masking_from({"LOGLAKE_MASKING": "client_ip=off,email=off,token=off,card=off"})
    fields = {"message": "jane@example.com paid with 4111 1111 1111 1111 from 198.51.100.23", "client_ip": "10.1.2.3"}
    event = transformed(masking, **fields)
    assert {name: event[name] for name in fields} == fields


def test_a_user_is_hashed_in_the_field_and_in_the_message_alike() -> None:
    masking, wrong = masking_from({"LOGLAKE_MASKING": "user_id=hash", "LOGLAKE_MASKING_SALT": "s3"})
    event = transformed(masking, user_id="u-730662", message="cart of u-730662 emptied")
    assert wrong == ""
    assert event["user_id"] == masking.hash("u-730662") != "u-730662"
    assert event["message"] == f"cart of {event['user_id']} emptied"


def test_a_callers_ipv6_address_is_masked_in_the_message_too() -> None:
    event = transformed(Masking(), client_ip="2001:db8:abcd:12::1", message="refused 2001:db8:abcd:12::1")
    assert (event["client_ip"], event["message"]) == ("2001:db8:abcd::", "refused 2001:db8:abcd::")


def test_only_the_messages_that_hold_something_change_in_a_batch() -> None:
    messages = ["nothing here", "mail to a.b@example.com", "", "line one\nline two", "password=hunter2 refused"]
    records = []
    for message in messages:
        event = {"service": "s", "timestamp": "2026-11-21T23:31:07Z", "message": message}
        records.append({"recordId": message, "data": base64.b64encode(json.dumps(event).encode()).decode()})
    answer = transform({"records": records}, NOW)["records"]
    assert [decoded(record)["message"] for record in answer] == [
        "nothing here",
        "mail to [email]",
        "",
        "line one\nline two",
        "password=[secret] refused",
    ]
