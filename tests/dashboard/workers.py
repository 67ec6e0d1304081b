"""Real workers over one Athena: gunicorn processes that reach a `DuckAthena` of the test's own process by a socket.

As with AWS, an execution goes on when the worker that started it is killed.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

import psutil

from tests.dashboard.duck_athena import DuckAthena

KEY = b"only for tests"
START_SECONDS = 90


class Link(BaseManager):
    """The socket between a worker and the Athena."""


Link.register("athena")


@contextmanager
def shared(athena: DuckAthena) -> Iterator[int]:
    """Offer an Athena to other processes; give the port."""

    class Host(BaseManager):
        """The side that holds it."""

    Host.register("athena", callable=lambda: athena)
    server = Host(("127.0.0.1", 0), KEY).get_server()
    threading.Thread(target=_serve, args=(server,), daemon=True).start()
    yield int(server.address[1])
    server.stop_event.set()


def _serve(server: Any) -> None:
    try:
        server.serve_forever()
    except SystemExit:
        return


class Workers:
    """A running gunicorn: its address and its processes."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process

    def pids(self) -> list[int]:
        """Return the worker processes there are now."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill_workers(self) -> None:
        """Kill every worker; gunicorn starts others."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def gunicorn(athena: DuckAthena, folder: Path, count: int = 2) -> Iterator[Workers]:
    """Serve the dashboard from `count` workers that share a cache and a state folder."""
    with shared(athena) as link, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "tests.dashboard.workers", str(port), str(link), str(folder), str(count)]
        with (folder / "workers.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parent.parent.parent)
        try:
            _await(f"http://127.0.0.1:{port}/readyz", process, folder / "workers.log")
            yield Workers(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(40)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


def main(port: int, link_port: int, folder: Path, count: int) -> None:
    """Run gunicorn until told to stop."""
    from dashboard.server import serve

    serve(lambda: make_app(link_port, folder), "127.0.0.1", port, count)


def make_app(link_port: int, folder: Path) -> Any:
    """Return one worker's application."""
    from dashboard.app import create_app
    from dashboard.broker import open_cache
    from dashboard.lake import Lake
    from dashboard.login import open_gate

    link = Link(("127.0.0.1", link_port), KEY)
    link.connect()
    cache = open_cache(str(folder / "cache"))
    lake = Lake(link.athena(), cache, ("DEBUG", "INFO"))  # type: ignore[attr-defined]
    return create_app(lake, open_gate(folder / "state", cache, is_on_loopback=True)).server


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
