"""Every page in both themes against axe-core. Dash's own components have two known faults; nothing else is let pass."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import Served
from tests.dashboard.test_pages import PAGES, opened

pytestmark = pytest.mark.browser

DASHS_OWN = {"aria-hidden-focus": "dcc.Dropdown", "aria-allowed-attr": "dcc.DatePickerRange"}
PLACES = {"aria-hidden-focus": ".dash-dropdown", "aria-allowed-attr": "#shell-dates, .dash-datepicker"}


def _axe() -> str:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.origin:
        pytest.skip("axe-playwright-python is not installed: pip install axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_have_no_fault_that_axe_finds(chromium: Any, served: Served, theme: str) -> None:
    axe, faults = _axe(), []
    with opened(chromium, served, "/", theme) as page:
        for path in PAGES:
            page.goto(served.url + path)
            page.wait_for_selector("[data-since]", timeout=60_000)
            page.wait_for_load_state("networkidle")
            page.evaluate(axe + "; 0")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            faults += [
                (path, fault["id"], node["target"], node["html"][:120])
                for fault in found["violations"]
                for node in fault["nodes"]
                if not (fault["id"] in DASHS_OWN and _is_dashs_own(page, fault["id"], node["target"][0]))
            ]
    assert faults == []


def _is_dashs_own(page: Any, fault: str, target: str) -> bool:
    return bool(page.locator(target).first.evaluate(f"node => Boolean(node.closest({PLACES[fault]!r}))"))
