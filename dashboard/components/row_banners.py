"""What the table of rows says of itself: where the rows are from, which are not there, what they would cost."""

from collections.abc import Sequence

from dash import html

from catalog.athena import remedy
from catalog.names import key_name, table_name
from dashboard.components.panel import message
from dashboard.guard import DearQueryError
from dashboard.rows import MAX_ROWS, Sources
from dashboard.view import View
from dashboard.wording import count

SEARCHED_BY_WORDS = " A pattern is sought there by its words."


def rows_count(found: int | None) -> str:
    """Return how many rows there are, or that more exist than can be scrolled."""
    if found is None:
        return f"first {MAX_ROWS:,} can be scrolled, newest first; narrow the range to see all"
    return f"{count(found)} rows: all of them, newest first"


def rows_banner(
    view: View, sources: Sources, drop_levels: Sequence[str], found: int | None, is_empty: bool = False
) -> html.Div | None:
    """Return what must be known of the rows; None when they are simply all there are.

    `is_empty` says that the range has no events at all, whatever the filters.
    """
    dropped = ", ".join(drop_levels)
    if sources.has_no_logs:
        return message("The table logs does not exist", f"It holds the rows: {remedy('logs')}.")
    if sources.missing_services:
        names = ", ".join(table_name(key_name(service)) for service in sources.missing_services)
        text = (
            f"Raw tables that do not exist yet: {names}. They hold the rows of {dropped}: 'loglake crawl' makes them."
        )
        return html.Div(text, className="banner warn")
    if found == 0 and is_empty:
        return message("No rows", "Nothing at all was logged in this range. Choose another one.")
    if found == 0:
        hint = f" {dropped} rows are not kept in the curated table: choose such a level to read the raw tables."
        nothing = "Nothing in this range passes these filters."
        widen = " Widen the range, or take a filter away."
        return message("No rows", nothing + ("" if view.levels or not dropped else hint) + widen)
    if sources.is_raw:
        text = f"Read from the raw tables, because the curated one leaves {dropped} out: slower, and more bytes."
        return html.Div(text + (SEARCHED_BY_WORDS if "pattern_id" in view.facets else ""), className="banner")
    if not view.levels and dropped:
        text = (
            f"Rows of every level but {dropped}: those are counted above; choose them in Level to read the raw tables."
        )
        return html.Div(text, className="banner")
    return None


def dear_banner(error: DearQueryError) -> html.Div:
    """Return what the rows would cost, and the button to have them all the same."""
    anyway = html.Button("Run it anyway", id={"type": "explore-anyway", "n": 0}, type="button", className="text-button")
    return message("These rows are dear", str(error), *([anyway] if error.can_be_confirmed else []))
