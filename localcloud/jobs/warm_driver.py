"""The parent's hold on a warm driver: starts it, gives it one run at a time, ends it."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IDLE_SECONDS = 15 * 60
_POLL_SECONDS = 0.2
_LOG_TAIL_BYTES = 2000


class DriverDied(Exception):
    """The driver ended before it answered; the text says how, with the tail of its log."""


class DriverGone(DriverDied):
    """It ended before it took the run: another driver may be given the same run."""


class Interrupted(Exception):
    """The caller asked to give up; the driver has been ended."""


@dataclass(frozen=True, slots=True)
class Launch:
    """All that makes one driver unlike another; a run that needs a different launch gets a new driver."""

    environment: Mapping[str, str]
    folder: Path
    log: Path
    idle_seconds: float = IDLE_SECONDS


class WarmDriver:
    """One driver process and its JVM, in a process group of their own."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        launch.folder.mkdir(parents=True, exist_ok=True)
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        answers, child_end = os.pipe()
        script = str(Path(__file__).with_name("driver.py"))
        try:
            with launch.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", script, str(child_end), str(launch.idle_seconds)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    pass_fds=(child_end,),
                    env=dict(launch.environment),
                    cwd=launch.folder,
                    start_new_session=True,
                )
        finally:
            os.close(child_end)
        self._answers = answers
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(answers, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, give_up: Callable[[], bool]) -> None:
        """Return once the Spark session is there; raise `DriverGone` or `Interrupted`."""
        self._next_answer(give_up, DriverGone)

    def run(self, command: Mapping[str, Any], give_up: Callable[[], bool]) -> str | None:
        """Run a script and return what went wrong with it, None when nothing did.

        Raises `DriverGone`, `DriverDied`, or `Interrupted` when `give_up` says so.
        """
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise DriverGone(self._obituary()) from None
        self._next_answer(give_up, DriverGone)
        error = self._next_answer(give_up, DriverDied)["error"]
        assert error is None or isinstance(error, str)
        return error

    def end(self) -> None:
        """End the driver and its JVM at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1
        if self._process.stdin:
            self._process.stdin.close()

    def _next_answer(self, give_up: Callable[[], bool], death: type[DriverDied]) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if give_up():
                self.end()
                raise Interrupted
            if self._selector.select(_POLL_SECONDS):
                part = os.read(self._answers, 65536)
                if not part:
                    raise death(self._obituary())
                self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def _obituary(self) -> str:
        deadline = time.monotonic() + 2
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        code = self._process.poll()
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return f"the Spark driver ended with {how}; its log is {self.launch.log}\n{self._log_tail()}"

    def _log_tail(self) -> str:
        with self.launch.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace")
