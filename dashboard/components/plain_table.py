"""A plain table: headings, rows, numbers to the right."""

from collections.abc import Sequence
from typing import Any

from dash import html


def plain_table(headings: Sequence[str], rows: Sequence[html.Tr], first_number: int = 99) -> html.Table:
    """Return a table; headings from the place `first_number` on stand over numbers."""
    cells = [
        html.Th(text, className="number" if place >= first_number else "", scope="col")
        for place, text in enumerate(headings)
    ]
    return html.Table([html.Thead(html.Tr(cells)), html.Tbody(list(rows))], className="plain-table")


def row(*cells: Any, first_number: int = 99) -> html.Tr:
    """Return a row of texts or components."""
    return html.Tr(
        [html.Td(cell, className="number" if place >= first_number else "") for place, cell in enumerate(cells)]
    )
