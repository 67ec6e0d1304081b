from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.tables import LOGS
from glue_streaming.generations import RECORDS, Generation, clean_up
from tests.glue_streaming.lake import Crash, FolderLake

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = ("payment", "2026", "11", "20")
OLD = LOGS.prefix + LOGS.partition_folder(DAY)
GENERATION = Generation(LOGS, DAY, OLD)
WRITING_CALLS = 5


def lake_of(root: Path, crash_at: int = 0) -> FolderLake:
    lake = FolderLake(root / "lake", crash_at)
    lake.partitions[LOGS.name, DAY] = OLD
    for name, text in {"batch-1.parquet": "a", "batch-2.parquet": "b"}.items():
        path = lake.root / OLD / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "staging").mkdir()
    for name, text in {"x.parquet": "a", "y.parquet": "b"}.items():
        (root / "staging" / name).write_text(text)
    return lake


def seen(lake: FolderLake) -> list[str]:
    return sorted(path.read_text() for path in (lake.root / lake.partitions[LOGS.name, DAY]).glob("*.parquet"))


def replace(lake: FolderLake, generation: Generation = GENERATION) -> None:
    generation.replace(lake, f"file://{lake.root.parent}/staging/", ["x.parquet", "y.parquet"], NOW)  # type: ignore[arg-type]


def test_a_generation_lies_outside_of_every_location_and_numbers_go_on() -> None:
    assert GENERATION.new == "generations/logs/00000001/service=payment/year=2026/month=11/day=20/"
    assert Generation(LOGS, DAY, GENERATION.new).new == GENERATION.new.replace("00000001", "00000002")


@pytest.mark.parametrize("crash_at", range(1, WRITING_CALLS + 1))
def test_a_crash_before_any_step_is_seen_by_no_reader_and_cleaned_up(tmp_path: Path, crash_at: int) -> None:
    lake = lake_of(tmp_path, crash_at)

    def look() -> None:
        assert seen(lake) == ["a", "b"]

    lake.watch = look
    with pytest.raises(Crash):
        replace(lake)
    lake.restart()
    look()
    clean_up(lake, HOUR, NOW)  # type: ignore[arg-type]
    look()
    if lake.partitions[LOGS.name, DAY] == OLD:
        assert sorted(lake.list_sizes("")) == [f"{OLD}batch-1.parquet", f"{OLD}batch-2.parquet"]
        replace(lake)
    clean_up(lake, HOUR, NOW + HOUR)  # type: ignore[arg-type]
    look()
    assert sorted(lake.list_sizes("")) == [f"{GENERATION.new}part-0000{number}.parquet" for number in (0, 1)]


def test_no_call_is_left_out_of_the_crashes(tmp_path: Path) -> None:
    lake = lake_of(tmp_path)
    replace(lake)
    assert lake.calls == WRITING_CALLS


def test_old_files_stay_until_the_grace_period_is_over(tmp_path: Path) -> None:
    lake = lake_of(tmp_path)
    replace(lake)
    assert clean_up(lake, HOUR, NOW + timedelta(minutes=59)) == 0  # type: ignore[arg-type]
    assert len(lake.list_sizes(OLD)) == 2
    assert clean_up(lake, HOUR, NOW + HOUR) == 2  # type: ignore[arg-type]
    assert lake.list_sizes(RECORDS) == {}
