"""The first answer to a browser: what it needs to paint, and the scripts in an order and number of ours, not Dash's.

Dash sends every script of every component package, in the way of the first paint. Here the browser paints first;
`assets/start.js` then runs the scripts from a template. Left out are Dash's polyfill, which no browser of this decade
needs but for one function (`assets/regenerator-runtime.js`), its old table, and the grid, which `assets/grid.js` loads
on the pages that have one. Chunks that every page asks for a moment later come with the rest.
"""

import re
from pathlib import Path
from typing import Any

from dash import Dash
from dash._pages import _parse_query_string, _path_to_page
from flask import request
from markupsafe import Markup

from dashboard.first_paint import first_paint

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {metas}
        <title>{title}</title>
        <script src="{start}"></script>
        {css}
        {soon}
        {favicon}
    </head>
    <body{shown}>
        {first}
        {app_entry}
        <footer>{config}<template id="scripts" data-grid="{grid}">{scripts}{renderer}</template></footer>
    </body>
</html>
"""
PICTURE = Markup('<div id="first-paint" aria-busy="true">{}</div>')
PRELOAD = Markup('<link rel="preload" as="script" href="{}">')
SCRIPT = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)
NOT_SENT = ("/deps/polyfill@", "/dash/dash_table/", "/dash_ag_grid/", "/assets/regenerator-runtime.js")
GRID = re.compile(r'src="([^"]*/dash_ag_grid/[^"]*)"')
CHUNKS = ("async-graph.js", "async-dropdown.js", "async-datepicker.js")
COMMUNITY = "dash_ag_grid/async-community.js"
START = "start.js"


class Application(Dash):
    """A Dash whose index paints before it runs."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # Dash calls it by name
        """Return the page's HTML from Dash's parts."""
        scripts = SCRIPT.findall(parts["scripts"])
        found = GRID.search(parts["scripts"])
        first = self._first_paint()
        soon = (found[1], self._suite(COMMUNITY)) if found and 'class="ag-place' in first else ()
        return INDEX.format(
            **{**parts, "scripts": "\n".join(self._ordered(scripts))},
            start=self._asset(START),
            grid=found[1] if found else "",
            soon=Markup("").join(PRELOAD.format(address) for address in soon),
            shown=Markup(' class="first"') if first else "",
            first=PICTURE.format(first) if first else "",
        )

    def _first_paint(self) -> Markup:
        """Return the requested page as it opens; nothing for a path without a page."""
        page, variables = _path_to_page(self.strip_relative_path(request.path) or "")
        if not page:
            return Markup("")
        return first_paint(
            page["layout"](**{**(variables or {}), **_parse_query_string(f"?{request.query_string.decode()}")})
        )

    def _ordered(self, scripts: list[str]) -> list[str]:
        runtime = f'<script src="{self._asset("regenerator-runtime.js")}"></script>'
        chunks = [f'<script src="{self._suite(f"dash/dcc/{name}")}"></script>' for name in CHUNKS]
        sent = [script for script in scripts if not any(part in script for part in NOT_SENT)]
        return [runtime, *sent, *chunks]

    def _suite(self, path: str) -> str:
        return f"{self.config.requests_pathname_prefix}_dash-component-suites/{path}"

    def _asset(self, name: str) -> str:
        modified = (Path(self.config.assets_folder) / name).stat().st_mtime
        return f"{self.get_asset_url(name)}?m={modified}"
