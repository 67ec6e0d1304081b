from datetime import UTC, datetime

import pytest

from localcloud.delivery import prefixes
from localcloud.delivery.java_time import format_time

ARRIVAL_MS = int(datetime(2026, 1, 9, 15, 4, 5, 678000, UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy/MM/dd/HH", "2026/01/09/15"),
        ("yy-M-d", "26-1-9"),
        ("MMM dd, EEEE", "Jan 09, Friday"),
        ("hh:mm:ss a", "03:04:05 PM"),
        ("SSS", "678"),
        ("DDD", "009"),
        ("'year='yyyy", "year=2026"),
        ("h 'o''clock'", "3 o'clock"),
        ("''", "'"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2026-01-09T15:04:05Z"),
    ],
)
def test_time_patterns_are_javas(pattern: str, expected: str) -> None:
    assert format_time(pattern, datetime.fromtimestamp(ARRIVAL_MS / 1000, UTC)) == expected


def test_an_unknown_letter_of_a_time_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="a time pattern may not have the letter 'b'"):
        format_time("yyyy b", datetime.now(UTC))


def test_prefix_takes_partition_keys_and_the_arrival_of_the_oldest_record() -> None:
    prefix = "logs/!{partitionKeyFromLambda:service}/!{timestamp:yyyy}/!{partitionKeyFromQuery:k}/"
    keys = {"partitionKeyFromLambda:service": "auth", "partitionKeyFromQuery:k": "!{timestamp:yyyy}"}
    assert prefixes.evaluate(prefix, keys, ARRIVAL_MS, "UTC") == "logs/auth/2026/!{timestamp:yyyy}/"


def test_prefix_in_another_time_zone() -> None:
    assert prefixes.evaluate("!{timestamp:yyyy-MM-dd HH}", {}, ARRIVAL_MS, "Asia/Tokyo") == "2026-01-10 00"


def test_random_string_has_11_characters_and_differs() -> None:
    one, other = (prefixes.evaluate("!{firehose:random-string}", {}, ARRIVAL_MS, "UTC") for _ in range(2))
    assert len(one) == 11
    assert one != other


@pytest.mark.parametrize(
    ("prefix", "dynamic", "expected"),
    [
        ("a/", False, "a/!{timestamp:yyyy/MM/dd/HH/}"),
        ("a/!{timestamp:yyyy}/", False, "a/!{timestamp:yyyy}/"),
        ("a/", True, "a/"),
    ],
)
def test_hour_folders_are_added_only_without_timestamp_and_partitioning(
    prefix: str, dynamic: bool, expected: str
) -> None:
    assert prefixes.data_prefix(prefix, dynamic=dynamic) == expected


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", "logs/processing-failed/2026/01/09/15/"),
        ("bad/", "bad/processing-failed/2026/01/09/15/"),
        ("bad/!{firehose:error-output-type}/!{timestamp:yyyy}/", "bad/processing-failed/2026/"),
    ],
)
def test_error_prefix(prefix: str, expected: str) -> None:
    full = prefixes.error_prefix(prefix, "logs/!{timestamp:yyyy}/")
    assert prefixes.evaluate(full, {}, ARRIVAL_MS, "UTC", "processing-failed") == expected


def test_object_name_is_stream_version_arrival_uuid_extension() -> None:
    name = prefixes.object_name("d", "3", ARRIVAL_MS, "UTC", "uuid", ".json.gz")
    assert name == "d-3-2026-01-09-15-04-05-uuid.json.gz"
