"""The Dash application: `create_app` puts pages, shell and protection around a lake."""

from functools import partial

import dash_bootstrap_components  # noqa: F401  registers its scripts before the first page is served
from dash import Dash, dcc, html, page_container
from flask import Response, jsonify

from catalog.errors import LoglakeError
from catalog.live_feed import Feed
from dashboard import access, audit, compression, exports, login, security, shell, shell_time, shell_views
from dashboard.index import START, Application
from dashboard.lake import Lake
from dashboard.login import Gate
from dashboard.memo import Memo
from dashboard.state import StateFile
from dashboard.statements import Statement

DRAWN = 64
"""Drawings of whole pages that a worker keeps."""


def create_app(lake: Lake, gate: Gate, prefix: str = "/", live: Feed | None = None) -> Dash:
    """Return the application over a lake and its live feed, behind a gate; nothing is asked before a request."""
    app = Application(
        "dashboard",
        use_pages=True,
        title="Loglake",
        update_title="",
        assets_ignore=START,
        suppress_callback_exceptions=True,
        url_base_pathname=None if prefix == "/" else prefix,
        health_endpoint="healthz",
    )
    app.layout = _layout
    app.server.extensions["loglake"] = lake
    app.server.extensions["loglake-live"] = live
    app.server.extensions["loglake-drawn"] = Memo(DRAWN)
    app.server.extensions["loglake-state"] = gate.state
    lake.broker.on_start = partial(_write_down, gate.state)
    shell.register(app)
    shell_time.register(app)
    shell_views.register(app)
    security.protect(app)
    login.install(app.server, gate, prefix)
    exports.install(app.server, prefix)
    compression.install(app.server, gate.cache, prefix)
    _add_routes(app, lake, prefix)
    _take_first_request(app, prefix)
    return app


def _take_first_request(app: Dash, prefix: str) -> None:
    """Let Dash finish its setup, which it does with the first request and does not make the second wait for."""
    app.server.test_client().get(f"{prefix}healthz")


def _layout() -> html.Div:
    return html.Div([dcc.Store(id="shell-theme", data=shell.theme_name()), page_container])


def _add_routes(app: Dash, lake: Lake, prefix: str) -> None:
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
