"""What the dashboard's tests share: a small lake, an Athena over it, a served application and a browser."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dash import _get_app, _get_paths, _pages
from werkzeug.serving import make_server

from catalog.live_feed import Feed
from dashboard.app import create_app
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.login import Gate, open_gate
from tests.dashboard import demo
from tests.dashboard.duck_athena import DuckAthena

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 120_000
"""How long a page may take to become what a test expects: the machine may be slow and busy with the rest of a suite."""


@dataclass
class Served:
    """A running application: where it is, and the Athena behind it."""

    url: str
    athena: DuckAthena
    lake: Lake
    gate: Gate


@contextmanager
def serving(lake: Lake, gate: Gate, prefix: str = "/", live: Feed | None = None) -> Iterator[str]:
    """Serve an application over a lake; give its address, without the slash at its end.

    Dash keeps its last application and that one's prefix for the process: what it kept before is put back at the end.
    """
    kept = [(place, name, getattr(place, name)) for place, name in _LAST_APPLICATION]
    server = make_server("127.0.0.1", 0, create_app(lake, gate, prefix, live).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix.rstrip('/')}"
    finally:
        server.shutdown()
        for place, name, value in kept:
            setattr(place, name, value)


@contextmanager
def browsing(chromium: Any, **options: Any) -> Iterator[Any]:
    """Give an empty page of a clean browser that waits patiently; a failure tells where it was and what it showed."""
    context = chromium.new_context(viewport={"width": 1440, "height": 860}, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    try:
        yield page
    except BaseException as error:
        error.add_note(f"at {page.url}; complaints: {page.complaints}; shown: {_shown(page)[:1500]!r}")
        raise
    finally:
        context.close()


def _shown(page: Any) -> str:
    return str(page.evaluate("document.body ? document.body.innerText : ''"))


_LAST_APPLICATION = ((_get_app, "APP"), (_get_paths, "CONFIG"), (_pages, "CONFIG"))


@pytest.fixture(scope="session")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.build(tmp_path_factory.mktemp("lake"), demo.now_end(), hours=3, per_second=3.0)


@pytest.fixture
def athena(lake_folder: Path) -> DuckAthena:
    return DuckAthena(lake_folder)


@pytest.fixture
def lake(athena: DuckAthena, tmp_path: Path) -> Lake:
    return Lake(athena, open_cache(str(tmp_path / "cache")), ("DEBUG", "INFO"))


@pytest.fixture(scope="session")
def served(lake_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    athena = DuckAthena(lake_folder)
    cache = open_cache(str(tmp_path_factory.mktemp("served")))
    lake = Lake(athena, cache, ("DEBUG", "INFO"))
    gate = open_gate(tmp_path_factory.mktemp("state"), cache, is_on_loopback=True)
    with serving(lake, gate) as url:
        yield Served(url, athena, lake, gate)


@pytest.fixture(scope="module")  # while Playwright runs, its event loop keeps other tests from running one
def chromium() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no system Chromium at {CHROMIUM}")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()
