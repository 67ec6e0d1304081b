"""What the table of rows says of itself: where the rows are from, which are not there, what they would cost."""

from collections.abc import Sequence

from dash import html

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


def rows_banner(view: View, sources: Sources, drop_levels: Sequence[str], found: int | None) -> html.Div | None:
    """Return what must be known of the rows; None when they are simply all there are."""
    dropped = ", ".join(drop_levels)
    if sources.missing_services:
        names = ", ".join(sources.missing_services)
        text = f"Not catalogued yet: {names}. Raw tables appear after the next crawl: run 'loglake crawl'."
        return html.Div(text, className="banner warn")
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
