"""Child processes: started with their output in a log, watched, started again when they die, stopped in order."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

MAX_LOG_BYTES = 20_000_000
"""A log larger than this when its process starts is set aside as `.1`."""
RESTART_WAITS_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses before it is started again: the longer, the more often in a row it died soon."""
POLL_S = 0.05
STEADY_S = 60.0
"""One that ran for so long did not die of how it was started: the pauses begin anew."""


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
    _started: float = field(default=0, repr=False)
    _failures: int = field(default=0, repr=False)
    _log_start: int = field(default=0, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, so that a terminal's Ctrl-C reaches only its parent."""
        self._started = time.monotonic()
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output, held_back():
            self._log_start = output.tell()
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

    @property
    def was_killed(self) -> bool:
        """Say whether a signal ended it, so that starting it again may well help."""
        return self.process is not None and (self.process.poll() or 0) < 0

    def revive(self) -> bool:
        """Start it again if it has died and its pause is over; return whether it was started.

        What it left of its group is ended first: a forked worker would hold its port. Raises `OSError` when it can't be
        started; the next call after another pause tries again.
        """
        if self.alive:
            return False
        now = time.monotonic()
        if not self._due:
            self._end_group()
            self._failures = 0 if now - self._started >= STEADY_S else self._failures
            self._due = now + RESTART_WAITS_S[min(self._failures, len(RESTART_WAITS_S) - 1)]
        if now < self._due:
            return False
        self.arguments = self.restart_arguments or self.arguments
        self._due = 0
        self._failures += 1
        self.start()
        self.restarts += 1
        return True

    def _end_group(self) -> None:
        """SIGKILL what a dead process left of the group that it led."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

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
        self._end_group()

    def record(self) -> dict[str, Any]:
        """Return what identifies the process later: its id and when it was created."""
        if self.process is None:
            return {}
        return {**identity(self.process.pid), "restarts": self.restarts}

    def last_words(self, lines: int = 3) -> str:
        """Return the last lines that it wrote since its latest start, for an error's text."""
        try:
            text = self.log.read_bytes()[self._log_start :][-4000:].decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""
        return " | ".join(text.split("\n")[-lines:])


@contextmanager
def held_back() -> Iterator[None]:
    """Let an interrupt wait until the end of the block: a process just started must not be lost sight of."""
    caught: list[int] = []
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(number))]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    kept = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    if caught:
        signal.raise_signal(caught[0])


def identity(pid: int) -> dict[str, Any]:
    """Return what tells a process from a later one with the same id: the id and when it was created."""
    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {"pid": pid, "created": 0.0}


def end(process: psutil.Process, timeout_s: float = 20) -> None:
    """End a process of ours: SIGTERM, then its whole tree by SIGKILL after `timeout_s`.

    One that has ended but was not waited for by its parent has ended: in a container often nobody does.
    """
    deadline = time.monotonic() + timeout_s
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGTERM)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                kill_tree(process.pid)
                return
            time.sleep(POLL_S)


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
