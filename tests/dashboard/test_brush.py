"""The brush: a stretch drawn over a chart becomes the page's range, with mouse or finger."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.conftest import Served
from tests.dashboard.test_pages import BARS, opened, until

PATH = "/?from=now-2h&to=now"
BRUSHED = "new URLSearchParams(location.search).get('to').endsWith('Z')"
LOADS, DRAWS = "shell-answer.data", "overview-tiles"
BAR_TIMES = "document.querySelector('[id*=overview-volume] .js-plotly-plot').data[0].x"
FIRST_BAR = f"{BAR_TIMES}[0]"


def _area(page: Any) -> dict[str, float]:
    until(page, f"{BARS} > 100")
    area = page.locator("[id*='overview-volume'] .nsewdrag").first
    area.scroll_into_view_if_needed()
    box: dict[str, float] = area.bounding_box()
    return box


def _draw(page: Any, start: float = 0.3, end: float = 0.6) -> None:
    """Draw over a part of the first chart, without letting go."""
    box = _area(page)
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 60, steps=8)


def _minutes(url: str) -> float:
    query = parse_qs(urlsplit(url).query)
    start, end = (datetime.fromisoformat(query[key][0]) for key in ("from", "to"))
    return (end - start).total_seconds() / 60


def test_brush_says_its_stretch_and_narrows_the_range_and_zoom_out_widens_it(chromium: Any, served: Served) -> None:
    with opened(chromium, served, PATH) as page:
        _draw(page)
        told = page.locator(".brush").inner_text()
        page.mouse.up()
        until(page, BRUSHED)
        start, end = (parse_qs(urlsplit(page.url).query)[key][0][5:16].replace("T", " ") for key in ("from", "to"))
        assert told == (f"{start[6:]} – {end[6:]}" if start[:5] == end[:5] else f"{start} – {end}")
        narrow = _minutes(page.url)
        assert 30 <= narrow <= 42
        narrow_url = page.url
        page.click("#shell-zoom-out")
        until(page, f"location.href !== {narrow_url!r}")
        assert _minutes(page.url) == pytest.approx(2 * narrow, abs=1)


def test_brush_in_the_readers_own_zone_is_of_the_hours_it_covers(chromium: Any, served: Served) -> None:
    with opened(chromium, served, f"{PATH}&tz=Asia/Kolkata", timezone_id="Asia/Kolkata") as page:
        _draw(page)
        told = page.locator(".brush").inner_text().split(" – ")[0]
        page.mouse.up()
        until(page, BRUSHED)
        start = datetime.fromisoformat(parse_qs(urlsplit(page.url).query)["from"][0])
        hours, minutes = (int(part) for part in told[-5:].split(":"))
        assert (start.hour * 60 + start.minute + 330) % 1440 == 60 * hours + minutes
        assert 30 <= _minutes(page.url) <= 42


def test_escape_drops_the_brush_and_a_click_is_none(chromium: Any, served: Served) -> None:
    with opened(chromium, served, PATH) as page:
        _draw(page)
        page.keyboard.press("Escape")
        assert page.locator(".brush").count() == 0
        page.mouse.up()
        _draw(page, 0.5, 0.502)
        assert page.locator(".brush").count() == 0
        page.mouse.up()
        page.wait_for_timeout(500)
        assert page.url.endswith(PATH)


def test_a_finger_brushes_along_the_chart_and_scrolls_across_it(chromium: Any, served: Served) -> None:
    with opened(chromium, served, PATH, has_touch=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        box = _area(page)
        begin = (box["x"] + box["width"] * 0.3, box["y"] + 90)
        _swipe(page, *begin, across=-12)
        until(page, "scrollY > 20")
        assert page.url.endswith(PATH)
        box = _area(page)
        _swipe(page, box["x"] + box["width"] * 0.3, box["y"] + 60, along=9)
        until(page, BRUSHED)
        assert 20 <= _minutes(page.url) <= 50


def _swipe(page: Any, x: float, y: float, along: int = 0, across: int = 0) -> None:
    session = page.context.new_cdp_session(page)
    for step in range(10):
        place = {"x": x + along * step, "y": y + across * step}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _held(page: Any, word: str) -> list[Any]:
    """The first request with a word in it, from now on: it waits until it is let on."""
    held: list[Any] = []

    def pass_on(route: Any) -> None:
        if word in route.request.post_data and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/_dash-update-component*", pass_on)
    return held


def test_brush_is_drawn_of_what_is_kept_before_its_load_is_answered(chromium: Any, served: Served) -> None:
    drawn: list[str] = []
    with opened(chromium, served, PATH) as page:
        until(page, f"{BARS} > 100")
        page.wait_for_load_state("networkidle")
        page.on("request", lambda asked: DRAWS in (asked.post_data or "") and drawn.append(asked.url))
        held = _held(page, LOADS)
        whole = page.evaluate(FIRST_BAR)
        _draw(page)
        page.mouse.up()
        until(page, f"{FIRST_BAR} !== {whole!r}")
        page.wait_for_timeout(500)
        assert [route.continue_() for route in held]
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
        assert len(drawn) == 1


def test_range_that_was_left_at_once_is_not_drawn_when_its_answer_comes_late(chromium: Any, served: Served) -> None:
    with opened(chromium, served, PATH) as page:
        until(page, f"{BARS} > 100")
        page.wait_for_load_state("networkidle")
        held = _held(page, DRAWS)
        _draw(page)
        page.mouse.up()
        until(page, BRUSHED)
        page.wait_for_timeout(300)
        page.evaluate("dash_clientside.set_props('shell-range', { data: { from: 'now-2h', to: 'now' } })")
        until(page, f"!{BRUSHED}")
        page.wait_for_timeout(300)
        assert [route.continue_() for route in held]
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
        assert page.evaluate(f"{BAR_TIMES}.length") > 100


def test_range_that_is_loaded_at_once_but_was_not_kept_is_drawn(
    chromium: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.lake.KEPT_LOAD_SECONDS", -1.0)
    with opened(chromium, served, PATH) as page:
        until(page, f"{BARS} > 100")
        page.wait_for_load_state("networkidle")
        whole = page.evaluate(FIRST_BAR)
        _draw(page)
        page.mouse.up()
        until(page, f"{FIRST_BAR} > {whole!r}")
        assert page.complaints == []
