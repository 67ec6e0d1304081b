"""Links between pages, right under any prefix that the dashboard is served under."""

import dash


def href(path: str, query: str = "") -> str:
    """Return the address of a page, `/explore`, with a query."""
    address: str = dash.get_relative_path(path)
    return f"{address}?{query}" if query else address
