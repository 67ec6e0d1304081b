"""`loglake up` interrupted while it starts: nothing of it stays, and the next one works on the same directory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.laptop import free_port

pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.timeout(600)]

MOMENTS = {
    "endpoint": lambda log: (log / "endpoint.log").exists(),
    "deployment": lambda log: "Uploaded" in read(log / "deploy.log"),
    "resources": lambda log: "CREATE_COMPLETE" in read(log / "deploy.log"),
    "backfill": lambda log: (log / "producer.log").exists(),
}


def read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


class Up:
    """One `loglake up`, not detached, in a session of its own."""

    def __init__(self, data_dir: Path, port: int, endpoint_port: int) -> None:
        self.data_dir = data_dir
        command = [sys.executable, "-m", "loglake", "up", "--data-dir", str(data_dir), "--rate", "20"]
        command += ["--backfill-days", "0.2", "--port", str(port), "--endpoint-port", str(endpoint_port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def wait_for(self, true: Callable[[], bool], deadline_s: float = 300) -> None:
        deadline = time.monotonic() + deadline_s
        while not true():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def interrupt(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=120)[0]
        return self.process.returncode, said

    def family(self) -> list[psutil.Process]:
        """Return every process that works on the data directory, or for its endpoint."""
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
            except psutil.Error:
                continue
            if process.pid != os.getpid() and any(str(self.data_dir) in word for word in words):
                found.append(process)
        return found


def listening(port: int) -> bool:
    return any(found.laddr.port == port and found.status == "LISTEN" for found in psutil.net_connections("tcp"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_start_leaves_nothing_and_the_next_one_works(tmp_path: Path, moment: str) -> None:
    ports = free_port(), free_port()
    first = Up(tmp_path / "data", *ports)
    first.wait_for(lambda: MOMENTS[moment](tmp_path / "data" / "logs"))
    children = psutil.Process(first.process.pid).children(recursive=True)
    code, said = first.interrupt()
    assert code == 130, said
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == [], said
    assert first.family() == []
    assert not any(listening(port) for port in ports)
    again = Up(tmp_path / "data", *ports)
    try:
        again.wait_for(lambda: '"healthy": true' in read(tmp_path / "data" / "up.json"))
    finally:
        code, said = again.interrupt()
    assert code == 0, said
    assert again.family() == []
