"""Runs of the whole job on real Spark, one after the other, on one lake."""

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
    job.lake.crash_at = 0
    assert job.run()["totals"]["input_rows"] == 4
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(2,)]
    assert len(job.lake.rows(REJECTS)) == 1


def test_a_published_batch_whose_commit_is_lost_is_not_published_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    keys, calls = job.lake.all_keys(), job.lake.calls
    job.forget_the_last_commit()
    assert job.run()["totals"]["log_rows"] == 1
    assert job.lake.all_keys() == keys
    assert job.lake.calls == calls + 2  # the report, twice


def test_a_lost_checkpoint_curates_no_object_again_and_takes_no_batch_id_again(job: Any) -> None:
    put(job.raw, "a.json.gz", line(1))
    job.run()
    job.forget_the_checkpoint()
    put(job.raw, "b.json.gz", line(2))
    assert job.run()["totals"]["input_objects"] == 1
    assert ids(job.lake) == ["0193-00000001", "0193-00000002"]
    assert job.lake.rows(RUNS, "batch_id") == [(0,), (1,)]
