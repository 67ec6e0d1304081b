"""The pages as different people see them, under a prefix, in a real browser; and the ways through an incident."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboard import audit
from dashboard.alerts.evaluator import Evaluator
from dashboard.alerts.rules import RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.broker import open_cache
from dashboard.guard import Limits
from dashboard.lake import Lake
from dashboard.login import Gate, open_gate
from tests.dashboard.conftest import Served, serving
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_pages import LOADED, opened, until

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
RULES = """
rules:
  - {name: error-rate, kind: error_rate, threshold: 0.03, window_minutes: 60, min_events: 50, severity: page}
"""


@dataclass
class House:
    """A dashboard under a prefix in which people log in."""

    served: Served
    gate: Gate


@pytest.fixture
def house(lake_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    athena, cache = DuckAthena(lake_folder), open_cache(str(tmp_path_factory.mktemp("house")))
    lake = Lake(athena, cache, ("DEBUG", "INFO"))
    gate = open_gate(tmp_path_factory.mktemp("house-state"), cache, is_on_loopback=True)
    gate.users.add("ada", "admin", (), PASSWORD)
    gate.users.add("max", "viewer", ("payment", "inventory"), PASSWORD)
    with serving(lake, gate, "/logs/") as url:
        yield House(Served(url, athena, lake, gate), gate)


def _log_in(page: Any, house: House, name: str, path: str = "/") -> None:
    page.goto(house.served.url + path)
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click(".login-form button")
    page.wait_for_selector(LOADED, timeout=60_000)


def _log_out(page: Any) -> None:
    page.click("button:has-text('Log out')")
    page.wait_for_selector(".login-form")


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1440, "height": 860})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


def test_two_people_see_each_their_services_and_pages_live_under_a_prefix(house: House, page: Any) -> None:
    _log_in(page, house, "max", "/services?from=now-2h&to=now")
    page.wait_for_selector("#services-table .service-link")
    assert sorted(page.locator("#services-table .service-link").all_inner_texts()) == ["inventory", "payment"]
    page.click(".nav-entry:has-text('Explore')")
    page.wait_for_url("**/logs/explore?**")
    page.wait_for_selector(".ag-row .ag-cell:has-text('ERROR')")
    assert page.locator(".facet-include:has-text('notification')").count() == 0
    assert page.locator("#explore-downloads a").count() == 0
    page.click(".nav-entry:has-text('SQL')")
    page.wait_for_selector(".message-title:has-text('Not for everybody')")
    assert page.complaints == []
    _log_out(page)
    _log_in(page, house, "ada", "/explore?service=notification&from=now-2h&to=now")
    page.wait_for_selector(".ag-row .ag-cell:has-text('notification')")
    page.wait_for_selector("#explore-downloads a")
    people = {line["user"] for line in audit.latest(house.gate.state, 200) if line["action"] == "query"}
    assert people == {"max", "ada"}


def test_view_saved_for_everybody_is_found_by_another_person(house: House, page: Any) -> None:
    _log_in(page, house, "ada", "/explore?level=ERROR&service=payment")
    page.click("#shell-views-menu summary")
    page.fill("#shell-view-name", "payment errors")
    page.check("#shell-view-shared")
    page.click("#shell-view-save")
    page.wait_for_selector(".view-entry:has-text('payment errors')")
    _log_out(page)
    _log_in(page, house, "max")
    page.click("#shell-views-menu summary")
    page.click(".view-entry a:has-text('payment errors')")
    page.wait_for_url("**/logs/explore?level=ERROR&service=payment")


def test_downloads_hold_exactly_the_rows_and_columns_on_screen(served: Served, chromium: Any) -> None:
    with opened(chromium, served, "/explore?from=now-2h&to=now&level=ERROR&service=payment") as page:
        until(page, "document.querySelector('#explore-count').innerText.includes('rows')")
        shown = int(page.locator("#explore-count").inner_text().split(" rows")[0].replace(",", ""))
        with page.expect_download() as csv:
            page.click("#explore-downloads a:text-is('CSV')")
        text = csv.value.path().read_text()
        assert text.count("\n") == shown + 1
        with page.expect_download() as found:
            page.click("#explore-downloads a:has-text('JSON')")
        rows = json.loads(found.value.path().read_text())
        assert len(rows) == shown
        assert {(row["service"], row["level"]) for row in rows} == {("payment", "ERROR")}


def test_link_to_one_event_opens_it_alone(served: Served, chromium: Any) -> None:
    with opened(chromium, served, "/explore?from=now-2h&to=now&level=ERROR&service=payment") as page:
        page.click(".ag-row .ag-cell:has-text('ERROR')")
        page.wait_for_selector(".detail-message")
        message = page.locator(".detail-message").inner_text()
        address = page.locator("a:has-text('Open link to this row')").get_attribute("href")
        with opened(chromium, served, address) as other:
            other.wait_for_selector(".detail-message", timeout=60_000)
            assert other.locator(".detail-message").inner_text() == message
            assert other.locator("#explore-count").inner_text().startswith("1 rows")


def test_dear_rows_are_shown_only_after_asking(served: Served, chromium: Any) -> None:
    limits, served.lake.guard.limits = served.lake.guard.limits, Limits(10, 10**12)
    try:
        with opened(chromium, served, "/explore?from=now-2h&to=now&level=ERROR&service=inventory") as page:
            page.wait_for_selector(".message-title:has-text('These rows are dear')")
            assert page.locator(".ag-row .ag-cell:has-text('ERROR')").count() == 0
            page.click("button:has-text('Run it anyway')")
            page.wait_for_selector(".ag-row .ag-cell:has-text('ERROR')")
    finally:
        served.lake.guard.limits = limits


def test_from_the_alert_to_the_guilty_endpoints_events_in_four_clicks(served: Served, chromium: Any) -> None:
    folder = served.gate.state.folder
    (folder / "alerts.yaml").write_text(RULES)
    Evaluator(served.lake, RuleFile(folder), AlertStore(served.gate.state)).once()
    with opened(chromium, served, "/") as page:
        page.click(".nav-entry:has-text('Alerts')")
        page.wait_for_selector("#alerts-firing td:has-text('of payment')")
        page.click("#alerts-firing tr:has-text('of payment') a:has-text('Service')")
        page.wait_for_selector("#services-endpoints .service-link")
        guilty = page.locator("#services-endpoints .service-link").first
        assert guilty.inner_text() == "/charges"
        guilty.click()
        page.click(".ag-row .ag-cell:has-text('PoolExhausted')")
        page.wait_for_selector(".detail-message:has-text('/charges failed')")
        assert page.complaints == []


def test_an_alert_is_acknowledged_by_name(served: Served, chromium: Any) -> None:
    with opened(chromium, served, "/alerts") as page:
        page.click("#alerts-firing button:has-text('Acknowledge') >> nth=0")
        page.wait_for_selector("#alerts-firing td:has-text('local')")
        assert AlertStore(served.gate.state).open_firings()[-1]["acknowledged_by"] == "local"


def test_rule_is_edited_and_what_will_not_do_is_said(served: Served, chromium: Any) -> None:
    with opened(chromium, served, "/alerts") as page:
        page.click("#alerts-rules button:has-text('Edit')")
        page.fill('[id*=\'"name":"threshold"\']', "7")
        page.click("#alerts-save")
        page.wait_for_selector("#alerts-problem:has-text('must be at most 1; got 7.0')")
        page.fill('[id*=\'"name":"threshold"\']', "0.9")
        page.click("#alerts-save")
        page.wait_for_selector("#alerts-rules td:has-text('90.0 %')")
        assert RuleFile(served.gate.state.folder).read().rules[0].threshold == 0.9
