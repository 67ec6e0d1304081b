"""Two workers, several viewers, one Athena: what is asked once is executed once, even when workers are killed."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import browsing
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_pages import LOADED, until
from tests.dashboard.workers import Workers, gunicorn

pytestmark = pytest.mark.browser


def _opened(stack: ExitStack, chromium: Any, workers: Workers, path: str, count: int) -> list[Any]:
    pages = [stack.enter_context(browsing(chromium)) for _ in range(count)]
    for page in pages:
        page.goto(workers.url + path, wait_until="commit")
    return pages


def _repeated(athena: DuckAthena) -> list[str]:
    """The rollup's statements that were executed more than once; the open hour's may be, when its count has moved."""
    asked = Counter((found.sql, found.parameters) for found in athena.started if "slot, service" in found.sql)
    return [sql for (sql, _), times in asked.items() if times > 1]


def test_many_viewers_on_two_workers_start_each_query_once_and_a_killed_worker_loses_nothing(
    chromium: Any, lake_folder: Path, tmp_path: Path
) -> None:
    athena = DuckAthena(lake_folder, delay_seconds=2.0)
    with gunicorn(athena, tmp_path) as workers, ExitStack() as stack:
        for page in _opened(stack, chromium, workers, "/?from=now-2h&to=now", 3):
            page.wait_for_selector(LOADED)
        assert athena.started
        assert _repeated(athena) == []
        athena.delay_seconds = 5.0
        before = len(athena.started)
        [page] = _opened(stack, chromium, workers, "/explore?from=now-150m&to=now", 1)
        until_started(page, athena, before)
        workers.kill_workers()
        page.wait_for_selector(LOADED)
        assert _repeated(athena) == []
        until(page, "document.querySelectorAll('[id*=volume] .bars path').length > 0")


def until_started(page: Any, athena: DuckAthena, before: int) -> None:
    """Wait until a new execution is under way."""
    for _ in range(600):
        if len(athena.started) > before:
            return
        page.wait_for_timeout(100)
    raise AssertionError("no execution was started")
