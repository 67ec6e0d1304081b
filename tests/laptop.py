"""A running `loglake up` for tests, and how to call the command on it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.laptop import variables


@dataclass(frozen=True)
class Laptop:
    """One stack, its data directory and its ports."""

    data_dir: Path
    port: int
    endpoint_port: int

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **variables(f"http://127.0.0.1:{self.endpoint_port}", self.data_dir)}

    def loglake(self, *arguments: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "loglake", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def up(self, *flags: str) -> subprocess.CompletedProcess[str]:
        ports = ("--port", str(self.port), "--endpoint-port", str(self.endpoint_port))
        return self.loglake("up", "--data-dir", str(self.data_dir), *ports, *flags)

    def processes(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "up.json").read_text())["processes"]
        return found

    def lake_state(self) -> str:
        status = self.loglake("status", "--json", "--data-dir", str(self.data_dir))
        states: dict[str, str] = {stage["name"]: stage["state"] for stage in json.loads(status.stdout)["stages"]}
        return states.get("lake", "")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows that `loglake query` answers with."""
        answer = self.loglake("query", sql, "--format", "json")
        assert answer.returncode == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.split("\n") if line]


@contextmanager
def running_laptop(data_dir: Path, *flags: str) -> Iterator[Laptop]:
    """Give a stack that `up --detach` started with these flags and that has curated its first events; end it after."""
    stack = Laptop(data_dir, free_port(), free_port())
    started = stack.up(*flags, "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        wait_for(lambda: stack.lake_state() == "idle", 240)
        yield stack
    finally:
        stopped = stack.loglake("down", "--data-dir", str(stack.data_dir))
        assert stopped.returncode == 0, stopped.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(true: Callable[[], bool], deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while not true():
        assert time.monotonic() < deadline, f"not within {deadline_s} s"
        time.sleep(1)
