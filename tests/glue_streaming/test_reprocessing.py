"""Days rebuilt from raw, on one lake in a folder, while a reader looks between every two steps."""

from collections import Counter
from typing import Any

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS
from tests.glue_streaming.lake import Crash, FolderLake
from tests.glue_streaming.raw import line, put

pytestmark = pytest.mark.spark

DAY = ("--task=reprocess", "--from=2026-11-21", "--to=2026-11-21")


def ids(lake: FolderLake) -> Counter[str]:
    return Counter(row[0] for row in lake.rows(LOGS, "event_id"))


def counted(lake: FolderLake) -> int:
    return int(lake.rows(LOG_MINUTES, "sum(event_count)")[0][0])


@pytest.fixture(scope="module")
def saved_job(kept_job: Any) -> Any:
    put(kept_job.raw, "a.json.gz", line(1), line(2, service="inventory"), line(3, level="INFO"), b"broken")
    kept_job.run()
    put(kept_job.raw, "b.json.gz", line(1), line(4))
    kept_job.run()
    kept_job.save()
    return kept_job


@pytest.fixture
def curated(saved_job: Any) -> Any:
    saved_job.restore()
    return saved_job


def test_a_day_is_rebuilt_with_other_levels_and_its_rejects_are_left(curated: Any) -> None:
    [day] = curated.run(*DAY, "--drop-levels=NONE")["days"]
    assert (day["state"], day["objects"], day["partitions"]) == ("rebuilt", 2, 3)
    assert ids(curated.lake) == {f"0193-0000000{number}": 1 for number in (1, 2, 3, 4)}
    assert counted(curated.lake) == 4
    assert len(curated.lake.rows(REJECTS)) == 1
    assert all(folder.startswith("generations/") for folder in curated.lake.all_folders(LOGS).values())


def test_what_is_not_curated_yet_is_left_to_the_next_batch(curated: Any) -> None:
    put(curated.raw, "c.json.gz", line(5))
    curated.run(*DAY)
    assert counted(curated.lake) == 4
    curated.run()
    assert ids(curated.lake)["0193-00000005"] == 1
    assert counted(curated.lake) == 5


def test_a_day_whose_raw_objects_are_gone_is_left_as_it_was(curated: Any) -> None:
    before = ids(curated.lake)
    next(curated.raw.rglob("b.json.gz")).unlink()
    [day] = curated.run(*DAY)["days"]
    assert (day["state"], day["reason"]) == ("left", "raw must hold the 4 events that the lake counts; got 3")
    assert ids(curated.lake) == before


def test_a_day_nobody_knows_is_left(curated: Any) -> None:
    report = curated.run("--task=reprocess", "--from=2026-11-22", "--to=2026-11-23")
    assert [day["reason"] for day in report["days"]] == ["no raw object of it has been curated"] * 2


@pytest.mark.parametrize("crash_at", [2, 5, 9])
def test_a_crash_shows_no_event_twice_nor_hides_one(curated: Any, crash_at: int) -> None:
    lake = curated.lake
    before = ids(lake)

    def look() -> None:
        assert ids(lake) == before
        assert counted(lake) == 4

    lake.watch, lake.calls, lake.crash_at = look, 0, crash_at
    with pytest.raises(Crash):
        curated.run(*DAY)
    lake.restart()
    assert curated.run(*DAY, "--grace-hours=0")["totals"] == {"rebuilt_days": 1, "days": 1}
    curated.run("--grace-hours=0")
    look()
    files = lake.all_keys()
    reachable = {folder for table in (LOGS, LOG_MINUTES, REJECTS) for folder in lake.all_folders(table).values()}
    assert all(key.rpartition("/")[0] + "/" in reachable for key in files if not key.startswith("runs/"))
