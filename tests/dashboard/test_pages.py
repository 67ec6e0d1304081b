"""The pages in a real browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.accessibility import faults
from tests.dashboard.conftest import PATIENCE_MS, Served, browsing

pytestmark = pytest.mark.browser

PAGES = ("/", "/explore", "/services", "/services/payment", "/patterns", "/alerts", "/live", "/pipeline", "/sql")
COUNTED = "document.querySelector('#explore-count').innerText !== ''"
LOADED = "body:not(.first) [data-since]"
DRAWN = (
    "[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.js-plotly-plot')?.data?.length)"
)
SHOWN = """
[...document.querySelectorAll('.js-plotly-plot')].map((graph) => JSON.stringify([graph.data, graph.layout.xaxis.range]))
  .concat([...document.querySelectorAll('[data-html]:not(nav *, [role=status])')].map((place) => place.innerHTML))
"""
BARS = """
[...document.querySelectorAll('[id*=volume] .bars path')].map((path) => path.getAttribute('d').split('M').length - 1)
  .reduce((sum, bars) => sum + bars, 0)
"""
"""How many bars are drawn: a path holds those of one shade."""

STILL_DRAWING_SECONDS = 20
"""On a busy machine the page that was clicked may have to wait for its answer longer than one that opens with it."""


@contextmanager
def opened(chromium: Any, served: Served, path: str, theme: str = "light", **options: Any) -> Iterator[Any]:
    """A page in a clean context, loaded; its `complaints` are whatever it should not have said or asked."""
    with browsing(chromium, color_scheme=theme, **options) as page:
        page.on("console", lambda said: _is_complaint(said) and page.complaints.append(said.text))
        page.on("response", lambda got: got.status >= 400 and page.complaints.append(f"{got.status} {got.url}"))
        page.on("request", lambda asked: _foreign(asked.url, served.url) and page.complaints.append(asked.url))
        page.goto(served.url + path)
        page.wait_for_selector(LOADED)
        yield page


def _is_complaint(said: Any) -> bool:
    """Whether a console message tells of a fault; that a script came long before it was run tells of a busy machine."""
    return said.type in ("error", "warning") and "was preloaded using link preload but not used" not in said.text


def until(page: Any, fact: str) -> None:
    """Wait until a fact of the page is true; Playwright's own wait evaluates text there, which the policy forbids."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(fact):
        assert time.monotonic() < deadline, f"still not so: {fact}"
        page.wait_for_timeout(100)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_page_loads_without_an_error_a_policy_violation_a_foreign_request_or_a_fault_that_axe_finds(
    chromium: Any, served: Served, path: str, theme: str
) -> None:
    with opened(chromium, served, path, theme) as page:
        page.wait_for_load_state("networkidle")
        assert page.complaints == []
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert faults(page) == []


def test_level_dropdown_changes_the_chart_without_a_query(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/?from=now-2h&to=now") as page:
        until(page, f"{BARS} > 100")
        before, asked = page.evaluate(BARS), _rollups(served)
        page.click("#shell-level")
        page.click(".dash-dropdown-option:has-text('ERROR')")
        until(page, f"{BARS} < {before} && {BARS} > 0")
        assert _rollups(served) == asked
        assert parse_qs(urlsplit(page.url).query)["level"] == ["ERROR"]


@pytest.mark.parametrize("path", ["/", "/services"])
def test_page_after_quick_clicks_is_the_one_that_its_url_opens(chromium: Any, served: Served, path: str) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    window = f"from={hour - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}&to={hour:%Y-%m-%dT%H:%M:%SZ}"
    with opened(chromium, served, f"{path}?{window}") as page:
        until(page, DRAWN)
        page.click("#shell-level")
        for level in ("INFO", "ERROR", "DEBUG", "INFO"):
            page.click(f".dash-dropdown-option:has-text('{level}')")
        page.keyboard.press("Escape")
        page.click("#shell-earlier")
        until(page, f"!location.search.includes({window.split('&')[1]!r})")
        page.click("#shell-theme-button")
        page.click("#shell-earlier")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1000)
        with opened(chromium, served, page.url.removeprefix(served.url)) as other:
            until(other, DRAWN)
            other.wait_for_load_state("networkidle")
            wanted, began = other.evaluate(SHOWN), time.monotonic()
            while page.evaluate(SHOWN) != wanted and time.monotonic() < began + STILL_DRAWING_SECONDS:
                page.wait_for_timeout(200)
            assert page.evaluate(SHOWN) == wanted


def test_url_opens_the_same_view_in_a_clean_browser(chromium: Any, served: Served) -> None:
    path = "/explore?from=now-2h&to=now&level=WARNING|ERROR&service=payment&q=PoolExhausted&f.status_class=5xx"
    seen: list[tuple[str, str]] = []
    while len(seen) < 2 or (seen[-1][0] != seen[-2][0] and len(seen) < 4):  # a minute may pass between two looks
        with opened(chromium, served, path) as page:
            page.wait_for_selector(".ag-row .ag-cell")
            until(page, COUNTED)
            path = page.url.removeprefix(served.url)
            assert page.locator("#shell-search").input_value() == "PoolExhausted"
            assert page.locator(".chip").inner_text().startswith("Status is 5xx")
            assert "payment" in page.locator("#shell-service").inner_text()
            seen.append(tuple(page.locator(name).inner_text() for name in ("#shell-range-label", "#explore-count")))
    assert seen[-1] == seen[-2]


def test_what_a_url_asks_that_no_page_knows_is_named(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/?level=LOUD&from=yesterday-ish&nonsense=1") as page:
        notice = page.locator(".notice").inner_text()
        assert "got 'LOUD'" in notice
        assert "got 'yesterday-ish'" in notice
        assert "`nonsense`" in notice


def test_back_returns_to_the_range_before(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/") as page:
        page.click(".preset:has-text('15 m')")
        until(page, "location.search.includes('now-15m')")
        page.go_back()
        page.wait_for_url(lambda url: "now-15m" not in url)
        page.wait_for_selector(".preset.active:has-text('1 h')")


def test_typed_range_is_understood_or_refused_in_words(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/") as page:
        page.fill("#shell-range-text", "now-2h to now-1h")
        page.press("#shell-range-text", "Enter")
        until(page, "location.search.includes('to=now-1h')")
        page.fill("#shell-range-text", "the day before")
        page.press("#shell-range-text", "Enter")
        until(page, "document.querySelector('#shell-range-error').innerText.includes('the day before')")


def test_hostile_lines_are_text_in_the_table_and_in_the_drawer(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/explore?from=now-3h&to=now&q=%3Cscript%3E") as page:
        page.click(".ag-row .ag-cell:has-text('<script>alert(1)</script>')")
        page.wait_for_selector(".detail-message:has-text('<script>alert(1)</script>')")
        assert page.locator(".detail-message script, .ag-cell script").count() == 0
        page.click("#explore-around")
        page.wait_for_selector(".context-self")
        assert page.complaints == []


def test_dropped_level_is_read_from_the_raw_tables_and_the_page_says_so(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/explore?level=INFO&service=payment") as page:
        page.wait_for_selector(".ag-row .ag-cell:has-text('INFO')")
        page.wait_for_selector(".banner:has-text('raw tables')")


def test_counts_of_all_facets_stand_in_one_column(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/explore") as page:
        page.wait_for_selector(".facet-exclude", state="attached")
        counts = "[...document.querySelectorAll('.facet-count')]"
        assert (
            len(page.evaluate(f"[...new Set({counts}.map((it) => Math.round(it.getBoundingClientRect().right)))]")) == 1
        )


def test_facet_includes_its_value_and_its_chip_takes_it_back(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/explore") as page:
        page.click(".facet-include:has-text('5xx')")
        page.wait_for_selector(".chip:has-text('Status is 5xx')")
        until(page, "location.search.includes('f.status_class=5xx')")
        page.click(".chip-remove")
        until(page, "!location.search.includes('f.status_class')")


def test_another_search_in_the_same_range_changes_the_rows_and_the_chart(chromium: Any, served: Served) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    window = f"from={hour - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}&to={hour:%Y-%m-%dT%H:%M:%SZ}"
    with opened(chromium, served, f"/explore?{window}&level=ERROR") as page:
        page.wait_for_selector(".ag-row .ag-cell:has-text('ERROR')")
        until(page, f"{BARS} > 0")
        page.fill("#shell-search", "no message says this")
        page.press("#shell-search", "Enter")
        page.wait_for_selector("#explore-count:text-matches('^0 rows')")
        until(page, f"{BARS} === 0")
        page.fill("#shell-search", "")
        page.press("#shell-search", "Enter")
        page.wait_for_selector(".ag-row .ag-cell:has-text('ERROR')")
        until(page, f"{BARS} > 0")
        assert page.complaints == []


def test_grid_jump_leaves_no_block_loading(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/explore?from=now-3h&to=now&level=INFO") as page:
        page.wait_for_selector(".ag-row .ag-cell:has-text('INFO')")
        for row in (60, 99):
            page.evaluate(f"dash_ag_grid.getApi('explore-grid').ensureIndexVisible({row})")
        until(
            page,
            "Object.values(dash_ag_grid.getApi('explore-grid').getCacheBlockState())"
            ".every(block => block.pageStatus === 'loaded')",
        )


def test_named_query_runs_and_tells_its_cost(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/sql") as page:
        page.click("#sql-run")
        page.wait_for_selector("#sql-rows .ag-cell:has-text('api-gateway')")
        assert "scanned" in page.locator("#sql-facts").inner_text()


def test_named_query_asks_for_its_parameters_and_runs_with_them(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/sql") as page:
        page.click(".query-entry:has-text('trace-lookup')")
        page.wait_for_selector("#sql-parameters input")
        page.click("#sql-run")
        page.wait_for_selector(".message-text:has-text('`trace_id` must be given')")
        page.click(".query-entry:has-text('new-error-types')")
        until(page, "document.querySelector('#sql-parameters input').value === 'now-24h'")
        page.click("#sql-run")
        page.wait_for_selector("#sql-rows .ag-cell:has-text('PoolExhausted')")
        assert page.complaints == []


def _rollups(served: Served) -> int:
    return sum(
        "log_minutes" in statement.sql and "slot, service" in statement.sql for statement in served.athena.started
    )


def _foreign(url: str, home: str) -> bool:
    return not url.startswith((home, "data:", "blob:"))
