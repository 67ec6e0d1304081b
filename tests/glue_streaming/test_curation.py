"""One run of the whole job on real Spark over objects of every kind, and what a reader of the lake sees."""

import gzip
import math
import random
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from catalog.latency import percentile
from catalog.tables import LOG_MINUTES, LOGS, REJECTS
from tests.glue_streaming.raw import NOON, line, put

pytestmark = pytest.mark.spark

DRAW = random.Random(7)
DURATIONS = [round(DRAW.lognormvariate(4, 1.2), 3) for _ in range(3000)]
LATE = NOON - timedelta(days=40)
WHOLE_LINES = [
    line(number, trace_id=f"{DRAW.getrandbits(128):032x}", service="damaged") for number in range(9000, 9500)
]


@pytest.fixture(scope="module")
def lake(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.glue_streaming.conftest import Job

    job = Job(spark, tmp_path_factory.mktemp("curation"))
    put_values(job.raw)
    put_times(job.raw)
    put_durations(job.raw)
    put_damaged(job.raw)
    put(job.raw, "names.json.gz", *(line(8000 + n, service=name) for n, name in enumerate(["A / B", "logs", "!"])))
    job.run()
    return job.lake


def put_values(raw: Any) -> None:
    sent = line(1, message="naïve “quotes” \u2028", deploy={"id": 7}, retry="5", attempt=5, service="values")
    put(raw, "values.json.gz", sent)
    members = put(raw, "members.json.gz", line(2, service="members"))
    more = gzip.compress(line(3, service="members") + b"\n") + gzip.compress(b"")
    members.write_bytes(members.read_bytes() + more)


def put_times(raw: Any) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in random.Random(1).sample(range(500), 200)]
    put(raw, "times.json", *(line(100 + n, moment, service="sorted") for n, moment in enumerate(moments)))
    put(raw, "late.json.gz", line(4, LATE, received_at=NOON.isoformat(), service="late"))


def put_durations(raw: Any) -> None:
    lines = [line(2000 + n, response_time_ms=ms, service="durations") for n, ms in enumerate(DURATIONS)]
    put(raw, "durations.json.gz", *lines)
    put(raw, "none.json.gz", line(5, response_time_ms=None, status_code=None, service="durations"))


def put_damaged(raw: Any) -> None:
    truncated, flipped, no_gzip = (put(raw, f"{name} one.json.gz", *WHOLE_LINES) for name in ("cut", "flip", "no"))
    content = truncated.read_bytes()
    half = len(content) // 2
    truncated.write_bytes(content[:half])
    flipped.write_bytes(content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :])
    no_gzip.write_bytes(b"not gzip at all\n")


def test_a_curated_event_has_the_values_that_were_sent(lake: Any) -> None:
    columns = "message, extra, status_code, response_time_ms, user_id, year, month, day"
    assert lake.rows(LOGS, columns, "service = 'values'") == [
        ("naïve “quotes” \u2028", '{"deploy":{"id":7},"retry":"5","attempt":5}', 500, 12.5, None, "2026", "11", "21")
    ]
    moments = lake.rows(LOGS, "timestamp, received_at", "service = 'values'")[0]
    assert moments == (NOON.replace(tzinfo=None), (NOON + timedelta(seconds=2)).replace(tzinfo=None))


def test_members_of_one_gzip_object_follow_one_another(lake: Any) -> None:
    assert len(lake.rows(LOGS, where="service = 'members'")) == 2


def test_rows_are_sorted_by_time_within_a_file(lake: Any) -> None:
    found = [row[0] for row in lake.rows(LOGS, "timestamp", "service = 'sorted'")]
    assert len(found) == 200
    assert found == sorted(found)


def test_files_are_zstd_and_their_statistics_tell_the_times_they_hold(lake: Any) -> None:
    [key] = [key for key in lake.all_keys() if "service=sorted" in key]
    columns = "compression, stats_min_value, stats_max_value"
    where = "path_in_schema = 'timestamp'"
    [(compression, first, last)] = duckdb.sql(
        f"SELECT {columns} FROM parquet_metadata('{lake.root / key}') WHERE {where}"
    ).fetchall()
    [(newest, oldest)] = lake.rows(LOGS, 'max("timestamp"), min("timestamp")', "service = 'sorted'")
    assert compression == "ZSTD"
    assert (first[:19], last[:19]) == (str(oldest)[:19], str(newest)[:19])


def test_late_events_keep_their_own_day(lake: Any) -> None:
    assert lake.rows(LOGS, "year, month, day", "service = 'late'") == [("2026", "10", "12")]
    assert (LOGS.name, ("late", "2026", "10", "12")) in lake.partitions
    assert (LOG_MINUTES.name, ("2026", "10", "12")) in lake.partitions


def test_the_latency_histogram_gives_percentiles_within_two_and_a_half_percent(lake: Any) -> None:
    columns = "status_class, event_count, response_time_ms_max, latency_histogram"
    by_class = {row[0]: row for row in lake.rows(LOG_MINUTES, columns, "service = 'durations'")}
    assert by_class[None] == (None, 1, None, {})
    histogram = by_class["5xx"][3]
    assert sum(histogram.values()) == by_class["5xx"][1] == len(DURATIONS)
    assert by_class["5xx"][2] == max(DURATIONS)
    for quantile in (0.5, 0.95, 0.99):
        exact = sorted(DURATIONS)[math.ceil(quantile * len(DURATIONS)) - 1]
        assert abs(percentile(histogram, quantile) / exact - 1) <= 0.025


def test_a_service_is_filed_under_its_key_name(lake: Any) -> None:
    found = lake.rows(LOGS, "service", "event_id LIKE '%-0000800_' ORDER BY 1")
    assert [row[0] for row in found] == ["a-b", "service-logs", "unknown"]


@pytest.mark.parametrize("damage", ["cut", "flip", "no"])
def test_a_damaged_object_is_reported_with_its_name(lake: Any, damage: str) -> None:
    reasons = [row[0] for row in lake.rows(REJECTS, "reason", f"source_object LIKE '%/{damage} one.json.gz'")]
    assert any(reason.startswith("the object must be whole gzip; got ") for reason in reasons)


def test_what_comes_before_the_damage_is_curated(lake: Any) -> None:
    assert 100 < len(lake.rows(LOGS, where="service = 'damaged'")) < len(WHOLE_LINES)
