import json
from datetime import UTC, datetime

import pytest

from glue_streaming.reasons import MAX_REASON_CHARS, reason_of
from tests.glue_streaming.raw import event, line

ARRIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw_line", "reason"),
    [
        (line(status_code="200"), "`status_code` must be int; got '200'"),
        (line(status_code=2**40), f"`status_code` must be int of 32 bits; got {2**40}"),
        (line(message=5), "`message` must be string; got 5"),
        (line(level="LOUD"), "`level` must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; got 'LOUD'"),
        (line(event_id=...), "`event_id` must be present; got nothing"),
        (line(event_id=None), "`event_id` must be present; got null"),
        (line(received_at=7), "`received_at` must be string; got 7"),
        (b"[1]", "a line must be one JSON object; got list"),
        (b"", "a line must be one JSON object; got Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": NaN}', "a line must be one JSON object; got the constant NaN, which is not JSON"),
        (b"ab\xff", "a line must be UTF-8; got byte 0xff at 2; the raw line is base64"),
        (
            line(timestamp="2020-01-01T00:00:00Z"),
            "`timestamp` must be within 400 days before and 1 day after its arrival at 2026-11-21T12:00:00+00:00; "
            "got '2020-01-01T00:00:00Z'",
        ),
    ],
)
def test_a_reason_names_the_field_and_the_value(raw_line: bytes, reason: str) -> None:
    assert reason_of(raw_line, ARRIVED) == reason


def test_a_reason_is_short_however_long_the_line() -> None:
    assert len(reason_of(json.dumps(event(level="x" * 10_000)).encode())) == MAX_REASON_CHARS


def test_a_line_nested_too_deep_has_a_reason() -> None:
    assert "JSON" in reason_of(b'{"a":' * 5000 + b"1" + b"}" * 5000)
