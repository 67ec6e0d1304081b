"""The pictures in the docs: `python -m tests.dashboard.pictures docs/images` takes every page's anew.

Each page over the demo lake with its incident, in light and dark at 1440 pixels and at 390; Live over a live table
into which the producer's events are written meanwhile.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from playwright.sync_api import sync_playwright

from catalog.live_feed import Feed
from dashboard.alerts.evaluator import Evaluator
from dashboard.alerts.rules import RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.login import open_gate
from tests.consumer.memory_table import MemoryTable
from tests.dashboard import demo
from tests.dashboard.conftest import CHROMIUM, FLAGS, serving
from tests.dashboard.duck_athena import DuckAthena
from tests.dashboard.test_live import Writer
from tests.dashboard.test_pages import LOADED
from tests.dashboard.test_people import RULES

PAGES = ("overview", "explore", "live", "services", "patterns", "alerts", "pipeline", "sql")
LOOKS = (("light", "light", 1440, 860), ("dark", "dark", 1440, 860), ("390", "light", 390, 844))
QUIET_MS = 6000
"""From the page's answer to its last chart, and for Live to some rows."""
PRODUCER = [sys.executable, "loglake.py", "produce", "--to", "stdout", "--rate", "40", "--duration", "10m"]


def main() -> int:
    """Take every picture."""
    parser = argparse.ArgumentParser(prog="python -m tests.dashboard.pictures")
    parser.add_argument("folder", type=Path, help="where the pictures go: docs/images")
    folder = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"folder must be a folder that exists; got {folder}")
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name in PAGES:
            for word, theme, width, height in LOOKS:
                page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme).new_page()
                page.goto(f"{url}/{'' if name == 'overview' else name}?from=now-2h&to=now")
                page.wait_for_selector(LOADED)
                if name == "sql":
                    page.click("#sql-run")
                page.wait_for_timeout(QUIET_MS)
                page.screenshot(path=folder / f"{name}-{word}.png")
                page.close()
                print(folder / f"{name}-{word}.png")
        browser.close()
    return 0


@contextmanager
def served() -> Iterator[str]:
    """Serve the demo lake, with alerts that fire and a stream that flows; give its address."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        root = Path(name)
        table, cache = MemoryTable(), open_cache(str(root / "cache"))
        lake = Lake(DuckAthena(demo.build(root / "lake", demo.now_end(), hours=6)), cache, ("DEBUG", "INFO"))
        gate = open_gate(root / "state", cache, is_on_loopback=True)
        (gate.state.folder / "alerts.yaml").write_text(RULES)
        Evaluator(lake, RuleFile(gate.state.folder), AlertStore(gate.state)).once()
        with subprocess.Popen(PRODUCER, stdout=subprocess.PIPE) as producer:
            writing = threading.Thread(target=_write, args=(producer, Writer(table)))
            writing.start()
            try:
                with serving(lake, gate, live=Feed(table, "t")) as url:
                    yield url
            finally:
                producer.terminate()
                writing.join()


def _write(producer: "subprocess.Popen[bytes]", writer: Writer) -> None:
    while producer.stdout and (lines := list(islice(producer.stdout, 20))):
        writer.write(*lines)


if __name__ == "__main__":
    sys.exit(main())
