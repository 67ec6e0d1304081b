"""Compaction beside curation, on one lake in a folder, while a reader looks between every two steps."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS
from glue_streaming import generations
from glue_streaming.minutes import KEYS
from tests.glue_streaming.lake import Crash, FolderLake
from tests.glue_streaming.raw import line, put

pytestmark = pytest.mark.spark

OLD = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)
SERVICES = ("payment", "inventory")


def put_batch(job: Any, number: int, moment: datetime = OLD) -> None:
    lines = [
        line(100 * number + place, moment + timedelta(seconds=7 * place), service=service, status_code=status)
        for place, (service, status) in enumerate((service, status) for service in SERVICES for status in (200, 500))
    ]
    put(job.raw, f"{number}.json.gz", *lines, b"broken")


def ids(lake: FolderLake) -> Counter[str]:
    return Counter(row[0] for row in lake.rows(LOGS, "event_id"))


def counted(lake: FolderLake) -> int:
    rows = lake.rows(LOG_MINUTES, "sum(event_count), sum(list_sum(map_values(patterns)))")
    assert not rows or rows[0][0] == rows[0][1]
    return rows[0][0] if rows else 0


@pytest.fixture(scope="module")
def saved_batches(kept_job: Any) -> Any:
    for number in (1, 2, 3):
        put_batch(kept_job, number)
        kept_job.run()
    kept_job.save()
    return kept_job


@pytest.fixture
def three_batches(saved_batches: Any) -> Any:
    saved_batches.restore()
    return saved_batches


def test_closed_days_become_one_file_each_and_minutes_one_row_per_key(three_batches: Any) -> None:
    lake = three_batches.lake
    before, rows = ids(lake), lake.rows(LOG_MINUTES, "sum(response_time_ms_sum), max(response_time_ms_max)")
    report = three_batches.run("--task=compact")
    assert (report["totals"]["files_before"], report["totals"]["files_after"]) == (9, 3)
    assert ids(lake) == before
    assert len(lake.rows(LOG_MINUTES)) == len(lake.rows(LOG_MINUTES, f"DISTINCT {', '.join(KEYS)}")) == 4
    assert lake.rows(LOG_MINUTES, "sum(response_time_ms_sum), max(response_time_ms_max)") == rows
    histograms = lake.rows(LOG_MINUTES, "event_count, list_sum(map_values(latency_histogram))")
    assert all(events == in_buckets for events, in_buckets in histograms)
    moments = [row[0] for row in lake.rows(LOGS, '"timestamp"', "service = 'payment'")]
    assert moments == sorted(moments)
    assert three_batches.run("--task=compact")["partitions"] == []


def test_open_days_are_left(job: Any) -> None:
    for number in (1, 2):
        put_batch(job, number, datetime.now(UTC) - timedelta(minutes=1))
        job.run()
    assert [entry["partition"].split("/")[0] for entry in job.run("--task=compact")["partitions"]] == []


def test_a_batch_that_comes_later_joins_the_new_generation_and_is_compacted_with_it(three_batches: Any) -> None:
    lake = three_batches.lake
    three_batches.run("--task=compact")
    put_batch(three_batches, 4)
    three_batches.run()
    assert sum(ids(lake).values()) == len(ids(lake)) == counted(lake) == 16
    folder = lake.all_folders(LOGS)[("payment", f"{OLD:%Y}", f"{OLD:%m}", f"{OLD:%d}")]
    assert folder.startswith("generations/logs/00000001/")
    three_batches.run("--task=compact")
    assert sum(ids(lake).values()) == len(ids(lake)) == counted(lake) == 16
    assert lake.all_folders(LOGS)[("payment", f"{OLD:%Y}", f"{OLD:%m}", f"{OLD:%d}")].startswith(
        "generations/logs/00000002/"
    )


def test_old_files_stay_for_the_grace_period_and_go_in_a_later_run(three_batches: Any) -> None:
    lake = three_batches.lake
    before = [key for key in lake.all_keys() if "batch-" in key and key.startswith("curated/")]
    three_batches.run("--task=compact")
    three_batches.run("--task=compact")
    assert set(before) <= set(lake.all_keys())
    report = three_batches.run("--task=compact", "--grace-hours=0")
    assert report["removed_files"] == len(before) == 9
    assert not set(before) & set(lake.all_keys())
    assert lake.list_sizes(generations.RECORDS) == {}
    assert sum(ids(lake).values()) == counted(lake) == 12


def test_a_day_with_a_half_published_batch_is_skipped(three_batches: Any) -> None:
    lake = three_batches.lake
    put_batch(three_batches, 4)
    lake.calls, lake.crash_at = 0, 4
    with pytest.raises(Crash):
        three_batches.run()
    lake.restart()
    report = three_batches.run("--task=compact")
    assert report["partitions"] == []
    assert len(report["skipped"]) == 3
    three_batches.run()
    assert sum(ids(lake).values()) == len(ids(lake)) == counted(lake) == 16
    assert len(three_batches.run("--task=compact")["partitions"]) == 3


@pytest.mark.parametrize("crash_at", [2, 5])
def test_a_crash_shows_no_event_twice_nor_hides_one_and_the_next_run_goes_on(three_batches: Any, crash_at: int) -> None:
    lake = three_batches.lake
    before = ids(lake)

    def look() -> None:
        assert ids(lake) == before
        assert counted(lake) == 12

    lake.watch, lake.calls, lake.crash_at = look, 0, crash_at
    with pytest.raises(Crash):
        three_batches.run("--task=compact", "--grace-hours=0")
    lake.restart()
    three_batches.run("--task=compact", "--grace-hours=0")
    three_batches.run("--task=compact", "--grace-hours=0")
    closed = {folder for table in (LOGS, LOG_MINUTES) for folder in lake.all_folders(table).values()}
    assert all(folder.startswith("generations/") for folder in closed)
    open_still = set(lake.all_folders(REJECTS).values()) | {"runs/"}
    assert {key.rpartition("/")[0] + "/" for key in lake.all_keys()} == closed | open_still
