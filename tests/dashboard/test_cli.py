"""`loglake dashboard` as a process: what it leaves for others to find."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard.server import reached_at
from dashboard.state import DEFAULT_ADDRESS, Address
from tests.conftest import REPOSITORY

START_SECONDS = 60
SETTINGS = {
    "LOGLAKE_REGION": "us-east-1",
    "LOGLAKE_DATABASE": "app_logs_db",
    "LOGLAKE_WORK_GROUP": "loglake",
    "LOGLAKE_LAKE_BUCKET": "lake",
    "LOGLAKE_DROP_LEVELS": "",
    "LOGLAKE_SCAN_CUTOFF_BYTES": "1000000000",
    "LOGLAKE_LIVE_TABLE": "",
}


@pytest.mark.parametrize("options", [(), ("--address", "https://logs.example.com/")])
def test_dashboard_leaves_the_address_that_it_is_reached_at(tmp_path: Path, options: tuple[str, ...]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = ("--state-dir", str(tmp_path / "state"), "--cache-dir", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "loglake", "dashboard", "--port", str(port), *folders, *options]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **SETTINGS}, stdout=log, stderr=log)
    try:
        found = _written(tmp_path / "state", process, tmp_path / "log")
    finally:
        process.terminate()
        process.wait(40)
    assert found == (options[1] if options else f"http://127.0.0.1:{port}/")


def test_address_that_listens_everywhere_is_reached_by_the_machines_name() -> None:
    assert reached_at("http://127.0.0.1:8077/logs/") == "http://127.0.0.1:8077/logs/"
    assert reached_at("https://0.0.0.0:8077/logs/") == f"https://{socket.getfqdn()}:8077/logs/"
    assert reached_at("http://[::]:8077/") == f"http://{socket.getfqdn()}:8077/"


def _written(state: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while Address(state).read() == DEFAULT_ADDRESS:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return Address(state).read()
