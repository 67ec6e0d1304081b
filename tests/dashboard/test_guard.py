from datetime import UTC, datetime, timedelta

import pytest

from catalog.errors import UsageError
from dashboard.guard import DearQueryError, Limits
from dashboard.lake import Lake
from dashboard.statements import Statement, reading
from dashboard.timerange import TimeRange, Window, resolve
from dashboard.view import View
from tests.dashboard.duck_athena import DuckAthena

VIEW = View(TimeRange("now-1h", "now"), levels=("ERROR",))


def _limited(lake: Lake, ask: int, refuse: int = 10**12) -> Lake:
    lake.guard.limits = Limits(ask, refuse)
    return lake


def test_dear_rows_are_asked_for_only_when_confirmed(lake: Lake, athena: DuckAthena) -> None:
    dear = _limited(lake, 1000)
    window = resolve(VIEW.time_range, lake.clock())
    with pytest.raises(DearQueryError) as caught:
        dear.page(VIEW, window, ["payment"], 0, "test", "v")
    assert caught.value.can_be_confirmed
    assert athena.started == []
    rows = dear.page(VIEW, window, ["payment"], 0, "test", "v", is_confirmed=True)
    assert rows
    assert dear.page(VIEW, window, ["payment"], 0, "another", "v") == rows  # what is kept costs nothing more


def test_above_the_stacks_own_limit_nothing_is_started_and_confirming_does_not_help(lake: Lake) -> None:
    window = resolve(VIEW.time_range, lake.clock())
    with pytest.raises(DearQueryError) as caught:
        _limited(lake, 10, 100).page(VIEW, window, ["payment"], 0, "test", "v")
    assert not caught.value.can_be_confirmed
    assert "run it anyway" not in str(caught.value)


def test_estimate_is_of_the_services_and_days_that_are_read(lake: Lake) -> None:
    sources = lake.sources(VIEW, ["payment"])
    now = datetime.now(UTC)
    all_of_it = lake.guard.estimate(sources.sources[0], ("payment", "inventory"), Window(now - timedelta(days=1), now))
    one = lake.guard.estimate(sources.sources[0], ("payment",), Window(now - timedelta(days=1), now))
    none = lake.guard.estimate(
        sources.sources[0], ("payment",), Window(now - timedelta(days=9), now - timedelta(days=8))
    )
    assert all_of_it > one > none == 0


def test_sql_is_measured_by_the_tables_it_names_and_the_rollup_is_free(lake: Lake) -> None:
    dear = _limited(lake, 1000)
    dear.guard.check_sql("SELECT * FROM log_minutes", lake.tables(), is_confirmed=False)
    with pytest.raises(DearQueryError):
        dear.guard.check_sql("SELECT * FROM logs", lake.tables(), is_confirmed=False)
    dear.guard.check_sql("SELECT * FROM logs", lake.tables(), is_confirmed=True)


def test_one_statement_that_reads_is_taken() -> None:
    assert reading(" select 1 ; ") == Statement("select 1")


@pytest.mark.parametrize(
    "sql", ["", "DROP TABLE logs", "SELECT 1; DROP TABLE logs", "INSERT INTO logs SELECT 1", "-- x"]
)
def test_anything_else_is_refused(sql: str) -> None:
    with pytest.raises(UsageError, match="one statement that starts with SELECT"):
        reading(sql)
