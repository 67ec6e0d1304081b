"""Fixtures that more than one folder uses."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

START_SECONDS = 60
REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: what runs in the background ignores it, and so do its children.

    A command's size is its own terminal's, not the one that a worker of pytest-xdist has in its environment; and no
    command meets a `loglake up` of this machine.
    """
    for name in ("COLUMNS", "LINES", "LOGLAKE_DATA_DIR"):
        os.environ.pop(name, None)
    os.environ["XDG_STATE_HOME"] = str(Path(tempfile.gettempdir()) / f"loglake-tests-{os.getpid()}")
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes: at the end one of two workers would have nothing to do beside them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


class EndpointProcess:
    """`python -m localcloud` on a free port; `client(service)` is a boto3 client of it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> "EndpointProcess":
        """Start it and return once its engines run."""
        (self.data_dir / "endpoint.json").unlink(missing_ok=True)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "endpoint.log").open("ab") as log:
            command = [sys.executable, "-m", "localcloud", "--port", "0", "--data-dir", str(self.data_dir)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        deadline = time.monotonic() + START_SECONDS
        while not (self.data_dir / "endpoint.json").exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        self.url = json.loads((self.data_dir / "endpoint.json").read_text())["url"]
        return self

    def stop(self) -> int:
        """End it with SIGTERM and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it with SIGKILL."""
        return self._end(signal.SIGKILL)

    def log(self) -> str:
        """Return what it has printed so far."""
        return (self.data_dir / "endpoint.log").read_text()

    def client(self, service: str) -> Any:
        """Return a new boto3 client of this endpoint."""
        config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"mode": "standard"}, read_timeout=120)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def environment(self) -> dict[str, str]:
        """Return the environment in which a command talks to this endpoint."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """Yield one endpoint for the whole session; tests share it, so they name their resources after themselves."""
    running = EndpointProcess(tmp_path_factory.mktemp("endpoint")).start()
    yield running
    running.stop()


@pytest.fixture
def own_endpoint(tmp_path: Path) -> Iterator[Callable[[], EndpointProcess]]:
    """Yield a function that starts an endpoint of the test's own, on the test's own data directory, again and again."""
    started: list[EndpointProcess] = []

    def start() -> EndpointProcess:
        started.append(EndpointProcess(tmp_path / "data").start())
        return started[-1]

    yield start
    for running in started:
        if running.process is not None and running.process.poll() is None:
            running.kill()
