import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dashboard.app import create_app
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.login import open_gate

SCRIPT = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js"


def test_a_worker_that_has_just_started_answers_all_that_is_asked_at_once(lake: Lake, tmp_path: Path) -> None:
    gate = open_gate(tmp_path / "state", open_cache(str(tmp_path / "cache")), is_on_loopback=True)
    server = create_app(lake, gate).server
    together = threading.Barrier(8)

    def status(number: int) -> int:
        together.wait(60)
        return server.test_client().get(SCRIPT).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(status, range(8))) == {200}
