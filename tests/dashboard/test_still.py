"""Still content: HTML of ours in one component, whose links and buttons work as Dash's do."""

import json
from html import unescape
from typing import Any

import pytest
from dash import dcc, html

from dashboard.components.facets import facet
from dashboard.components.sparkline import sparkline
from dashboard.components.still import HTML, press, still, written
from dashboard.first_paint import first_paint
from tests.dashboard.conftest import Served
from tests.dashboard.test_pages import opened, until

HOSTILE = '"><img src=x onerror="alert(1)">'


def test_content_is_one_component_and_its_own_first_paint() -> None:
    place = still(written([html.B("1 < 2"), dcc.Link("go", href="/explore")]), className="tiles")
    assert getattr(place, HTML) == '<b>1 &lt; 2</b><a href="/explore">go</a>'
    assert first_paint(place) == f'<div class="tiles">{getattr(place, HTML)}</div>'


def test_what_the_lake_holds_is_text_wherever_it_stands() -> None:
    text = written([facet("endpoint", [(HOSTILE, 3)], ()), html.Span(HOSTILE, title=HOSTILE)])
    assert "<img" not in text
    assert 'onerror="' not in text
    assert "<img" not in sparkline([1, 2], "#123456", label=HOSTILE)


def test_sparkline_breaks_where_a_value_is_missing() -> None:
    assert sparkline([1.0, 2.0, float("nan"), 1.0], "#123456").count("<polyline") == 2


def test_a_press_tells_its_store_its_value() -> None:
    told = written(press("only", "explore-facet", {"value": 'a "b"'}))
    assert 'data-press="explore-facet"' in told
    assert json.loads(unescape(told.split('data-value="')[1].split('"')[0])) == {"value": 'a "b"'}


@pytest.mark.browser
def test_link_in_still_content_changes_the_page_without_loading_it(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/?from=now-2h&to=now&level=ERROR") as page:
        page.evaluate("window.isTheSame = true")
        page.click("#overview-services .service-link:text-is('payment')")
        page.wait_for_selector("#services-endpoints .service-link")
        assert "/services/payment?" in page.url
        assert "level=ERROR" in page.url
        assert page.evaluate("window.isTheSame")
        until(page, "document.querySelector('.nav-entry').search.includes('service=payment')")
        with page.context.expect_page() as other:
            page.click(".nav-entry:has-text('Explore')", modifiers=["Control"])
        assert "/explore?" in other.value.url
        assert "/services/payment?" in page.url
        assert page.complaints == []


@pytest.mark.browser
def test_links_and_presets_follow_the_view(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/?from=now-2h&to=now") as page:
        page.click(".preset:has-text('6 h')")
        until(page, "location.search.includes('now-6h')")
        assert page.locator(".preset.active").all_inner_texts() == ["6 h"]
        assert all(
            "now-6h" in link for link in page.evaluate("[...document.querySelectorAll('.nav-entry')].map(a => a.href)")
        )


@pytest.mark.browser
def test_menu_of_a_narrow_screen_closes_when_something_was_chosen(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/") as page:
        page.set_viewport_size({"width": 390, "height": 800})
        for chosen in (".preset:has-text('15 m')", ".nav-entry:has-text('Services')"):
            page.click("#shell-menu")
            page.click(f".sidebar.open {chosen}")
            until(page, "document.querySelector('.sidebar.open') === null")
        page.wait_for_url("**/services?from=now-15m**")


@pytest.mark.browser
def test_examples_of_a_pattern_are_shown(chromium: Any, served: Served) -> None:
    with opened(chromium, served, "/patterns?from=now-2h&to=now&level=ERROR") as page:
        page.click("#patterns-table button:has-text('Examples')")
        page.wait_for_selector("#patterns-shown .context-line")
        assert page.complaints == []
