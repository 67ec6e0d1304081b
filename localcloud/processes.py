"""Child processes: started with their output in a log, watched, started again when they die, stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

MAX_LOG_BYTES = 20_000_000
"""A log larger than this when its process starts is set aside as `.1`."""
RESTART_WAITS_S = (0.5, 1, 2, 5, 10, 30)


@dataclass(slots=True)
class Child:
    """One child process; `restart_arguments`, where given, are what it is started with again after it died."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    restart_arguments: Sequence[str] | None = None
    stop_timeout_s: float = 15
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None
    _due: float = field(default=0, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, so that a terminal's Ctrl-C reaches only its parent."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def revive(self) -> bool:
        """Start it again if it has died and its pause is over; return whether it was started."""
        if self.alive:
            return False
        now = time.monotonic()
        if not self._due:
            self._due = now + RESTART_WAITS_S[min(self.restarts, len(RESTART_WAITS_S) - 1)]
        if now < self._due:
            return False
        self.arguments = self.restart_arguments or self.arguments
        self._due = 0
        self.restarts += 1
        self.start()
        return True

    def stop(self) -> None:
        """Ask it to end with SIGTERM, and end it and what it started after `stop_timeout_s`."""
        if self.process is None:
            return
        if self.alive:
            self.process.terminate()
        try:
            self.process.wait(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            kill_tree(self.process.pid)
            self.process.wait()

    def record(self) -> dict[str, Any]:
        """Return what identifies the process later: its id and when it was created."""
        if self.process is None:
            return {}
        return {**identity(self.process.pid), "restarts": self.restarts}

    def last_words(self, lines: int = 3) -> str:
        """Return the last lines of its log, for an error's text."""
        try:
            text = self.log.read_bytes()[-4000:].decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""
        return " | ".join(text.split("\n")[-lines:])


def identity(pid: int) -> dict[str, Any]:
    """Return what tells a process from a later one with the same id: the id and when it was created."""
    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {"pid": pid, "created": 0.0}


def end(process: psutil.Process, timeout_s: float = 20) -> None:
    """End a process of ours: SIGTERM, then its whole tree by SIGKILL after `timeout_s`."""
    try:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        kill_tree(process.pid)


def kill_tree(pid: int) -> None:
    """SIGKILL a process and everything it started."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5)
