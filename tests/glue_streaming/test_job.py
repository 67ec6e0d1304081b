"""Runs of the whole job on real Spark, one after the other, on one lake."""

import csv
import gzip
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS
from tests.glue_streaming.lake import Crash, FolderLake
from tests.glue_streaming.raw import NOON, line, put

pytestmark = pytest.mark.spark


def ids(lake: FolderLake, where: str = "true") -> list[str]:
    return sorted(row[0] for row in lake.rows(LOGS, "event_id", where))


def test_runs_curate_what_is_new_once_keep_levels_apart_and_count_everything(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1), line(2, level="INFO"), line(3, level="DEBUG"), line(4, level="WARNING"))
    first = job.run()
    assert {name: first["totals"][name] for name in sorted(first["totals"]) if "bytes" not in name} == {
        "files": 3,
        "input_objects": 1,
        "input_rows": 4,
        "log_rows": 2,
        "counted_rows": 4,
        "reject_rows": 0,
        "duplicate_rows": 0,
        "dropped_level_rows": 2,
        "late_rows": 0,
        "minute_rows": 4,
    }
    assert job.run()["batches"] == 0
    put(job.raw, "b.json", line(5))
    assert job.run("--drop-levels=ERROR")["totals"]["log_rows"] == 0
    assert ids(job.lake) == ["0193-00000001", "0193-00000004"]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(5,)]
    assert job.lake.rows(RUNS, "batch_id, input_objects, log_rows") == [(0, 1, 2), (1, 1, 0)]


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


def test_a_crash_while_publishing_and_a_replay_leave_each_event_once(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1), line(2, service="inventory"), b"broken", line(1))
    job.lake.crash_at = 5
    with pytest.raises(Crash):
        job.run()
    job.lake.restart()
    assert job.run()["totals"]["input_rows"] == 4
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(2,)]
    assert len(job.lake.rows(REJECTS)) == 1


def test_a_published_batch_whose_commit_is_lost_is_neither_published_nor_reported_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    keys, calls = job.lake.all_keys(), job.lake.calls
    job.forget_the_last_commit()
    assert job.run()["batches"] == 0
    assert job.lake.all_keys() == keys
    assert job.lake.calls == calls + 1  # the report


def test_a_lost_checkpoint_curates_no_object_again_and_takes_no_batch_id_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    job.forget_the_checkpoint()
    put(job.raw, "b.json.gz", line(2))
    assert job.run()["totals"]["input_objects"] == 1
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(RUNS, "batch_id") == [(0,), (1,)]


def test_a_sample_of_a_dropped_level_is_kept_and_the_same_in_every_run(job: Any) -> None:
    lines = [line(number, level="INFO") for number in range(1000)]
    put(job.raw, "a.json.gz", *lines, line(1000))
    job.run("--keep-sample=INFO=0.2")
    first = ids(job.lake)
    assert 150 < len(first) < 250
    assert "0193-00001000" in first
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(1001,)]
    job.run("--task=reprocess", "--from=2026-11-21", "--to=2026-11-21", "--keep-sample=INFO=0.2")
    assert ids(job.lake) == first


def test_late_events_and_new_fields_are_reported(job: Any) -> None:
    hours = {1: 0.5, 2: 2, 3: 30, 4: 24 * 20}
    late = [line(number, NOON - timedelta(hours=late), received_at=NOON.isoformat()) for number, late in hours.items()]
    put(job.raw, "a.json.gz", *late, line(5, region="eu"), line(6, level="DEBUG", region="us", zone=1))
    report = job.run()
    assert report["late"] == {
        "late_rows": 3,
        "late_by_a_day": 2,
        "late_by_a_week": 1,
        "latest_seconds": 20 * 86_400.0,
    }
    assert report["new_fields"] == {"region": 2, "zone": 1}
    size = next(job.raw.rglob("a.json.gz")).stat().st_size
    assert job.lake.rows(RUNS, "input_bytes, late_rows, latest_seconds, seconds > 0") == [
        (size, 3, 20 * 86_400.0, True)
    ]


def test_logs_are_written_as_csv_too(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1, message='a "quoted", text\nof two lines', user_agent=""), line(2, host=None))
    job.run("--format=csv")
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    [key] = job.lake.list_sizes("csv/logs/service=payment/")
    assert key.endswith("/batch-00000000-0.csv.gz")
    with gzip.open(job.lake.root / key, "rt", newline="") as file:
        rows = {row["event_id"]: row for row in csv.DictReader(file)}
    assert rows["0193-00000001"]["message"] == 'a "quoted", text\nof two lines'
    assert rows["0193-00000001"]["timestamp"] == "2026-11-21T12:00:00.000"
    assert rows["0193-00000002"]["host"] == ""


def test_a_continuous_run_takes_what_comes(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    run = ThreadPoolExecutor(1).submit(job.run, "--task=continuous", "--interval-seconds=1", "--run-seconds=240")
    until(lambda: ids(job.lake) == ["0193-00000001"])
    put(job.raw, "b.json.gz", line(2))
    until(lambda: ids(job.lake) == ["0193-00000001", "0193-00000002"])
    job.lake.crash_at = job.lake.calls + 1
    put(job.raw, "c.json.gz", line(3))
    with pytest.raises(Crash):
        run.result()


def test_a_continuous_run_ends_after_its_seconds_and_the_batch_under_way(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    first = job.run("--task=continuous", "--interval-seconds=1", "--run-seconds=0.1")
    second = job.run()
    assert first["batches"] + second["batches"] == 1
    assert ids(job.lake) == ["0193-00000001"]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_an_object_that_is_deleted_after_its_listing_is_rejected_by_name(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    gone = put(job.raw, "b.json.gz", line(2))
    job.lake.before_manifest_read = gone.unlink
    assert job.run()["totals"]["reject_rows"] == 1
    assert ids(job.lake) == ["0193-00000001"]
    assert job.lake.rows(REJECTS, "reason, source_object") == [
        (
            "the object must exist when it is read; got deleted after it was listed",
            "logs/payment/year=2026/month=11/day=21/b.json.gz",
        )
    ]


def test_a_word_that_varies_is_learned_over_batches_and_its_pattern_keeps_its_id(job: Any) -> None:
    cities = ["Salem", "New York", "Port Jane", "Rome", "Oslo", "Wien", "Bern", "Paris", "Lyon", "Nice"]
    lines = [line(number, message=f"user u-{number} registered from {city}") for number, city in enumerate(cities)]
    put(job.raw, "a.json.gz", *lines[:2])
    job.run()
    put(job.raw, "b.json.gz", *lines[2:9])
    job.run()
    put(job.raw, "c.json.gz", lines[9])
    job.run()
    found = job.lake.rows(LOGS, "pattern, pattern_id", "event_id >= '0193-00000002'")
    assert set(found) == {("user <*> registered from <*>", "33d50d635988639f")}
    rollup = job.lake.rows(LOG_MINUTES, "patterns")
    assert sum(row[0].get("user <*> registered from <*>", 0) for row in rollup) == 8
    job.run("--task=reprocess", "--from=2026-11-21", "--to=2026-11-21")
    assert job.lake.rows(LOGS, "DISTINCT pattern") == [("user <*> registered from <*>",)]
