"""Live: the events as they arrive. The page waits for the stream's consumer, `dashboard.live.LiveSource`."""

from typing import Any

import dash
from dash import html

from dashboard import shell
from dashboard.components.panel import message, panel

dash.register_page(__name__, path="/live", name="Live", title="Live · Loglake", order=2, icon="▸")


def layout(**query: Any) -> html.Div:
    text = (
        "The live tail reads what the stream's consumer keeps, and no consumer runs here. "
        "Overview and Explore show the same events a minute or two later, once they are curated."
    )
    return shell.frame(query, "Live", [panel("Live tail", message("Not connected to the stream", text))], ("counts",))
