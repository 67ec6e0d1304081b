from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from producer.shipping.moments import timestamp_of
from producer.shipping.unparsable import Unparsable


@pytest.mark.parametrize(
    ("value", "timestamp"),
    [
        ("2026-11-28T10:00:00.123Z", "2026-11-28T10:00:00.123Z"),
        ("2026-11-28 10:00:00,123", "2026-11-28T10:00:00.123Z"),
        ("2026-11-28T11:00:00.123456789+01:00", "2026-11-28T10:00:00.123Z"),
        ("2026-11-28 10:00:00 +0000", "2026-11-28T10:00:00.000Z"),
        ("28/Nov/2026:11:00:00 +0100", "2026-11-28T10:00:00.000Z"),
        ("2026/11/28 10:00:00", "2026-11-28T10:00:00.000Z"),
        ("Sat, 28 Nov 2026 10:00:00 GMT", "2026-11-28T10:00:00.000Z"),
        (1795860000, "2026-11-28T10:00:00.000Z"),
        (1795860000.123, "2026-11-28T10:00:00.123Z"),
        ("1795860000.123", "2026-11-28T10:00:00.123Z"),
        (1795860000123, "2026-11-28T10:00:00.123Z"),
        ("1795860000123456", "2026-11-28T10:00:00.123Z"),
        ("1795860000123456789", "2026-11-28T10:00:00.123Z"),
    ],
)
def test_a_moment_is_read_in_each_form(value: Any, timestamp: str) -> None:
    assert timestamp_of(value, UTC) == timestamp


def test_a_moment_without_an_offset_is_in_the_zone() -> None:
    assert timestamp_of("2026-11-28 10:00:00,123", ZoneInfo("Europe/Berlin")) == "2026-11-28T09:00:00.123Z"


@pytest.mark.parametrize(
    "value",
    ["yesterday", "", True, [], {}, float("nan"), float("inf"), 1e300, "9" * 30, "0001-01-01T00:00:00+14:00", 10**25],
)
def test_what_names_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(Unparsable, match=r"^`timestamp` must be "):
        timestamp_of(value, UTC)
