"""The table of services, most changed first."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from dashboard.components.plain_table import heading
from dashboard.components.sparkline import sparkline
from dashboard.components.still import element, written
from dashboard.links import href
from dashboard.theme import Theme
from dashboard.wording import change, count, duration, share

HEADINGS = ("Service", "Events", "", "Error rate", "", "p95", "")


def services_table(records: Sequence[Mapping[str, Any]], theme: Theme, query: str = "") -> Markup:
    """Return one row per service of `rankings.by_service` as HTML, each leading to the service's page, same query."""
    headings = [written(heading(text, place > 0)) for place, text in enumerate(HEADINGS)]
    head = element("thead", element("tr", Markup("".join(headings))))
    rows = [_row(record, theme, query) for record in records]
    return element("table", head, element("tbody", *rows), class_="plain-table")


def _row(record: Mapping[str, Any], theme: Theme, query: str) -> Markup:
    name = str(record["service"])
    events = sparkline(record["series"], theme.accent, 90, 22, f"events of {name}")
    errors = sparkline(record["errors_series"], theme.levels["ERROR"], 90, 22, f"error rate of {name}")
    return element(
        "tr",
        element("td", element("a", name, href=href(f"/services/{quote(name, safe='')}", query), class_="service-link")),
        element("td", count(record["events"]), _delta(record, "events", neutral=True), class_="number"),
        element("td", events, class_="spark-cell"),
        element("td", share(record["error_rate"]), _delta(record, "error_rate"), class_="number"),
        element("td", errors, class_="spark-cell"),
        element("td", duration(record["p95"]), _delta(record, "p95"), class_="number"),
        element("td", _verdict(record), class_="verdict"),
    )


def _relative(record: Mapping[str, Any], column: str) -> float | None:
    now, before = record[column], record[f"previous_{column}"]
    if now is None or not before or math.isnan(now) or math.isnan(before):
        return None
    return float(now / before - 1)


def _delta(record: Mapping[str, Any], column: str, neutral: bool = False) -> Markup:
    relative = _relative(record, column)
    notable = relative is not None and abs(relative) >= 0.25 and not neutral
    tone = "same" if not notable else "worse" if (relative or 0) > 0 else "better"
    return element("span", change(relative) if relative is not None else "", class_=f"delta {tone}")


def _verdict(record: Mapping[str, Any]) -> Markup:
    """Return a word for a row that needs a look: errors at least doubled and above 1 %, or p95 at least doubled."""
    errors, p95 = _relative(record, "error_rate"), _relative(record, "p95")
    if (errors or 0) >= 1 and (record["error_rate"] or 0) > 0.01:
        return element("span", "▲ more errors", class_="badge-worse")
    return element("span", "▲ slower", class_="badge-worse") if (p95 or 0) >= 1 else Markup("")
