"""The Dash application: `create_app` puts pages, shell and protection around a lake."""

from functools import partial

import dash_bootstrap_components  # noqa: F401  registers its scripts before the first page is served
from dash import Dash, dcc, html, page_container
from flask import Response, jsonify

from catalog.errors import LoglakeError
from catalog.live_feed import Feed
from dashboard import access, audit, compression, exports, login, security, shell, shell_views
from dashboard.lake import Lake
from dashboard.login import Gate
from dashboard.state import StateFile
from dashboard.statements import Statement

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{%title%}</title>
        {%favicon%}
        {%css%}
        <script src="_theme.js"></script>
    </head>
    <body>
        {%app_entry%}
        <footer>{%config%}{%scripts%}{%renderer%}</footer>
    </body>
</html>
"""
EARLY_THEME = """(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("loglake-theme"); } catch (error) { chosen = null; }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
  document.documentElement.setAttribute("data-ag-theme-mode", dark ? "dark" : "light");
})();
"""


def create_app(lake: Lake, gate: Gate, prefix: str = "/", live: Feed | None = None) -> Dash:
    """Return the application over a lake and its live feed, behind a gate; nothing is asked before a request."""
    app = Dash(
        "dashboard",
        use_pages=True,
        title="Loglake",
        update_title="",
        index_string=INDEX.replace("_theme.js", f"{prefix}_theme.js"),
        suppress_callback_exceptions=True,
        url_base_pathname=None if prefix == "/" else prefix,
        health_endpoint="healthz",
    )
    app.layout = html.Div([dcc.Store(id="shell-theme"), page_container])
    app.server.extensions["loglake"] = lake
    app.server.extensions["loglake-live"] = live
    app.server.extensions["loglake-state"] = gate.state
    lake.broker.on_start = partial(_write_down, gate.state)
    shell.register(app)
    shell_views.register(app)
    security.protect(app)
    login.install(app.server, gate, prefix)
    exports.install(app.server, prefix)
    compression.install(app.server, gate.cache, prefix)
    _add_routes(app, lake, prefix)
    return app


def _add_routes(app: Dash, lake: Lake, prefix: str) -> None:
    @app.server.get(f"{prefix}_theme.js")
    def early_theme() -> Response:
        """Set the theme before anything is painted; a file of its own, so that the policy needs no hash for it."""
        return Response(EARLY_THEME, mimetype="text/javascript", headers={"Cache-Control": "public, max-age=3600"})

    @app.server.get(f"{prefix}readyz")
    def ready() -> tuple[Response, int]:
        """Answer 200 when viewers can be served: the cache is writable. Athena being down is no reason to stop."""
        writable = lake.is_writable()
        return jsonify({"cache": "writable" if writable else "not writable"}), 200 if writable else 503


def _write_down(state: StateFile, statement: Statement, execution_id: str) -> None:
    """Say in the audit log whose request started an execution."""
    try:
        user = access.current().name
    except LoglakeError:
        user = "alerts"
    values = f" {list(statement.parameters)}" if statement.parameters else ""
    audit.record(state, user, "query", f"{execution_id}: {statement.sql}{values}")
