import base64
import re
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest

from catalog.errors import SchemaError
from catalog.schema import EVENT_COLUMNS, LEVELS, SERVICES, validate
from firehose.transform import transform
from producer import counting
from producer.counting import Kind
from producer.events import Block, Generator, Stream
from producer.malformed import BREAKAGES, break_event

START_MS = 1_795_303_867_456
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def blocks(seed: int, count: int = 3, malformed: float = 0.0) -> list[Block]:
    stream = Stream(Generator(seed, malformed), lambda running: START_MS + running * 5, START_MS, 300)
    return [stream.next_block() for _ in range(count)]


@pytest.fixture(scope="module")
def block() -> Block:
    return blocks(1, 1)[0]


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    first, again, other = (
        [payload for block in blocks(seed, malformed=0.01) for payload in block.payloads] for seed in (3, 3, 4)
    )
    assert first == again
    assert not set(first) & set(other)


def test_every_event_is_valid_with_the_columns_in_order(block: Block) -> None:
    for payload in block.payloads:
        event = orjson.loads(payload)
        validate(event)
        assert list(event) == [column.name for column in EVENT_COLUMNS]
        assert payload == orjson.dumps(event)


def test_ids_are_unique_uuids_of_the_event_time(block: Block) -> None:
    events = [orjson.loads(payload) for payload in block.payloads]
    assert len({event["event_id"] for event in events}) == len(events)
    for event in events:
        assert UUID7.fullmatch(event["event_id"])
        milliseconds = int(event["event_id"].replace("-", "")[:12], 16)
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        assert event["timestamp"] == f"{moment}.{milliseconds % 1000:03}Z"


def test_a_key_says_service_minute_and_level_of_its_event(block: Block) -> None:
    for payload, key in zip(block.payloads, block.keys.tolist(), strict=True):
        event = orjson.loads(payload)
        minute, service, level, kind = counting.unpack(key)
        assert (SERVICES[service], LEVELS[level], kind) == (event["service"], event["level"], Kind.GOOD)
        assert datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M") == event["timestamp"][:16]


def test_one_request_is_one_trace_through_several_services_with_one_caller(block: Block) -> None:
    traces: dict[str, list[dict[str, object]]] = {}
    for payload in block.payloads:
        event = orjson.loads(payload)
        traces.setdefault(event["trace_id"], []).append(event)
    assert len(traces) == 300
    for events in traces.values():
        assert events[-1]["service"] == "api-gateway"
        assert len({event["service"] for event in events}) >= 2 or events[-1]["error_type"]
        assert len({(event["client_ip"], event["user_id"], event["user_agent"]) for event in events}) == 1
        answered = [event["response_time_ms"] for event in events if event["response_time_ms"] is not None]
        assert answered[-1] == max(answered)  # type: ignore[type-var]


def test_the_level_follows_from_the_outcome() -> None:
    for block in blocks(2, 5):
        for payload in block.payloads:
            event = orjson.loads(payload)
            if event["level"] in ("ERROR", "CRITICAL"):
                assert event["status_code"] >= 500
            elif event["level"] in ("DEBUG", "INFO"):
                assert event["error_type"] is None
            else:
                assert event["status_code"] < 500


def test_every_service_and_level_occurs() -> None:
    events = [orjson.loads(payload) for block in blocks(9, 40) for payload in block.payloads]
    assert {event["service"] for event in events} == set(SERVICES)
    levels = Counter(event["level"] for event in events)
    assert levels["INFO"] > levels["DEBUG"] > levels["WARNING"] > levels["ERROR"] > 0


def test_the_size_is_that_of_a_real_log_line(block: Block) -> None:
    assert 350 <= np.median([len(payload) for payload in block.payloads]) <= 600


@pytest.mark.parametrize("choice", range(len(BREAKAGES)), ids=[name for name, _, _ in BREAKAGES])
def test_a_broken_event_becomes_what_its_kind_says(block: Block, choice: int) -> None:
    payload, _, kind = break_event(block.payloads[0], choice)
    event = {"records": [{"recordId": "1", "data": base64.b64encode(payload).decode()}]}
    record = transform(event, datetime(2026, 11, 21, 23, 32, tzinfo=UTC))["records"][0]
    assert record["result"] == ("ProcessingFailed" if kind is Kind.UNREADABLE else "Ok")
    if kind is Kind.REJECTED:
        with pytest.raises(SchemaError):
            validate(orjson.loads(base64.b64decode(record["data"])))


def test_the_share_of_broken_events_is_what_was_asked() -> None:
    broken = sum(int(np.count_nonzero(block.keys & 0xF)) for block in blocks(5, 10, malformed=0.1))
    total = sum(len(block.payloads) for block in blocks(5, 10, malformed=0.1))
    assert 0.07 < broken / total < 0.13
