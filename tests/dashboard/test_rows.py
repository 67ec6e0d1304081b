from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.components.row_banners import rows_banner
from dashboard.components.still import written
from dashboard.lake import Lake
from dashboard.rows import choose_sources, page_statement, safe_cell, to_csv
from dashboard.timerange import Window, resolve
from dashboard.view import View
from tests.dashboard.demo import HOSTILE
from tests.dashboard.duck_athena import DuckAthena

TABLES = {"logs": ("level", "service", "status_code", "endpoint"), "payment": ("level", "service"), "rejects": ()}
DROPPED = ("DEBUG", "INFO")


def _window(lake: Lake) -> Window:
    now = lake.clock()
    return Window(now - timedelta(hours=3), now)


def test_kept_levels_are_read_from_the_curated_table() -> None:
    sources = choose_sources(View(levels=("ERROR",)), ("payment",), DROPPED, TABLES)
    assert [source.table for source in sources.sources] == ["logs"]
    assert not sources.is_raw


def test_dropped_level_is_read_from_raw_and_uncatalogued_services_are_named() -> None:
    sources = choose_sources(View(levels=("INFO",)), ("payment", "inventory"), DROPPED, TABLES)
    assert [source.table for source in sources.sources] == ["payment"]
    assert (sources.is_raw, sources.missing_services) == (True, ("inventory",))


def test_service_named_like_a_curated_table_does_not_read_it() -> None:
    sources = choose_sources(View(levels=("INFO",), services=("rejects", 'x" --')), (), DROPPED, TABLES)
    assert sources.sources == ()


@pytest.mark.parametrize("levels", [(), ("INFO",)])
def test_pages_follow_each_other_without_gap_or_double(lake: Lake, levels: tuple[str, ...]) -> None:
    window, view = _window(lake), View(levels=levels, services=("api-gateway", "payment"))
    pages = [lake.page(view, window, [], number, "me", "v") for number in range(3)]
    found = [(record["timestamp"], record["event_id"]) for page in pages for record in page]
    assert len(found) == len(set(found)) > 0
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("text", HOSTILE)
def test_search_finds_a_hostile_line_as_the_text_it_is(lake: Lake, text: str) -> None:
    search = " ".join(text.replace("\u2028", "").split())
    page = lake.page(View(search=search), _window(lake), [], 0, "me", "v")
    assert [record["message"] for record in page] == [text]


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=40))
def test_no_search_is_ever_part_of_the_sql(text: str) -> None:
    window = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    sources = choose_sources(View(), (), DROPPED, TABLES)
    plain = page_statement(sources, View(search="x", services=("y",)), window)
    hostile = page_statement(sources, View(search=text, services=(text,)), window)
    assert hostile.sql == plain.sql
    assert len(hostile.parameters) == len(plain.parameters)


def test_quote_in_a_search_does_not_end_the_literal(lake: Lake) -> None:
    assert lake.page(View(search="' OR '1'='1"), _window(lake), [], 0, "me", "v") == []


def test_counts_of_a_search_are_the_rows_it_finds(lake: Lake, athena: DuckAthena) -> None:
    view = View(search="PoolExhausted", levels=("ERROR",), services=("payment",))
    loaded = lake.load(View(), ("counts", "latency"), "me", wait=30)
    cube = lake.filtered(view, lake.cube(loaded.token), "me", "v")
    page = lake.page(view, resolve(View().time_range, lake.clock()), [], 0, "me", "v")
    assert cube.columns["counts"]["events"].sum() == len(page) > 0


def test_csv_holds_the_columns_shown_and_no_cell_runs_as_a_formula() -> None:
    text = to_csv([{"level": "INFO", "message": "=cmd|' /C calc'!A0", "host": "h"}], ("level", "message"))
    assert text == '"level","message"\r\n"INFO","\'=cmd|\' /C calc\'!A0"\r\n'
    assert [safe_cell(cell) for cell in ("+1", "-1", "@x", "a=b", "")] == ["'+1", "'-1", "'@x", "a=b", ""]


def test_rows_that_are_not_there_are_told_apart_by_why() -> None:
    view, nowhere = View(levels=("ERROR",)), choose_sources(View(), (), DROPPED, {})
    told = [
        rows_banner(view, nowhere, DROPPED, 0),
        rows_banner(view, choose_sources(View(levels=("INFO",)), ("user-service",), DROPPED, {}), DROPPED, 0),
        rows_banner(view, choose_sources(view, (), DROPPED, TABLES), DROPPED, 0, is_empty=True),
        rows_banner(view, choose_sources(view, (), DROPPED, TABLES), DROPPED, 0),
    ]
    words = [written(banner) for banner in told]
    assert "The table logs does not exist" in words[0] and "loglake deploy" in words[0]
    assert "user_service" in words[1] and "loglake crawl" in words[1]
    assert "Nothing at all was logged in this range" in words[2]
    assert "Nothing in this range passes these filters" in words[3]
