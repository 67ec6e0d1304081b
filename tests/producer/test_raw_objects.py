import base64
import gzip
import random
from typing import Any

import orjson

from producer.raw_objects import RawCounter
from producer.verify import Lake


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"id-{number}",
        "timestamp": "2026-11-21T23:31:07.123Z",
        "level": "INFO",
        "service": "payment",
        "message": "charged",
        **changes,
    }


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(fields) + b"\n" for fields in events)


def error(data: bytes) -> dict[str, Any]:
    return {"errorCode": "Lambda.ProcessingFailedStatus", "rawData": base64.b64encode(data).decode()}


def counted(raw: bytes = b"", errors: bytes = b"") -> Lake:
    counter, lake = RawCounter(), Lake()
    counter.add_events(raw)
    counter.add_errors(errors)
    counter.fill(lake)
    return lake


def test_events_are_counted_by_service_and_minute_once_each() -> None:
    lake = counted(gzip.compress(lines(event(1), event(2), event(2))))
    assert lake.raw == {("payment", "2026-11-21T23:31"): 2}
    assert lake.raw_doubles == 1


def test_a_rejected_line_delivered_twice_is_one() -> None:
    broken = [event(1, status_code="two", received_at=f"2026-11-21T23:32:0{second}.000Z") for second in (1, 2)]
    lake = counted(lines(*broken, event(2, level="LOUD")))
    assert (lake.raw.total(), lake.raw_rejects) == (0, 2)


def test_an_error_record_is_unreadable_or_undelivered() -> None:
    good = orjson.dumps(event(1))
    lake = counted(errors=lines(error(b"not json"), error(b"not json\n"), error(good), error(good)))
    assert lake.errors == 1
    assert lake.undelivered == {("payment", "2026-11-21T23:31"): 1}


def test_an_event_in_raw_and_in_errors_counts_in_raw_alone() -> None:
    lake = counted(lines(event(1)), lines(error(orjson.dumps(event(1)))))
    assert (lake.raw.total(), lake.undelivered.total()) == (1, 0)


def test_of_a_damaged_object_the_whole_lines_count_and_the_torn_one_is_a_reject() -> None:
    chance = random.Random(1)
    whole = gzip.compress(lines(*(event(n, message=chance.randbytes(40).hex()) for n in range(100))))
    lake = counted(whole + whole[: len(whole) // 2])
    assert (lake.raw.total(), lake.raw_rejects) == (100, 1)
    assert 10 < lake.raw_doubles < 90
    assert counted(whole + whole).raw_doubles == 100


def test_a_rejected_line_nested_deep_is_one_when_delivered_twice() -> None:
    stamps = [b',"received_at":"2026-11-21T23:32:0%d.000Z"}' % second for second in (1, 2)]
    lake = counted(b"\n".join(b'{"level":"LOUD","deep":' + b"[" * 600 + b"]" * 600 + stamp for stamp in stamps))
    assert lake.raw_rejects == 1


def test_an_event_whose_time_is_too_far_from_its_arrival_is_untimely() -> None:
    arrived = "2026-11-21T23:31:08.000Z"
    times = ["2025-01-01T00:00:00Z", "2026-11-23T23:31:08Z", "2026-11-22T00:00:00Z", "0001-01-01T00:00:00Z"]
    lake = counted(lines(*(event(n, timestamp=text, received_at=arrived) for n, text in enumerate(times))))
    minutes = ["2025-01-01T00:00", "2026-11-23T23:31", "0001-01-01T00:00"]
    assert lake.raw_untimely == {("payment", minute): 1 for minute in minutes}
    assert lake.raw.total() == 4
