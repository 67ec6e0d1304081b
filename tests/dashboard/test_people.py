"""The pages as different people see them, under a prefix, in a real browser; and the ways through an incident."""

import json
import os
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
from tests.dashboard.conftest import Served, browsing, serving
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_pages import BARS, LOADED, opened, until

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
RULES = """
rules:
  - {name: error-rate, kind: error_rate, threshold: 0.03, window_minutes: 60, min_events: 50, severity: page}
"""


WALK = "LOGLAKE_WALK"
"""Names a folder in which the way through the incident leaves a picture of each of its clicks."""


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
    page.wait_for_selector(LOADED)


def _log_out(page: Any) -> None:
    page.click("button:has-text('Log out')")
    page.wait_for_selector(".login-form")


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    with browsing(chromium) as page:
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        yield page


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
            other.wait_for_selector(".detail-message")
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


@pytest.fixture
def alerted(served: Served, tmp_path: Path) -> Iterator[Served]:
    """The lake's dashboard with alerts of its own, of which those of the incident fire."""
    gate = open_gate(tmp_path / "state", open_cache(str(tmp_path / "cache")), is_on_loopback=True)
    (gate.state.folder / "alerts.yaml").write_text(RULES)
    store = AlertStore(gate.state)
    assert Evaluator(served.lake, RuleFile(gate.state.folder), store).once().error == ""
    assert "payment" in [found["subject"] for found in store.open_firings()]
    with serving(served.lake, gate) as url:
        yield Served(url, served.athena, served.lake, gate)


def test_from_the_alert_to_the_guilty_endpoints_events_in_four_clicks(alerted: Served, chromium: Any) -> None:
    with opened(chromium, alerted, "/") as page:
        page.click(".nav-entry:has-text('Alerts')")
        page.wait_for_selector("#alerts-firing td:has-text('of payment')")
        _keep(page, "walk-1-alerts")
        page.click("#alerts-firing tr:has-text('of payment') a:has-text('Service')")
        page.wait_for_selector("#services-endpoints tr:first-child .service-link:text-is('/charges')")
        _keep(page, "walk-2-service")
        page.click("#services-endpoints tr:first-child .service-link")
        page.wait_for_selector(".ag-row .ag-cell:has-text('PoolExhausted')")
        until(page, f"{BARS} > 0")
        _keep(page, "walk-3-events")
        page.click(".ag-row .ag-cell:has-text('PoolExhausted')")
        page.wait_for_selector(".detail-message:has-text('/charges failed')")
        _keep(page, "walk-4-event")
        assert page.complaints == []


def _keep(page: Any, name: str) -> None:
    """Keep a picture of what a click led to, once it stands still, when someone asked for the pictures."""
    folder = os.environ.get(WALK)
    if folder:
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_an_alert_is_acknowledged_by_name(alerted: Served, chromium: Any) -> None:
    with opened(chromium, alerted, "/alerts") as page:
        page.click("#alerts-firing tr:has-text('of payment') button:has-text('Acknowledge')")
        page.wait_for_selector("#alerts-firing tr:has-text('of payment') td:has-text('local')")
        firings = {
            found["subject"]: found["acknowledged_by"] for found in AlertStore(alerted.gate.state).open_firings()
        }
        assert {subject for subject, by in firings.items() if by == "local"} == {"payment"}


def test_rule_is_edited_and_what_will_not_do_is_said(alerted: Served, chromium: Any) -> None:
    with opened(chromium, alerted, "/alerts") as page:
        page.click("#alerts-rules button:has-text('Edit')")
        page.fill('[id*=\'"name":"threshold"\']', "7")
        page.click("#alerts-save")
        page.wait_for_selector("#alerts-problem:has-text('must be at most 1; got 7.0')")
        page.fill('[id*=\'"name":"threshold"\']', "0.9")
        page.click("#alerts-save")
        page.wait_for_selector("#alerts-rules td:has-text('90.0 %')")
        assert RuleFile(alerted.gate.state.folder).read().rules[0].threshold == 0.9
