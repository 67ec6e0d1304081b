"""The table of message patterns: how often, how that changed, where, and the ways on."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboard.components.plain_table import heading
from dashboard.components.sparkline import sparkline
from dashboard.components.still import press
from dashboard.links import href
from dashboard.patterns import OTHER
from dashboard.theme import Theme, level_colour
from dashboard.view import View, query_string
from dashboard.wording import change, clock, count, from_epoch

HEADINGS = ("Events", "", "Pattern", "", "Level", "Services", "First, last", "")
WORDS = {"new": "▲ new", "rising": "▲ rising", "falling": "▼ falling", "gone": "gone"}
MAX_SERVICES = 3


def patterns_table(records: Sequence[dict[str, Any]], view: View, theme: Theme) -> html.Table:
    """Return one row per pattern of `rankings.by_pattern`, each with its examples and its events in Explore."""
    head = html.Thead(html.Tr([heading(text, text == "Events") for text in HEADINGS]))
    return html.Table([head, html.Tbody([_row(record, view, theme) for record in records])], className="plain-table")


def target(record: dict[str, Any], view: View) -> str:
    """Return the query of Explore for a pattern's events: its id, its level and its services, in the same range."""
    facets = {"pattern_id": (record["pattern_id"],)}
    services = view.services or record["services"][:1] if len(record["services"]) == 1 else view.services
    return query_string(View(view.time_range, (record["level"],), tuple(services), zone=view.zone, facets=facets))


def _row(record: dict[str, Any], view: View, theme: Theme) -> html.Tr:
    word = record["verdict"]
    badge = (
        html.Span(WORDS[word], className="badge-worse" if word in ("new", "rising") else "badge-calm") if word else ""
    )
    previous = record["previous_events"]
    relative = record["events"] / previous - 1 if previous else None
    services = ", ".join(record["services"][:MAX_SERVICES])
    more = len(record["services"]) - MAX_SERVICES
    return html.Tr(
        [
            html.Td(count(record["events"]), className="number"),
            html.Td(html.Span(change(relative) if previous else "", className="delta same"), className="number"),
            html.Td([badge, " " if word else "", record["pattern"]], className="pattern-text mono"),
            html.Td(
                sparkline(record["series"], level_colour(theme, record["level"]), 90, 22, "events of this pattern"),
                className="spark-cell",
            ),
            html.Td(html.Span(record["level"], className=f"level-badge edge-{record['level'].lower()}")),
            html.Td(services + (f" and {more} more" if more > 0 else "")),
            html.Td(_span(record, view.zone), className="nowrap"),
            html.Td(_ways(record, view), className="nowrap"),
        ]
    )


def _ways(record: dict[str, Any], view: View) -> Any:
    if record["pattern"] == OTHER or not record["events"]:
        return ""
    chosen = {"id": record["pattern_id"], "level": record["level"]}
    examples = press("Examples", "patterns-chosen", chosen, className="text-button small")
    return [
        examples,
        " ",
        dcc.Link("Explore", href=href("/explore", target(record, view)), className="text-button small"),
    ]


def _span(record: dict[str, Any], zone: str) -> str:
    if not record["events"]:
        return "–"
    return " – ".join(clock(from_epoch(record[name]), zone)[:5] for name in ("first_slot", "last_slot"))
