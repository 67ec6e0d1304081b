"""Logs of other software through the whole chain: shipped, curated, shown on every page, judged unwatched, verified."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import browsing, chromium
from tests.dashboard.test_pages import LOADED, PAGES, until
from tests.foreign.fresh import write_fresh
from tests.foreign.samples import SAMPLES, Sample
from tests.laptop import Laptop, running_laptop, wait_for

pytestmark = [pytest.mark.local, pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]

__all__ = ["chromium"]

SKELETONS = "document.querySelectorAll('.skeleton-block, .first-load').length"
DRAWN = "[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.js-plotly-plot')?.layout)"
"""Whether every chart is drawn, be it only to say that there is nothing of its kind."""
FAILED = ".message-title:has-text('could not be'), .message-title:has-text('did not answer')"
COUNTS = "SELECT service, level, sum(event_count) AS events FROM log_minutes GROUP BY 1, 2"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A stack whose own producer hardly sends, to which every sample was shipped, and which has curated them."""
    folder = tmp_path_factory.mktemp("foreign")
    with running_laptop(folder / "data", "--rate", "5", "--backfill-days", "0") as stack:
        for sample in SAMPLES:
            ship(stack, sample, folder)
        wait_for(lambda: {sample.service for sample in SAMPLES} <= set(counted(stack)), 240)
        yield stack


def ship(stack: Laptop, sample: Sample, folder: Path) -> None:
    """Ship a sample as a user would, without a mapping: what is no event is told, all else arrives."""
    path = write_fresh(sample.path, folder, datetime.now(UTC))
    spool = folder / "spool" / sample.service
    flags = ("--spool", str(spool), "--ledger", str(stack.data_dir / "ledger"), "--json")
    done = stack.loglake("produce", "--to", "kinesis", "--from", str(path), *flags)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["acknowledged"] == sample.events, sample.name
    assert (str(spool / "unparsable.jsonl") in done.stderr) == bool(sample.unparsable), done.stderr


def counted(stack: Laptop) -> dict[str, Counter[str]]:
    """Return the events that the rollup counts, by service and level."""
    found: dict[str, Counter[str]] = {}
    for row in stack.rows(COUNTS):
        found.setdefault(row["service"], Counter())[row["level"]] += row["events"]
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_event_of_a_sample_is_counted_by_its_level(laptop: Laptop, sample: Sample) -> None:
    wait_for(lambda: counted(laptop)[sample.service].total() >= sample.events, 120)
    assert counted(laptop)[sample.service] == sample.levels


@pytest.mark.browser
@pytest.mark.parametrize("path", [*PAGES, *(f"/services/{sample.service}" for sample in SAMPLES)])
def test_a_page_shows_them_whole(laptop: Laptop, chromium: Any, path: str) -> None:
    with browsing(chromium) as page:
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        page.goto(f"http://127.0.0.1:{laptop.port}{path}")
        page.wait_for_selector(LOADED)
        page.wait_for_load_state("networkidle")
        until(page, f"{SKELETONS} === 0 && {DRAWN}")
        assert page.complaints == []
        assert page.locator(FAILED).count() == 0


@pytest.mark.browser
def test_rows_of_each_service_are_one_link_away(laptop: Laptop, chromium: Any) -> None:
    for sample in SAMPLES:
        shown = sum(events for level, events in sample.levels.items() if level not in ("DEBUG", "INFO"))
        with browsing(chromium) as page:
            page.goto(f"http://127.0.0.1:{laptop.port}/explore?from=now-6h&to=now&service={sample.service}")
            until(page, f"document.querySelector('#explore-count')?.innerText.startsWith('{shown} rows')")


def test_alerts_were_judged_with_nobody_watching_and_files_shipped_once_page_nobody(laptop: Laptop) -> None:
    def listed(*flags: str) -> str:
        answer = laptop.loglake("alerts", "list", *flags)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def is_judged() -> bool:
        lines = listed().split("\n")
        unknown = [line for line in lines if line.startswith("unknown since") and "error-rate" in line]
        return not unknown and any(line.startswith("evaluated ") for line in lines)

    wait_for(is_judged, 240)
    services = {sample.service for sample in SAMPLES}
    assert [one for one in json.loads(listed("--json")) if one["subject"] in services] == []


def test_verify_finds_nothing_lost_and_nothing_doubled(laptop: Laptop) -> None:
    answer = laptop.loglake("verify", "--wait", "300", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    verdict = json.loads(answer.stdout)
    assert (verdict["ok"], verdict["unledgered"]) == (True, [])
