from datetime import UTC, datetime, timedelta

import pytest

from catalog.schema import MAX_AGE, MAX_AHEAD
from firehose.partitioning import Partitions

NOW = datetime(2026, 11, 21, 23, 31, tzinfo=UTC)


def test_the_partition_is_the_day_of_the_event_and_the_service_safe_for_a_key() -> None:
    keys = Partitions(NOW).keys("Api Gateway", datetime(2026, 3, 7, 1, tzinfo=UTC))
    assert keys == {"service": "api-gateway", "year": "2026", "month": "03", "day": "07"}


@pytest.mark.parametrize("timestamp", [NOW - MAX_AGE, NOW + MAX_AHEAD])
def test_a_timestamp_at_the_limit_keeps_its_day(timestamp: datetime) -> None:
    assert Partitions(NOW).keys("payment", timestamp)["day"] == f"{timestamp.day:02}"


@pytest.mark.parametrize("timestamp", [NOW - MAX_AGE - timedelta(seconds=1), NOW + MAX_AHEAD + timedelta(seconds=1)])
def test_a_timestamp_out_of_reason_is_quarantined(timestamp: datetime) -> None:
    assert Partitions(NOW).keys("payment", timestamp) == {
        "service": "payment",
        "year": "1970",
        "month": "01",
        "day": "01",
    }
