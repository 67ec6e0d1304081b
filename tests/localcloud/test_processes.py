import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from catalog.laptop import process_of
from localcloud import processes
from localcloud.processes import Child, identity

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]
FORKING = [
    sys.executable,
    "-c",
    "import os, time; pid = os.fork(); pid and print(pid, flush=True); time.sleep(60)",
]
"""Prints the id of a process that it forked, as a server forks its workers."""


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def child(tmp_path: Path, arguments: list[str], **rest: object) -> Child:
    return Child("sleeper", arguments, dict(os.environ), tmp_path / "sleeper.log", **rest)  # type: ignore[arg-type]


def test_a_killed_child_is_started_again_with_its_restart_arguments(tmp_path: Path) -> None:
    sleeper = child(tmp_path, SLEEP, restart_arguments=[*SLEEP, "again"])
    sleeper.start()
    assert sleeper.process is not None
    first = sleeper.process.pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not sleeper.alive)
    wait_for(sleeper.revive)
    assert sleeper.process.pid != first
    assert (sleeper.restarts, sleeper.arguments[-1]) == (1, "again")
    sleeper.stop()


def test_a_child_that_ignores_sigterm_is_ended_all_the_same(tmp_path: Path) -> None:
    sleeper = child(tmp_path, STUBBORN, stop_timeout_s=0.5)
    sleeper.start()
    wait_for(lambda: sleeper.last_words() == "up")
    sleeper.stop()
    assert not sleeper.alive


def test_a_record_finds_its_process_and_no_later_one_with_the_same_id(tmp_path: Path) -> None:
    record = identity(os.getpid())
    assert process_of(record) is not None
    assert process_of(record | {"created": record["created"] - 3600}) is None
    assert process_of({}) is None


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    sleeper = child(tmp_path, [sys.executable, "-c", "print('fresh')"])
    sleeper.log.write_bytes(b"x" * 20_000_001)
    sleeper.start()
    assert sleeper.process is not None
    sleeper.process.wait()
    assert sleeper.log.read_text() == "fresh\n"
    assert sleeper.log.with_suffix(".log.1").stat().st_size == 20_000_001


def test_what_a_killed_child_forked_is_ended_before_it_is_started_again(tmp_path: Path) -> None:
    server = child(tmp_path, FORKING)
    server.start()
    wait_for(lambda: server.last_words() != "")
    worker = identity(int(server.last_words()))
    assert process_of(worker) is not None and server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    wait_for(server.revive)
    wait_for(lambda: process_of(worker) is None)
    server.stop()


def test_a_child_that_ran_for_long_is_started_again_soon_however_often_it_has_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "RESTART_WAITS_S", (0.1, 3600))
    monkeypatch.setattr(processes, "STEADY_S", 0.2)
    sleeper = child(tmp_path, SLEEP)
    sleeper.start()
    for restarts in (1, 2):
        time.sleep(0.3)
        assert sleeper.process is not None
        os.kill(sleeper.process.pid, signal.SIGKILL)
        wait_for(sleeper.revive)
        assert sleeper.restarts == restarts
    sleeper.stop()


def test_a_process_that_nobody_waits_for_is_ended_at_once(tmp_path: Path) -> None:
    sleeper = child(tmp_path, SLEEP)
    sleeper.start()
    assert sleeper.process is not None
    program = "import psutil, sys; from localcloud.processes import end; end(psutil.Process(int(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", program, str(sleeper.process.pid)], check=True, timeout=10)
    assert psutil.Process(sleeper.process.pid).status() == psutil.STATUS_ZOMBIE
    sleeper.stop()


def test_the_last_words_are_those_since_the_latest_start(tmp_path: Path) -> None:
    silent = child(tmp_path, [sys.executable, "-c", "pass"])
    silent.log.write_text("words of an earlier process\n", encoding="utf-8")
    silent.start()
    assert silent.process is not None
    silent.process.wait()
    assert silent.last_words() == ""
