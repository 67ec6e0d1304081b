import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.laptop import process_of
from localcloud import status
from localcloud.leftovers import MARK, end_leftovers
from localcloud.processes import identity
from localcloud.workspace import Workspace, write_json

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@contextmanager
def left_behind(workspace: Workspace, *words: str, mark: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """Run what a killed `loglake up` would have left; end it in any case."""
    environment = {**os.environ, **({MARK: str(workspace.path)} if mark else {})}
    process = subprocess.Popen([*SLEEP, *words], env=environment, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_stage_that_was_started_but_not_written_down_before_the_kill_is_ended(tmp_path: Path) -> None:
    said: list[str] = []
    with left_behind(Workspace(tmp_path), "produce") as process:
        assert end_leftovers(Workspace(tmp_path), said.append) == 1
        assert process_of(identity(process.pid)) is None
        assert said == [f"ending producer (process {process.pid}), which an earlier 'loglake up' left behind"]


def test_the_producer_is_ended_before_the_endpoint_that_takes_its_last_events(tmp_path: Path) -> None:
    said: list[str] = []
    workspace = Workspace(tmp_path)
    with left_behind(workspace, mark=False) as endpoint, left_behind(workspace, mark=False) as producer:
        records = {"producer": identity(producer.pid), "endpoint": identity(endpoint.pid)}
        write_json(workspace.run_file, {"processes": {name: records[name] for name in ("endpoint", "producer")}})
        with left_behind(workspace, "consume"):
            assert end_leftovers(workspace, said.append) == 3
    assert [text.split()[1] for text in said] == ["producer", "consumer", "endpoint"]
    assert not workspace.run_file.exists()


def test_processes_of_another_directory_are_left_alone(tmp_path: Path) -> None:
    with left_behind(Workspace(tmp_path / "other")) as process:
        assert end_leftovers(Workspace(tmp_path), print) == 0
        assert process.poll() is None


def test_the_status_of_a_killed_up_names_what_it_left_running(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with left_behind(workspace, "produce"):
        (stage,) = status.collect(workspace)
    assert stage.detail == (
        "'loglake up' was killed and left producer running; 'loglake up' starts anew, 'loglake down' ends them"
    )
    assert status.collect(workspace)[0].state == "stopped"
