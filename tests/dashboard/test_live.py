"""The live page in a real browser, over a live table in memory, written by the consumer's own store."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from catalog import live
from catalog.live_feed import Feed, matches
from catalog.masking import Masking
from consumer.records import Record
from consumer.shard import Shard, Stored
from consumer.store import Store
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.live.ticks import NOBODY, _row, chosen, narrowed
from dashboard.login import open_gate
from dashboard.view import View
from tests.consumer.conftest import encoded, event
from tests.consumer.memory_table import MemoryTable
from tests.dashboard.conftest import Served, serving
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_pages import opened, until

SCROLL = "document.querySelector('#live-grid .ag-body-viewport').scrollTop"
ROWS = "document.querySelectorAll('#live-grid .ag-center-cols-container .ag-row').length"


class Writer:
    """The consumer's part: writes events as one shard."""

    def __init__(self, table: MemoryTable) -> None:
        self.store = Store(table, "t", print, lambda seconds: False)
        self.shard = Shard("shardId-0", Stored(live.Head("shardId-0")), Masking(), time.time())
        self.number = 0
        self.lock = threading.Lock()

    def write(self, *datas: bytes, chunks: int = 1) -> None:
        with self.lock:
            for _ in range(chunks):
                now = time.time()
                records = [Record(str(self.number + n + 1), int(now * 1000), data) for n, data in enumerate(datas)]
                self.number += len(datas)
                self.shard.add(records)
                self.shard.read_until(now)
                self.store.write(self.shard)


@pytest.fixture
def writer_and_page(lake_folder: Any, tmp_path: Any) -> Iterator[tuple[Writer, Served]]:
    table, athena, cache = MemoryTable(), DuckAthena(lake_folder), open_cache(str(tmp_path / "cache"))
    lake = Lake(athena, cache, ("DEBUG", "INFO"))
    gate = open_gate(tmp_path / "state", cache, is_on_loopback=True)
    with serving(lake, gate, live=Feed(table, "t")) as url:
        yield Writer(table), Served(url, athena, lake, gate)


def test_person_of_one_service_sees_no_other() -> None:
    assert narrowed(View(), ("payment",)).services == ("payment",)
    assert narrowed(View(services=("payment", "inventory")), ("payment",)).services == ("payment",)
    assert narrowed(View(services=("inventory",)), ("payment",)).services == (NOBODY,)
    assert narrowed(View(services=("inventory",)), ()).services == ("inventory",)


@pytest.mark.browser
def test_tail_shows_filters_pauses_and_goes_on(chromium: Any, writer_and_page: tuple[Writer, Served]) -> None:
    writer, served = writer_and_page
    writer.write(encoded(message="first line"), encoded(message="a failure", level="ERROR", status_code=500))
    with opened(chromium, served, "/live") as page:
        until(page, f"{ROWS} == 2")
        writer.write(encoded(message="<b>second</b> line"))
        until(page, "document.querySelector('#live-grid').innerText.includes('<b>second</b> line')")
        page.click("#live-pause")
        until(page, "document.querySelector('#live-pause').innerText == 'Resume'")
        writer.write(*[encoded(n, message=f"held {n}") for n in range(7)])
        until(page, "document.querySelector('#live-state').innerText.includes('paused, 7 waiting')")
        assert page.evaluate(ROWS) == 3
        page.click("#live-pause")
        until(page, f"{ROWS} == 10")
        page.click("#shell-level")
        page.click(".dash-dropdown-option:has-text('ERROR')")
        until(page, f"{ROWS} == 1")
        assert "level=ERROR" in page.url
        assert page.complaints == []


@pytest.mark.browser
def test_overrun_ring_is_a_row_and_scrolling_away_pauses(chromium: Any, writer_and_page: tuple[Writer, Served]) -> None:
    writer, served = writer_and_page
    writer.write(*[encoded(n) for n in range(100)])
    with opened(chromium, served, "/live") as page:
        until(page, f"{ROWS} > 5")
        until(page, f"({SCROLL} = 400, document.querySelector('#live-pause').innerText == 'Resume')")
        writer.write(encoded(message="while away"), chunks=live.RING_CHUNKS + 30)
        until(page, f"({SCROLL} = 0, document.querySelector('#live-pause').innerText == 'Pause')")
        until(page, "document.querySelector('#live-grid').innerText.includes('while away')")
        gap = (
            "dash_ag_grid.getApi('live-grid').forEachNode(node => { if (node.data.gap) found.push(node.data.message) })"
        )
        until(page, f"(() => {{ const found = []; {gap}; return found.some(text => text.includes('skipped')) }})()")


@pytest.mark.browser
def test_silence_and_a_missing_consumer_are_states(chromium: Any, writer_and_page: tuple[Writer, Served]) -> None:
    writer, served = writer_and_page
    with opened(chromium, served, "/live") as page:
        until(page, "document.querySelector('#live-state').innerText.includes('No consumer')")
        writer.write(encoded())
        until(page, "document.querySelector('#live-state').innerText.includes('Live')")
        writer.shard.last_event_at -= 40
        writer.write()
        until(page, "document.querySelector('#live-state').innerText.includes('Silent')")
        until(page, "document.querySelector('#live-state').innerText.includes('Stopped')")


@pytest.mark.browser
def test_freeze_opens_explore_on_what_was_shown(chromium: Any, writer_and_page: tuple[Writer, Served]) -> None:
    writer, served = writer_and_page
    writer.write(encoded(level="ERROR"))
    with opened(chromium, served, "/live?level=ERROR") as page:
        until(page, f"{ROWS} == 1")
        page.click("#live-freeze")
        page.wait_for_url("**/explore?**")
        assert "level=ERROR" in page.url
        assert "from=20" in page.url


def test_choosing_rows_keeps_errors_and_an_even_part_of_the_rest() -> None:
    events = [event(n, level="ERROR" if n % 50 == 0 else "INFO") for n in range(1000)]
    shown = chosen(events, 100)
    assert 90 <= len(shown) <= 100
    assert sum(each["level"] == "ERROR" for each in shown) == 20
    assert [events.index(each) for each in shown] == sorted(events.index(each) for each in shown)


def test_odd_events_are_rows_of_the_tail_and_answer_to_its_filters() -> None:
    lacking = dict.fromkeys(live.FIELDS) | {"arrived_ms": 1}
    row = _row(lacking, "UTC")
    assert (row["level"], row["service"], row["message"], row["time"]) == ("(none)", "(none)", "(none)", "–")
    assert matches(lacking, ("(none)",), ("OTHER",), "")
    assert not matches(lacking, ("payment",), (), "")
    assert not matches(lacking, (), ("ERROR",), "none")
    assert chosen([lacking], 1) == [lacking]
    assert _row(lacking | {"timestamp": "soon", "response_time_ms": 1e300}, "UTC")["took"] == "> 100 years"
