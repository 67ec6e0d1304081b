"""The whole job on real Spark: raw objects in, what a reader of the lake sees out."""

import gzip
import math
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.latency import percentile
from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS
from tests.glue_streaming.lake import Crash, FolderLake
from tests.glue_streaming.raw import NOON, line, put

pytestmark = pytest.mark.spark


def ids(lake: FolderLake, where: str = "true") -> list[str]:
    return sorted(row[0] for row in lake.rows(LOGS, "event_id", where))


def test_runs_curate_what_is_new_once_keep_levels_apart_and_count_everything(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1), line(2, level="INFO"), line(3, level="DEBUG"), line(4, level="WARNING"))
    first = job.run()
    assert first["totals"] == {
        "input_objects": 1,
        "input_rows": 4,
        "log_rows": 2,
        "counted_rows": 4,
        "reject_rows": 0,
        "duplicate_rows": 0,
        "dropped_level_rows": 2,
        "minute_rows": 4,
    }
    assert job.run()["batches"] == 0
    put(job.raw, "b.json", line(5))
    assert job.run("--drop-levels=ERROR")["totals"]["log_rows"] == 0
    assert ids(job.lake) == ["0193-00000001", "0193-00000004"]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(5,)]
    assert job.lake.rows(RUNS, "batch_id, input_objects, log_rows") == [(0, 1, 2), (1, 1, 0)]


def test_a_curated_event_has_the_values_that_were_sent(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1, message="naïve “quotes” \u2028", deploy={"id": 7}, retry="5", attempt=5))
    job.run()
    columns = "message, extra, status_code, response_time_ms, user_id, service, year, month, day"
    assert job.lake.rows(LOGS, columns) == [
        ("naïve “quotes” \u2028", '{"deploy":{"id":7},"retry":"5","attempt":5}', 500, 12.5, None, "payment")
        + ("2026", "11", "21")
    ]
    moments = job.lake.rows(LOGS, "timestamp, received_at")[0]
    assert moments == (NOON.replace(tzinfo=None), (NOON + timedelta(seconds=2)).replace(tzinfo=None))


def test_rows_are_sorted_by_time_within_a_file(job: Any) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in random.Random(1).sample(range(500), 200)]
    put(job.raw, "a.json.gz", *(line(number, moment) for number, moment in enumerate(moments)))
    job.run()
    found = [row[0] for row in job.lake.rows(LOGS, "timestamp")]
    assert len(found) == 200
    assert found == sorted(found)


def test_duplicates_are_dropped_within_a_batch_and_across_batches_in_a_window_of_arrival(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1), line(1), line(2))
    put(job.raw, "b.json.gz", line(1))
    assert job.run()["totals"]["duplicate_rows"] == 2
    soon, late = NOON + timedelta(hours=1), NOON + timedelta(hours=9)
    put(job.raw, "c.json.gz", line(2, received_at=soon.isoformat()), line(3, received_at=soon.isoformat()))
    assert job.run()["totals"]["duplicate_rows"] == 1
    put(job.raw, "d.json.gz", line(3, received_at=late.isoformat()))
    assert job.run()["totals"]["duplicate_rows"] == 0
    assert ids(job.lake) == [f"0193-0000000{number}" for number in (1, 2, 3, 3)]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(4,)]


def test_late_events_keep_their_own_day(job: Any) -> None:
    old = NOON - timedelta(days=40)
    put(job.raw, "a.json.gz", line(1, old, received_at=NOON.isoformat()), line(2))
    job.run()
    assert sorted(job.lake.rows(LOGS, "event_id, month, day")) == [
        ("0193-00000001", "10", "12"),
        ("0193-00000002", "11", "21"),
    ]
    assert (LOGS.name, ("payment", "2026", "10", "12")) in job.lake.partitions
    assert (LOG_MINUTES.name, ("2026", "10", "12")) in job.lake.partitions


def test_the_latency_histogram_gives_percentiles_within_two_and_a_half_percent(job: Any) -> None:
    draw = random.Random(7)
    durations = [round(draw.lognormvariate(4, 1.2), 3) for _ in range(3000)]
    put(job.raw, "a.json.gz", *(line(number, response_time_ms=ms) for number, ms in enumerate(durations)))
    put(job.raw, "b.json.gz", line(9999, response_time_ms=None, status_code=None))
    job.run()
    rows = job.lake.rows(LOG_MINUTES, "status_class, event_count, response_time_ms_max, latency_histogram")
    by_class = {row[0]: row for row in rows}
    assert by_class[None] == (None, 1, None, {})
    histogram = by_class["5xx"][3]
    assert sum(histogram.values()) == by_class["5xx"][1] == 3000
    assert by_class["5xx"][2] == max(durations)
    for quantile in (0.5, 0.95, 0.99):
        exact = sorted(durations)[math.ceil(quantile * 3000) - 1]
        assert abs(percentile(histogram, quantile) / exact - 1) <= 0.025


def test_a_crash_while_publishing_and_a_replay_leave_each_event_once(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1), line(2, service="inventory"), b"broken", line(1))
    job.lake.crash_at = 5
    with pytest.raises(Crash):
        job.run()
    job.lake.crash_at = 0
    assert job.run()["totals"]["input_rows"] == 4
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(2,)]
    assert len(job.lake.rows(REJECTS)) == 1


def test_a_published_batch_whose_commit_is_lost_is_not_published_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    keys, calls = job.lake.keys(), job.lake.calls
    job.forget_the_last_commit()
    assert job.run()["totals"]["log_rows"] == 1
    assert job.lake.keys() == keys
    assert job.lake.calls == calls + 1  # the report


def test_a_lost_checkpoint_curates_no_object_again_and_takes_no_batch_id_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    job.forget_the_checkpoint()
    put(job.raw, "b.json.gz", line(2))
    assert job.run()["totals"]["input_objects"] == 1
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(RUNS, "batch_id") == [(0,), (1,)]


def test_a_service_is_filed_under_its_key_name(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1, service="Order / Service"), line(2, service="logs"), line(3, service="!"))
    job.run()
    assert [row[0] for row in sorted(job.lake.rows(LOGS, "service"))] == ["order-service", "service-logs", "unknown"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no gzip"])
def test_a_damaged_object_is_reported_and_the_others_are_curated(job: Any, damage: str) -> None:
    draw = random.Random(3)
    many = [line(number, trace_id=f"{draw.getrandbits(128):032x}") for number in range(500)]
    bad = put(job.raw, "bad one.json.gz", *many)
    put(job.raw, "good.json.gz", line(1000))
    spoil(bad, damage)
    totals = job.run()["totals"]
    assert totals["reject_rows"] >= 1
    assert totals["input_rows"] == totals["counted_rows"] + totals["reject_rows"]
    assert "0193-00001000" in ids(job.lake)
    if damage == "truncated":
        assert 100 < totals["log_rows"] < 500
    reasons = [row[0] for row in job.lake.rows(REJECTS, "reason", "source_object LIKE '%/bad one.json.gz'")]
    assert any(reason.startswith("the object must be whole gzip; got ") for reason in reasons)


def spoil(path: Path, damage: str) -> None:
    content = path.read_bytes()
    half = len(content) // 2
    if damage == "truncated":
        path.write_bytes(content[:half])
    elif damage == "flipped":
        path.write_bytes(content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :])
    elif damage == "no gzip":
        path.write_bytes(b"not gzip at all\n")


def test_members_of_one_gzip_object_follow_one_another(job: Any) -> None:
    path = put(job.raw, "a.json.gz", line(1))
    path.write_bytes(path.read_bytes() + gzip.compress(line(2) + b"\n") + gzip.compress(b""))
    assert job.run()["totals"]["log_rows"] == 2
