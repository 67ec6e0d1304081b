from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS
from glue_streaming.publication import Publication, withdraw
from glue_streaming.storage import manifest_key
from tests.glue_streaming.lake import Crash, FolderLake

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN = {"started_at": STARTED, "log_rows": 2}
DAY = "year=2026/month=11/day=21"
FILES = {
    f"logs/service=payment/{DAY}/part-1.parquet": "event-1",
    f"logs/service=inventory/{DAY}/part-1.parquet": "event-2",
    f"log_minutes/{DAY}/part-1.parquet": "minutes",
    "runs/part-1.parquet": "run",
}
KEYS = [
    f"curated/log_minutes/{DAY}/batch-00000007-0.parquet",
    f"curated/logs/service=inventory/{DAY}/batch-00000007-0.parquet",
    f"curated/logs/service=payment/{DAY}/batch-00000007-0.parquet",
    "runs/batch-00000007-0.parquet",
]
WRITING_CALLS = 9


def stage(root: Path, files: dict[str, str]) -> str:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return f"file://{root}/"


def publish(lake: FolderLake, staging: str) -> None:
    Publication(lake, 7, staging).publish(RUN, ["payment/a.json.gz"])


def test_a_batch_is_published_under_its_id_and_its_partitions_are_registered(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake")
    publish(lake, stage(tmp_path / "staging", FILES))
    assert lake.all_keys() == KEYS
    assert lake.calls == WRITING_CALLS
    assert set(lake.partitions) == {
        (LOGS.name, ("payment", "2026", "11", "21")),
        (LOGS.name, ("inventory", "2026", "11", "21")),
        (LOG_MINUTES.name, ("2026", "11", "21")),
    }


@pytest.mark.parametrize("crash_at", range(1, WRITING_CALLS + 1))
def test_a_crash_before_any_step_and_a_replay_show_no_event_twice_nor_hide_one_again(
    tmp_path: Path, crash_at: int
) -> None:
    seen: Counter[str] = Counter()

    def read() -> None:
        now = Counter(path.read_text() for path in (tmp_path / "lake" / "curated").rglob("*.parquet"))
        assert not now or max(now.values()) == 1
        assert not seen - now
        seen.update(now - seen)

    lake = FolderLake(tmp_path / "lake", crash_at, read)
    staging = stage(tmp_path / "staging", FILES)
    with pytest.raises(Crash):
        publish(lake, staging)
    lake.restart()
    publish(lake, staging)
    read()
    assert lake.all_keys() == KEYS
    assert len(lake.partitions) == 3


def test_a_replay_deletes_what_only_the_earlier_try_published(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake", crash_at=WRITING_CALLS)
    with pytest.raises(Crash):
        publish(lake, stage(tmp_path / "first", FILES))
    lake.restart()
    fewer = {name: content for name, content in FILES.items() if "inventory" not in name}
    publish(lake, stage(tmp_path / "second", fewer))
    assert lake.all_keys() == [key for key in KEYS if "inventory" not in key]


def test_a_replay_takes_its_clock_from_the_first_try(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake", crash_at=3)
    with pytest.raises(Crash):
        publish(lake, stage(tmp_path / "staging", FILES))
    lake.restart()
    assert Publication(lake, 7, "file:///nowhere/").started_at() == STARTED


def test_a_published_batch_knows_its_run(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake")
    publish(lake, stage(tmp_path / "staging", FILES))
    assert Publication(lake, 7, "file:///nowhere/").published_run == {
        "started_at": "2026-11-21T12:00:00+00:00",
        "log_rows": 2,
    }
    assert Publication(lake, 8, "file:///nowhere/").published_run is None


def test_files_of_one_partition_are_numbered(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake")
    publish(lake, stage(tmp_path / "staging", {f"rejects/{DAY}/part-{n}.parquet": "x" for n in (1, 2)}))
    assert lake.all_keys() == [f"{REJECTS.prefix}{DAY}/batch-00000007-{n}.parquet" for n in (0, 1)]


def test_withdrawing_takes_back_a_half_published_batch_only(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path / "lake", crash_at=4)
    with pytest.raises(Crash):
        publish(lake, stage(tmp_path / "staging", FILES))
    lake.restart()
    withdraw(lake, manifest_key(7))
    assert lake.all_keys() == []
    publish(lake, stage(tmp_path / "staging", FILES))
    withdraw(lake, manifest_key(7))
    assert lake.all_keys() == KEYS
    assert RUNS.prefix == "runs/"
