from datetime import timedelta
from pathlib import Path

import pytest

from catalog.errors import QueryError
from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED
from dashboard.broker import open_cache
from dashboard.lake import Lake, utc_now
from dashboard.statements import COLUMNS
from dashboard.timerange import TimeRange, absolute, resolve
from dashboard.view import View
from tests.dashboard import demo
from tests.dashboard.duck_athena import DuckAthena

NEEDS = ("counts", "latency")


def test_zooming_into_what_is_loaded_asks_nothing(lake: Lake, athena: DuckAthena) -> None:
    assert lake.load(View(TimeRange("now-1h")), NEEDS, "me", wait=30).state == SUCCEEDED
    asked = len(athena.started)
    zoomed = lake.load(View(TimeRange("now-15m")), NEEDS, "me", wait=30)
    assert zoomed.state == SUCCEEDED
    assert len(athena.started) == asked


def test_second_worker_shares_the_blocks(lake: Lake, athena: DuckAthena, tmp_path: Path) -> None:
    lake.load(View(), NEEDS, "me", wait=30)
    asked = len(athena.started)
    other = Lake(athena, open_cache(str(tmp_path / "cache")))
    loaded = other.load(View(), NEEDS, "you")
    assert (loaded.state, loaded.was_cached, len(athena.started)) == (SUCCEEDED, True, asked)
    assert len(other.cube(loaded.token).columns["counts"])


def test_what_is_kept_is_found_without_asking_and_only_while_it_is_young(
    lake_folder: Path, tmp_path: Path, athena: DuckAthena
) -> None:
    late = timedelta()
    view = View(absolute(resolve(TimeRange(), utc_now())))
    lake = Lake(athena, open_cache(str(tmp_path / "cache")), clock=lambda: utc_now() + late)
    assert lake.kept_load(view, NEEDS) is None
    assert athena.started == []
    loaded = lake.load(view, NEEDS, "me", wait=30)
    asked = len(athena.started)
    found = lake.kept_load(view, NEEDS)
    assert found is not None
    assert (found.token, found.was_cached, len(athena.started)) == (loaded.token, True, asked)
    assert lake.scoped(["payment"]).kept_load(view, NEEDS) is None
    late = timedelta(minutes=10)
    assert lake.kept_load(view, NEEDS) is None


def test_cube_counts_what_the_rollup_holds(lake: Lake, lake_folder: Path) -> None:
    import duckdb

    loaded = lake.load(View(TimeRange("now-1h")), tuple(COLUMNS), "me", wait=30)
    cube = lake.cube(loaded.token)
    files = f"read_parquet('{lake_folder}/log_minutes/**/*.parquet')"
    bounds = [f"{moment:%Y-%m-%d %H:%M}" for moment in (loaded.window.start, loaded.window.end + timedelta(minutes=1))]
    wanted = duckdb.sql(
        f"SELECT sum(event_count) FROM {files} WHERE minute >= '{bounds[0]}' AND minute < '{bounds[1]}'"
    )
    for name in cube.columns:
        events = cube.rows(name, loaded.window)["events"].sum()
        assert events == pytest.approx(wanted.fetchall()[0][0], rel=0.1), name
    assert cube.rows("counts", loaded.window)["events"].sum() == wanted.fetchall()[0][0]


def test_only_hours_whose_count_moved_are_asked_again(lake_folder: Path, tmp_path: Path) -> None:
    import shutil

    import duckdb

    folder = shutil.copytree(lake_folder, tmp_path / "lake")
    athena = DuckAthena(folder)
    end = demo.now_end()
    lake = Lake(athena, open_cache(str(tmp_path / "cache")))
    view = View(TimeRange("now-90m"))
    lake.load(view, ("counts",), "me", wait=30)
    athena.started.clear()
    late = end - timedelta(minutes=5)
    target = folder / "log_minutes" / f"year={late:%Y}" / f"month={late:%m}" / f"day={late:%d}" / "late.parquet"
    duckdb.sql(
        f"""COPY (SELECT TIMESTAMP '{late:%Y-%m-%d %H:%M}:00' AS minute, 'late-service' AS service, 'ERROR' AS level,
        '5xx' AS status_class, '/x' AS endpoint, 7::BIGINT AS event_count, 0::BIGINT AS response_bytes_sum,
        0.0::DOUBLE AS response_time_ms_sum, 0.0::DOUBLE AS response_time_ms_max,
        MAP {{50: 7::BIGINT}}::MAP(INT, BIGINT) AS latency_histogram) TO '{target}' (FORMAT parquet)"""
    )
    loaded = lake.load(view, ("counts",), "me", wait=30, since=lake.clock())
    asked = [statement for statement in athena.started if "slot, service" in statement.sql]
    assert [statement.parameters[-2:] for statement in asked] == [
        (f"TIMESTAMP '{late:%Y-%m-%d %H}:00:00.000'", f"TIMESTAMP '{late + timedelta(hours=1):%Y-%m-%d %H}:00:00.000'")
    ]
    assert "late-service" in lake.cube(loaded.token).services


def test_failure_carries_the_engines_words(lake_folder: Path, tmp_path: Path) -> None:
    def fail(sql: str) -> None:
        raise QueryError("HIVE_BAD_DATA: Malformed Parquet file")

    lake = Lake(DuckAthena(lake_folder, before=fail), open_cache(str(tmp_path / "cache")))
    loaded = lake.load(View(), NEEDS, "me", wait=30)
    assert (loaded.state, loaded.error, loaded.token) == (FAILED, "HIVE_BAD_DATA: Malformed Parquet file", "")


def test_slow_query_is_running_until_cancelled(lake_folder: Path, tmp_path: Path) -> None:
    athena = DuckAthena(lake_folder, delay_seconds=30)
    lake = Lake(athena, open_cache(str(tmp_path / "cache")))
    assert lake.load(View(), NEEDS, "me", wait=0.1).state == RUNNING
    assert lake.cancel(View(), NEEDS, "me") == len(athena.started) >= 2
    assert {athena.status(execution).state for execution in athena.stopped} == {CANCELLED}


def test_token_that_is_no_longer_kept_is_an_error_with_a_remedy(lake: Lake) -> None:
    with pytest.raises(QueryError, match="press Refresh"):
        lake.cube("gone")
