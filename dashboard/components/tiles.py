"""Metric cards: a number, how it differs from the previous period, and its course."""

from dash import html
from markupsafe import Markup

from dashboard.components.sparkline import sparkline
from dashboard.components.still import element
from dashboard.cube import Kpi
from dashboard.theme import Theme
from dashboard.wording import change, count, duration, share

TITLES = {"events": "Events", "errors": "Errors", "error_rate": "Error rate", "p50": "p50", "p95": "p95", "p99": "p99"}
HINTS = {
    "events": "events of the chosen levels and services",
    "errors": "events of level ERROR or CRITICAL, whatever levels are chosen",
    "error_rate": "errors as a share of all events",
    "p50": "half of the responses were faster",
    "p95": "95 of 100 responses were faster",
    "p99": "99 of 100 responses were faster",
}
NOTABLE = 0.1
"""A smaller relative change is not worth a colour."""


def skeleton_tiles() -> list[html.Div]:
    """Return the places of the cards that are not there yet."""
    return [html.Div(className="tile skeleton") for _ in TITLES]


def tile(kpi: Kpi, theme: Theme) -> Markup:
    """Return one card as HTML; its change is worded and marked, never told by colour alone."""
    colour = theme.levels["ERROR"] if kpi.name in ("errors", "error_rate") else theme.accent
    return element(
        "div",
        element("div", TITLES[kpi.name], class_="tile-title"),
        element("div", _value(kpi), class_="tile-value"),
        element(
            "div",
            element("span", change(kpi.change), class_=f"delta {tone(kpi)}"),
            element("span", " vs previous", class_="tile-versus"),
            class_="tile-delta",
        ),
        sparkline(kpi.series, colour),
        class_="tile",
        title=f"{TITLES[kpi.name]}: {HINTS[kpi.name]}; in the period before: {_text(kpi.name, kpi.previous)}",
    )


def tone(kpi: Kpi) -> str:
    """Return `worse`, `better` or `same`; the number of events is neither good nor bad."""
    if kpi.change is None or abs(kpi.change) < NOTABLE or kpi.name == "events":
        return "same"
    return "worse" if kpi.change > 0 else "better"


def _value(kpi: Kpi) -> str:
    return _text(kpi.name, kpi.value)


def _text(name: str, value: float | None) -> str:
    if name == "error_rate":
        return share(value)
    return count(value) if name in ("events", "errors") else duration(value)
