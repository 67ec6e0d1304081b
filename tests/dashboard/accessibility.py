"""Faults that axe-core finds in a page. Dash's own components have two known ones; nothing else is let pass."""

import json
from pathlib import Path
from typing import Any

import axe_playwright_python

DASHS_OWN = {
    "aria-hidden-focus": ".dash-dropdown, .dash-dropdown-wrapper",
    "aria-allowed-attr": ".dash-datepicker, #shell-dates",
}
"""Rule -> where Dash itself breaks it: dcc.Dropdown and dcc.DatePickerRange."""


def faults(page: Any) -> list[tuple[str, Any, str]]:
    """Return each violation: the rule, the element's selector and its text."""
    script = Path(axe_playwright_python.__file__).parent / "axe.min.js"
    page.evaluate(script.read_text(encoding="utf-8") + "; 0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (fault["id"], node["target"], node["html"][:160])
        for fault in found["violations"]
        for node in fault["nodes"]
        if not _is_dashs_own(page, fault["id"], node["target"][0])
    ]


def _is_dashs_own(page: Any, fault: str, target: str) -> bool:
    if fault not in DASHS_OWN:
        return False
    inside = f"document.querySelector({json.dumps(target)})?.closest({json.dumps(DASHS_OWN[fault])})"
    return bool(page.evaluate(f"Boolean({inside})"))
