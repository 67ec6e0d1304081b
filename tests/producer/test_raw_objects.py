import base64
import gzip
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
