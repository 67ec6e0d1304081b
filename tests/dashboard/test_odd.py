"""Events that lack values, or hold odd ones: every page shows them, and each value can be asked for."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dash
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from catalog.schema import NO_VALUE, OTHER_LEVEL
from dashboard import cube as cubes
from dashboard import rankings, rows
from dashboard.app import create_app
from dashboard.broker import open_cache
from dashboard.components import detail
from dashboard.components.still import written
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.login import open_gate
from dashboard.theme import theme_of
from dashboard.timerange import resolve
from dashboard.view import View, is_askable, parse, query_string, to_store
from tests.dashboard import demo, odd
from tests.dashboard.conftest import Served, serving
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_pages import PAGES, opened, until

NEEDS = ("counts", "latency", "endpoints", "endpoint-latency", "patterns")
EVENT = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in odd.VALUES.items()})


def _lake(events: list[dict[str, Any]], folder: Path) -> Lake:
    (folder / "lake").mkdir()
    engine = DuckAthena(odd.build(events, folder / "lake", demo.now_end()))
    return Lake(engine, open_cache(str(folder / "cache")), ())


def _cube(lake: Lake) -> Cube:
    loaded = lake.load(View(), NEEDS, "me", wait=30)
    assert loaded.state == "SUCCEEDED", loaded.error
    return lake.cube(loaded.token)


def _rows(lake: Lake, view: View) -> int:
    return len(lake.page(view, resolve(view.time_range, lake.clock()), [], 0, "me", "v"))


@pytest.fixture(scope="module")
def odd_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    # demo.build's curated table leaves DEBUG and INFO out; so does what is counted here
    events = [event for event in odd.one_of_each() if event["level"] not in ("DEBUG", "INFO")]
    return _lake(events, tmp_path_factory.mktemp("odd"))


@pytest.mark.parametrize("field", ["level", "service", "status_class", "endpoint"])
def test_a_value_of_a_facet_is_asked_for_by_the_url_and_its_rows_are_those_counted(odd_lake: Lake, field: str) -> None:
    cube = _cube(odd_lake)
    counted = dict(rankings.facet_counts(cube, View(), field, limit=100))
    assert (OTHER_LEVEL if field == "level" else NO_VALUE) in counted
    for value, events in counted.items():
        if not is_askable(value):
            continue
        asked = {"level": {"level": value}, "service": {"service": value}}.get(field, {f"f.{field}": value})
        view, notices = parse(asked, odd_lake.clock())
        assert notices == ()
        assert _rows(odd_lake, view) == events, (field, value)


def test_what_has_no_value_can_be_excluded(odd_lake: Lake) -> None:
    counted = dict(rankings.facet_counts(_cube(odd_lake), View(), "endpoint", limit=100))
    view = View(facets={"endpoint": (f"!{NO_VALUE}",)})
    assert _rows(odd_lake, view) == sum(counted.values()) - counted[NO_VALUE]


def test_a_view_of_no_value_survives_its_url(odd_lake: Lake) -> None:
    view = View(levels=(OTHER_LEVEL,), services=(NO_VALUE,), facets={"endpoint": (NO_VALUE, "/charges")})
    pairs = dict(pair.split("=", 1) for pair in query_string(view).replace("%28", "(").replace("%29", ")").split("&"))
    pairs = {key: value.replace("%2F", "/") for key, value in pairs.items()}
    assert parse(pairs, odd_lake.clock()) == (view, ())


def test_a_row_that_lacks_a_value_is_counted_in_the_chart_of_levels(odd_lake: Lake) -> None:
    cube = _cube(odd_lake)
    assert cubes.volume(cube, View()).to_numpy().sum() == cube.columns["counts"]["events"].sum()


@seed(11)
@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(EVENT, min_size=1, max_size=12))
def test_every_page_is_drawn_of_any_events_and_so_are_the_downloads(events: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory(prefix="odd-") as name:
        folder = Path(name)
        lake = _lake(events, folder)
        app = create_app(lake, open_gate(folder / "state", open_cache(str(folder / "gate")), is_on_loopback=True))
        cube = _cube(lake)
        token = lake.load(View(), NEEDS, "me", wait=30).token
        moments = [moment.timestamp() for moment in (cube.window.start, cube.window.end)]
        answer = {"token": token, "window": moments, "from": "now-1h", "to": "now"}
        with app.server.test_request_context("/"):
            app.server.preprocess_request()
            _draw_pages(answer)
        for kind in ("csv", "json"):
            got = app.server.test_client().get(f"/export/events.{kind}?fields=all&token={token}")
            assert got.status_code == 200, got.text


def _draw_pages(answer: dict[str, Any]) -> None:
    pages = {page["name"]: sys.modules[page["module"]] for page in dash.page_registry.values()}
    store = to_store(View())
    for page in dash.page_registry.values():
        assert page["layout"]() is not None
    for name in ("Overview", "Services"):
        assert all(part is not dash.no_update for part in pages[name].draw(answer, View(), theme_of("dark")))
    explore = pages["Explore"]
    assert explore.draw_facets(answer, store, "me")[0]
    assert "events" in explore.draw_volume(answer, store, "light", None, "me")[1]
    block, _, told = explore._block({"startRow": 0}, {"view": store, **answer}, "me")
    assert "rows" in told
    for record in block["rowData"]:
        _draw_row(explore, {name: record.get(name) for name in rows.FIELDS})
    table, of, _ = pages["Patterns"].draw_table(answer, store, "light", "most")
    assert (of, "could not be read" in table) == ("table-scroll", False)


def _draw_row(explore: Any, record: rows.Record) -> None:
    query = explore.permalink(record)
    assert written(detail.detail(record, query))
    assert written(detail.context([record], record["event_id"]))


@pytest.fixture(scope="module")
def odd_served(odd_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("odd-served")
    gate = open_gate(folder, open_cache(str(folder / "cache")), is_on_loopback=True)
    with serving(odd_lake, gate) as url:
        yield Served(url, odd_lake.engine, odd_lake, gate)


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_page_over_odd_events_leaves_no_skeleton_and_complains_of_nothing(
    chromium: Any, odd_served: Served, path: str
) -> None:
    with opened(chromium, odd_served, path) as page:
        page.wait_for_load_state("networkidle")
        until(page, "document.querySelectorAll('.skeleton, .skeleton-block, .first-load').length === 0")
        assert "did not answer" not in page.inner_text("body")
        assert "could not be read" not in page.inner_text("body")
        assert page.complaints == []


@pytest.mark.browser
def test_endpoint_that_no_event_names_is_one_click_away_and_its_rows_too(chromium: Any, odd_served: Served) -> None:
    with opened(chromium, odd_served, "/explore") as page:
        page.click(f".facet-include[data-value*=endpoint]:has-text('{NO_VALUE}')")
        page.wait_for_selector(f".chip:has-text('Endpoint is {NO_VALUE}')")
        until(page, "location.search.includes('f.endpoint=')")
        counted = dict(rankings.facet_counts(_cube(odd_served.lake), View(), "endpoint", limit=100))
        page.wait_for_selector(f"#explore-count:text-matches('^{counted[NO_VALUE]} rows')")
        assert page.complaints == []
