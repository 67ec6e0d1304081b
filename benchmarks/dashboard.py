"""The dashboard under 50 viewers on two workers, and what one cold browser sees; exits 1 when a budget is missed.

Everything is real but AWS: gunicorn, the broker's cache, and an Athena that answers from Parquet through DuckDB in a
process of its own. A browser loads the page once; what it posts is then replayed by 50 viewers at the same time.
"""

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.dashboard import demo
from tests.dashboard.conftest import CHROMIUM, FLAGS
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.workers import gunicorn

VIEWERS, ROUNDS, THINK_SECONDS = 50, 4, 10.0
"""Each viewer acts once in `THINK_SECONDS`: fifty people looking, not fifty machines hammering."""
BUDGETS = {"p95_seconds": 1.0, "repeated": 0, "first_paint_ms": 400, "first_chart_ms": 1500, "transfer_mb": 1.8}
PATH = "/?from=now-2h&to=now"
BARS = "document.querySelectorAll('[id*=volume] .bars path').length > 20"
UPDATE = "/_dash-update-component"


@dataclass
class Tally:
    """What the viewers measured."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


def cold_browser(url: str) -> tuple[dict[str, float], list[str]]:
    """Load the page in a clean browser with the cube already kept; return its figures and what it posted."""
    posted: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        _load(browser, url)  # the lake is asked, so that the second browser finds a kept cube
        page = browser.new_context(viewport={"width": 1440, "height": 860}).new_page()
        page.on("request", lambda asked: UPDATE in asked.url and posted.append(asked.post_data or ""))
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        chart_ms = _load(browser, url, page)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return {"first_paint_ms": paint, "first_chart_ms": chart_ms, "transfer_mb": sum(sizes) / 10**6}, posted


def _load(browser: Any, url: str, page: Any = None) -> float:
    page = page or browser.new_context().new_page()
    began = time.monotonic()
    page.goto(url + PATH, wait_until="commit")
    while not page.evaluate(BARS):
        page.wait_for_timeout(20)
        assert time.monotonic() - began < 120, "no chart within two minutes"
    return (time.monotonic() - began) * 1000


def view(url: str, bodies: list[str], tally: Tally, number: int) -> None:
    """Be one viewer: post what the page posts, in turn, over one connection, with pauses for thought."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    headers = {"Content-Type": "application/json", "Origin": url, "Accept-Encoding": "gzip"}
    time.sleep(THINK_SECONDS * number / VIEWERS)
    for turn in range(ROUNDS):
        body = bodies[(number + turn) % len(bodies)]
        began = time.monotonic()
        connection.request("POST", UPDATE, body, headers)
        answer = connection.getresponse()
        answer.read()
        tally.seconds.append(time.monotonic() - began)
        tally.refused += answer.status not in (200, 204)
        time.sleep(max(0.0, THINK_SECONDS - (time.monotonic() - began)))


def many_viewers(url: str, bodies: list[str]) -> Tally:
    """Let all viewers look at once."""
    tally = Tally()
    threads = [threading.Thread(target=view, args=(url, bodies, tally, number)) for number in range(VIEWERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def main() -> int:
    """Measure, print, and say whether the budgets hold."""
    with tempfile.TemporaryDirectory() as folder:
        lake = demo.build(Path(folder) / "lake", demo.now_end(), hours=6)
        athena = DuckAthena(lake, delay_seconds=0.5)
        with gunicorn(athena, Path(folder)) as workers:
            figures, posted = cold_browser(workers.url)
            bodies = [body for body in posted if "shell-answer" in body]
            tally = many_viewers(workers.url, bodies)
        asked = Counter((found.sql, found.parameters) for found in athena.started if "slot, service" in found.sql)
    figures |= {
        "p50_seconds": statistics.median(tally.seconds),
        "p95_seconds": statistics.quantiles(tally.seconds, n=20)[-1],
        "repeated": sum(times - 1 for times in asked.values()),
    }
    met = {name: figures[name] <= budget for name, budget in BUDGETS.items()}
    for name, value in figures.items():
        budget = f"  budget {BUDGETS[name]:g}{'' if met[name] else '  MISSED'}" if name in BUDGETS else ""
        print(f"{name:<16}{value:>10.3f}{budget}")
    print(f"{len(tally.seconds)} requests of {VIEWERS} viewers, {tally.refused} refused")
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"benchmark": "dashboard", **rounded, "refused": tally.refused, "met": all(met.values())}))
    return 0 if all(met.values()) and not tally.refused else 1


if __name__ == "__main__":
    sys.exit(main())
