"""The `loglake up` under test: started as a user would, its processes found by role, ended for good at the end."""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from catalog.laptop import process_of, variables
from localcloud.up import fetch, health
from localcloud.workspace import Workspace, read_object

START_DEADLINE_S = 240.0
REFUSAL_S = 30.0
VERIFY_WAIT_S = 150


class Laptop:
    """One data directory and what runs on it."""

    def __init__(self, folder: Path, rate: float, environment: Mapping[str, str], limit: Callable[[], None]) -> None:
        self._clock = Path(environment["CAMPAIGN_CLOCK"]) if "CAMPAIGN_CLOCK" in environment else None
        self.workspace = Workspace(folder)
        self.rate = rate
        self.said = folder.parent / "up.txt"
        self.endpoint_port, self.port = free_port(), free_port()
        self.endpoint_url = f"http://127.0.0.1:{self.endpoint_port}"
        self._environment = {**os.environ, **environment}
        self._limit = limit
        self._up: subprocess.Popen[bytes] | None = None

    def start_and_wait(self, limit: Callable[[], None]) -> tuple[int | None, str]:
        """Start a `loglake up` that is to be refused; return its exit code, None if it is not, and what was said."""
        with_limit, self._limit = self._limit, limit
        self.start()
        self._limit = with_limit
        assert self._up is not None
        try:
            code = self._up.wait(REFUSAL_S)
        except subprocess.TimeoutExpired:
            code = None
            self.stop()
        return code, self.said.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start `loglake up`, its output behind what an earlier one said."""
        arguments = ["--data-dir", str(self.workspace.path), "--rate", f"{self.rate:g}", "--backfill-days", "0"]
        arguments += ["--port", str(self.port), "--endpoint-port", str(self.endpoint_port)]
        with self.said.open("ab") as output:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "loglake", "up", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                preexec_fn=self._limit,
            )

    def now(self) -> float:
        """Return the time of day that its processes see."""
        return time.time() + (struct.unpack("q", self._clock.read_bytes())[0] if self._clock else 0)

    @property
    def alive(self) -> bool:
        return self._up is not None and self._up.poll() is None

    @property
    def healthy(self) -> bool:
        """Say whether this very `loglake up` runs and its endpoint and dashboard answer."""
        run = read_object(self.workspace.run_file)
        return bool(
            self._up
            and run.get("pid") == self._up.pid
            and run.get("healthy")
            and health(self.endpoint_url).get("ready")
            and fetch(f"http://127.0.0.1:{self.port}/healthz") is not None
        )

    def wait_healthy(self, deadline_s: float = START_DEADLINE_S) -> bool:
        """Return whether it became healthy in time; False at once when it ended."""
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline and self.alive:
            if self.healthy:
                return True
            time.sleep(0.5)
        return False

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return what runs, by role."""
        run = read_object(self.workspace.run_file)
        found: dict[str, list[psutil.Process]] = {}
        if self.alive and self._up:
            found["supervisor"] = [psutil.Process(self._up.pid)]
        for name, record in run.get("processes", {}).items():
            process = process_of(record)
            if process is None:
                continue
            found[name] = [process]
            for child in _children(process):
                found.setdefault(role_of(name, child), []).append(child)
        return found

    def stop(self) -> int:
        """Run `loglake down` and return its exit code; what is left then is a violation that `leftovers` tells."""
        command = [sys.executable, "-m", "loglake", "down", "--data-dir", str(self.workspace.path)]
        with self.said.open("ab") as output:
            return subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode

    def leftovers(self) -> list[psutil.Process]:
        """Return the processes that name the data directory on their command line or in their environment."""
        mark = str(self.workspace.path)
        return [each for each in psutil.process_iter() if each.pid != os.getpid() and _names(each, mark)]

    def verify(self) -> dict[str, Any]:
        """Run `loglake verify` and return its verdict."""
        command = [sys.executable, "-m", "loglake", "verify", "--ledger", str(self.workspace.ledger)]
        command += ["--wait", str(VERIFY_WAIT_S), "--json"]
        environment = {**self._environment, **variables(self.endpoint_url, self.workspace.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        try:
            verdict = json.loads(done.stdout)
        except ValueError:
            return {"error": (done.stderr or done.stdout).strip()[-2000:], "exit": done.returncode}
        return {**verdict, "exit": done.returncode}


def role_of(parent: str, process: psutil.Process) -> str:
    """Name a process by the stage that started it and its command."""
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return f"{parent}-child"
    if parent == "dashboard":
        return "dashboard-worker"
    if "pyspark" in command and "daemon" in command:
        return "spark-worker"
    if "_worker.py" in command:
        return "lambda"
    if "driver.py" in command:
        return "driver"
    return "java" if "java" in command.split(" ")[0] else f"{parent}-child"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _names(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and (
            any(mark in word for word in process.cmdline()) or any(mark in v for v in process.environ().values())
        )
    except psutil.Error:
        return False
