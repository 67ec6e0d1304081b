"""A plain table: headings, rows, numbers to the right."""

from collections.abc import Sequence
from typing import Any

from dash import html


def plain_table(headings: Sequence[str], rows: Sequence[html.Tr], first_number: int = 99) -> html.Table:
    """Return a table; headings from the place `first_number` on stand over numbers."""
    cells = [heading(text, place >= first_number) for place, text in enumerate(headings)]
    return html.Table([html.Thead(html.Tr(cells)), html.Tbody(list(rows))], className="plain-table")


def heading(text: str, is_number: bool = False) -> html.Th | html.Td:
    """Return a column's heading; an empty one is a plain cell, for it heads nothing."""
    tone = "number" if is_number else ""
    return html.Th(text, className=tone, scope="col") if text else html.Td(className=tone)


def row(*cells: Any, first_number: int = 99) -> html.Tr:
    """Return a row of texts or components."""
    return html.Tr(
        [html.Td(cell, className="number" if place >= first_number else "") for place, cell in enumerate(cells)]
    )
