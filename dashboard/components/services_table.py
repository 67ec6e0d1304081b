"""The table of services, most changed first."""

import math
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboard.components.plain_table import heading
from dashboard.components.sparkline import sparkline
from dashboard.links import href
from dashboard.theme import Theme
from dashboard.wording import change, count, duration, share

HEADINGS = ("Service", "Events", "", "Error rate", "", "p95", "")


def services_table(table: pd.DataFrame, theme: Theme, query: str = "") -> html.Table:
    """Return one row per service of `cube.by_service`, each leading to the service's page with the same query."""
    head = html.Thead(html.Tr([heading(text, place > 0) for place, text in enumerate(HEADINGS)]))
    rows = [_row(record, theme, query) for record in table.to_dict("records")]
    return html.Table([head, html.Tbody(rows)], className="plain-table")


def _row(record: dict[str, Any], theme: Theme, query: str) -> html.Tr:
    name = str(record["service"])
    link = dcc.Link(name, href=href(f"/services/{name}", query), className="service-link")
    return html.Tr(
        [
            html.Td(link),
            html.Td([count(record["events"]), _delta(record, "events", neutral=True)], className="number"),
            html.Td(sparkline(record["series"], theme.accent, 90, 22, f"events of {name}"), className="spark-cell"),
            html.Td([share(record["error_rate"]), _delta(record, "error_rate")], className="number"),
            html.Td(
                sparkline(record["errors_series"], theme.levels["ERROR"], 90, 22, f"error rate of {name}"),
                className="spark-cell",
            ),
            html.Td([duration(record["p95"]), _delta(record, "p95")], className="number"),
            html.Td(_verdict(record), className="verdict"),
        ]
    )


def _relative(record: dict[str, Any], column: str) -> float | None:
    now, before = record[column], record[f"previous_{column}"]
    if now is None or not before or math.isnan(now) or math.isnan(before):
        return None
    return float(now / before - 1)


def _delta(record: dict[str, Any], column: str, neutral: bool = False) -> html.Span:
    relative = _relative(record, column)
    notable = relative is not None and abs(relative) >= 0.25 and not neutral
    tone = "same" if not notable else "worse" if (relative or 0) > 0 else "better"
    return html.Span(change(relative) if relative is not None else "", className=f"delta {tone}")


def _verdict(record: dict[str, Any]) -> html.Span | str:
    """Return a word for a row that needs a look: errors at least doubled and above 1 %, or p95 at least doubled."""
    errors, p95 = _relative(record, "error_rate"), _relative(record, "p95")
    if (errors or 0) >= 1 and (record["error_rate"] or 0) > 0.01:
        return html.Span("▲ more errors", className="badge-worse")
    return html.Span("▲ slower", className="badge-worse") if (p95 or 0) >= 1 else ""
