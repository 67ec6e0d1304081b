"""The pipeline page while Athena is down: what the other services know is there, the rest says why it is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import QueryError
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.login import open_gate
from dashboard.statements import Statement
from tests.dashboard.conftest import Served, browsing, serving
from tests.dashboard.duck_athena import DuckAthena

WHY = "Service Unavailable (Athena is down on purpose)"


class DownAthena(DuckAthena):
    """Refuses every execution; Glue, S3 and the streams answer."""

    def start(self, statement: Statement, token: str) -> str:
        raise QueryError(WHY)


@pytest.fixture
def without_athena(lake_folder: Path, tmp_path: Path) -> Iterator[Served]:
    athena, cache = DownAthena(lake_folder), open_cache(str(tmp_path / "cache"))
    lake = Lake(athena, cache, ("DEBUG", "INFO"))
    gate = open_gate(tmp_path / "state", cache, is_on_loopback=True)
    with serving(lake, gate) as url:
        yield Served(url, athena, lake, gate)


@pytest.mark.browser
def test_pipeline_shows_what_it_can_know_while_athena_is_down(chromium: Any, without_athena: Served) -> None:
    with browsing(chromium) as page:
        page.on("response", lambda got: got.status >= 400 and page.complaints.append(f"{got.status} {got.url}"))
        page.goto(f"{without_athena.url}/pipeline")
        page.wait_for_selector("#pipeline-stages td:has-text('Kinesis stream')")
        page.wait_for_selector("#pipeline-strip .strip-row:has-text('log_minutes') .strip-day.present")
        page.wait_for_selector("#pipeline-drift .message-title, #pipeline-drift td")
        page.wait_for_selector("#pipeline-files td:has-text('log_minutes')")
        page.wait_for_selector("#pipeline-undelivered td:has-text('not JSON')")
        page.wait_for_selector("#pipeline-cost tr:has-text('Glue')")
        page.wait_for_selector("#pipeline-queries tr:has-text('Failed')")
        page.wait_for_selector(f".status:has-text('{WHY}')")
        assert "how far the data reaches is not known" in page.inner_text(".status")
        for place in ("#pipeline-runs", "#pipeline-rejects"):
            page.wait_for_selector(f"{place} .message-title:has-text('Athena did not answer')")
            assert WHY in page.inner_text(f"{place} .message-text")
        assert page.complaints == []
