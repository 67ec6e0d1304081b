"""Finding the laptop that runs: which of several, from which folder, and what is not believed."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from catalog import laptop
from catalog.laptop import Found

Start = Callable[..., Path]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Yield a function that makes a data directory on which a real process runs, as `loglake up` writes it down."""
    processes: list[subprocess.Popen[bytes]] = []

    def starting(name: str, started: float, registered: bool = True) -> Path:
        processes.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]))
        pid = processes[-1].pid
        path = tmp_path / name
        path.mkdir()
        run = {"pid": pid, "created": psutil.Process(pid).create_time(), "started": started, "processes": {}}
        (path / "up.json").write_text(json.dumps(run))
        if registered:
            laptop.register(path, environment)
        return path

    yield starting
    for process in processes:
        process.kill()
        process.wait()


def test_what_is_named_wins_over_the_variable_and_that_over_what_runs(
    start: Start, environment: dict[str, str], tmp_path: Path
) -> None:
    start("running", 1)
    named, other = tmp_path / "named", tmp_path / "other"
    assert laptop.find(named, environment | {laptop.VARIABLE: str(other)}) == Found(named)
    assert laptop.find(None, environment | {laptop.VARIABLE: str(other)}) == Found(other)


def test_the_newest_that_runs_is_found_from_any_folder(
    start: Start, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start("older", 1)
    newest = start("newest", 3)
    start("old", 2)
    assert laptop.find(None, environment) == Found(newest, is_guess=True)


def test_the_one_that_runs_here_is_taken_before_a_newer_one_elsewhere(
    start: Start, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start("newer", 2)
    here = start(".loglake", 1, registered=False)
    assert laptop.find(None, environment) == Found(here)


def test_one_that_has_ended_is_ignored_though_it_left_its_files(
    start: Start, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = start("ended", 2)
    run = json.loads((ended / "up.json").read_text())
    (ended / "up.json").write_text(json.dumps(run | {"created": run["created"] - 60}))  # its id is another's now
    assert laptop.find(None, environment) == Found(tmp_path / ".loglake")
    running = start("running", 1)
    assert laptop.find(None, environment) == Found(running, is_guess=True)
    assert len(list((tmp_path / "state" / "loglake" / "running").iterdir())) == 1


def test_one_whose_up_was_killed_still_runs_while_its_dashboard_does(start: Start) -> None:
    path = start("killed", 1)
    run = json.loads((path / "up.json").read_text())
    record = {"pid": run["pid"], "created": run["created"]}
    (path / "up.json").write_text(json.dumps({**run, "pid": 2**22 + 1, "processes": {"dashboard": record}}))
    assert laptop.is_running(path)


def test_the_list_of_what_runs_is_its_owners_alone(
    start: Start, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start("running", 1)
    assert stat.S_IMODE((tmp_path / "state" / "loglake" / "running").stat().st_mode) == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)  # no second user can be had here
    monkeypatch.chdir(tmp_path)
    assert laptop.find(None, environment) == Found(tmp_path / ".loglake")


def test_what_was_stopped_is_forgotten(
    start: Start, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    laptop.forget(start("running", 1), environment)
    assert laptop.find(None, environment) == Found(tmp_path / ".loglake")


def test_a_shell_that_names_an_aws_is_taken_at_its_word() -> None:
    assert laptop.names_aws({"AWS_PROFILE": "work"})
    assert laptop.names_aws({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert not laptop.names_aws({"AWS_DEFAULT_REGION": "us-east-1", "AWS_PROFILE": ""})
