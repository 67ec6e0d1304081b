import os
import signal
import sys
import time
from pathlib import Path

import pytest

from localcloud.up import Chain, Plan, UpError
from localcloud.workspace import Workspace
from tests.localcloud.test_processes import SLEEP, child, wait_for


def chain(tmp_path: Path, say: object) -> Chain:
    """Return a chain of one sleeping stage, started."""
    workspace = Workspace(tmp_path / "data")
    workspace.claim()
    made = Chain(Plan(workspace, 1, 0, 1, 2), say)  # type: ignore[arg-type]
    sleeper = child(tmp_path, SLEEP)
    sleeper.name, sleeper.log = "producer", workspace.logs / "producer.log"
    sleeper.start()
    made.children.append(sleeper)
    return made


def test_a_stage_that_cant_be_started_now_is_tried_again_and_ends_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    made = chain(tmp_path, said.append)
    (sleeper,) = made.children
    assert sleeper.process is not None
    log, missing = sleeper.log, tmp_path / "gone" / "producer.log"
    sleeper.log = missing
    os.kill(sleeper.process.pid, signal.SIGKILL)
    wait_for(lambda: not sleeper.alive)
    deadline = time.monotonic() + 10
    while not said and time.monotonic() < deadline:
        made.tend()
    expected = f"producer has died and can't be started yet: [Errno 2] No such file or directory: '{missing}'"
    assert said[0].startswith(expected)
    sleeper.log = log
    wait_for(lambda: (made.tend(), sleeper.alive)[1])
    made.stop()


def test_a_chain_stops_also_when_nobody_can_be_told(tmp_path: Path) -> None:
    def say(text: str) -> None:
        raise OSError(28, "No space left on device")

    made = chain(tmp_path, say)
    made.stop()
    assert not made.children[0].alive


def test_a_stage_that_is_killed_while_the_chain_starts_is_started_again(tmp_path: Path) -> None:
    made = chain(tmp_path, print)
    (sleeper,) = made.children
    assert sleeper.process is not None
    first = sleeper.process.pid
    os.kill(first, signal.SIGKILL)
    made._await(sleeper, lambda: sleeper.alive and sleeper.process is not None and sleeper.process.pid != first, 10)
    made.stop()


def test_a_stage_that_ends_by_itself_while_the_chain_starts_ends_it_with_its_words(tmp_path: Path) -> None:
    made = chain(tmp_path, print)
    refused = child(tmp_path, [sys.executable, "-c", "import sys; sys.exit('no such table')"])
    refused.start()
    with pytest.raises(UpError, match="sleeper ended while starting: no such table; see "):
        made._await(refused, lambda: False, 10)
    made.stop()
