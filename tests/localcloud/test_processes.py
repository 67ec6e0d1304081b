import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from catalog.laptop import process_of
from localcloud.processes import Child, identity

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


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
