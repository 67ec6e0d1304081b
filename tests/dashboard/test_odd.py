"""Events that lack values, or hold odd ones: every page shows them, and each value can be asked for."""

import tempfile
from pathlib import Path
from typing import Any

import dash
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from catalog.schema import NO_VALUE, OTHER_LEVEL
from dashboard import rankings
from dashboard.app import create_app
from dashboard.broker import open_cache
from dashboard.cube import Cube
from dashboard.lake import Lake
from dashboard.login import open_gate
from dashboard.timerange import resolve
from dashboard.view import View, is_askable, parse, query_string
from tests.dashboard import demo, odd
from tests.dashboard.duck_athena import DuckAthena

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
    from dashboard import cube as cubes

    cube = _cube(odd_lake)
    assert cubes.volume(cube, View()).to_numpy().sum() == cube.columns["counts"]["events"].sum()


@seed(11)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENT, min_size=1, max_size=12))
def test_every_page_opens_over_any_events_and_so_do_the_downloads(events: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory(prefix="odd-") as name:
        folder = Path(name)
        lake = _lake(events, folder)
        gate = open_gate(folder / "state", open_cache(str(folder / "gate")), is_on_loopback=True)
        app = create_app(lake, gate)
        client = app.server.test_client()
        token = lake.load(View(), NEEDS, "me", wait=30).token
        _cube(lake)
        for page in dash.page_registry.values():
            answer = client.get(page["path"])
            assert (answer.status_code, b"first-load" in answer.data) == (200, False) or page["name"] not in KEPT
        for kind in ("csv", "json"):
            answer = client.get(f"/export/events.{kind}?fields=all&token={token}")
            assert answer.status_code == 200, answer.text


KEPT = ("Overview", "Services")
"""The pages that open with what is kept, drawn."""
