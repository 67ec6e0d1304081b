"""`loglake users` and `loglake alerts` from a terminal, in a pipe, and asked for what can't be."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts.evaluation import Finding
from dashboard.alerts.rules import Rule
from dashboard.alerts.store import AlertStore
from dashboard.state import Address, StateFile
from loglake import main
from tests.conftest import REPOSITORY
from tests.terminal import WAIT_SECONDS, Terminal

PASSWORD = "correct horse battery"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command over a state folder: its exit code, output and errors."""

    def running(*arguments: str, typed: str = "", state: Path = tmp_path / "state") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--state-dir", str(state)])
        return int(end.value.code or 0), *capsys.readouterr()

    return running


def test_users_are_added_listed_changed_and_removed_in_a_pipe(run: Run) -> None:
    assert run("users", "list")[1].startswith("no users yet: ")
    assert run("users", "add", "ada", "--password-stdin", "--role", "admin", typed=f"{PASSWORD}\n") == (
        *(0, "ada is admin of every service\n", ""),
    )
    assert run("users", "add", "max", "--no-password", "--service", "payment")[1] == "max is viewer of payment\n"
    assert run("users", "passwd", "max", "--password-stdin", typed=PASSWORD)[1] == "max has a new password\n"
    found = json.loads(run("users", "list", "--json")[1])
    assert [(user["name"], user["role"], user["password"]) for user in found] == [
        *(("ada", "admin", True), ("max", "viewer", True)),
    ]
    assert run("users", "remove", "max")[1] == "max is removed\n"
    assert run("users", "list")[1] == "ada                      admin     every service\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "a b", "--no-password"), "a user name must be letters, digits and ._@+-; got 'a b'"),
        (("add", "ada", "--password-stdin"), "a password must have at least 10 characters; got 5"),
        (("add", "ada"), "a password is asked for on a terminal; got none; pipe it in with --password-stdin"),
        (("passwd", "ada"), "no user is named 'ada'; 'loglake users list' shows who is"),
        (("remove", "ada"), "no user is named 'ada'; 'loglake users list' shows who is"),
    ],
)
def test_what_users_can_not_be_asked_is_said_in_a_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert run("users", *arguments, typed="short") == (2, "", f"UsageError: {said}\n")


def test_a_state_folder_that_can_not_be_is_said_in_a_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    wrong = tmp_path / "file" / "state"
    said = f"UsageError: --state-dir must be a folder that can be made and written; got {str(wrong)!r} "
    for arguments in (("users", "add", "ada", "--no-password"), ("alerts", "list")):
        code, out, error = run(*arguments, state=wrong)
        assert (code, out) == (2, "")
        assert error == f"{said}(Not a directory); name another one\n"


def test_only_what_fires_can_be_acknowledged(run: Run, tmp_path: Path) -> None:
    assert run("alerts", "list")[1] == "nothing fires\nno rule was evaluated yet; run 'loglake alerts run'\n"
    assert run("alerts", "ack", "7") == (
        *(2, "", "UsageError: FIRING must be the number of what fires; got 7; 'loglake alerts list' shows them\n"),
    )
    finding = Finding("payment", 0.5, True, "50 % of 10 events of payment are errors, in 5 min", "service=payment")
    AlertStore(StateFile(tmp_path / "state")).keep(Rule("errors", "error_rate", 0.1, 5, 1), [finding], 1_000.0)
    assert "errors: 50 % of 10 events of payment are errors, in 5 min\n" in run("alerts", "list")[1]
    assert run("alerts", "ack", "1", "--note", "on it")[1] == "1 is acknowledged\n"
    [firing] = json.loads(run("alerts", "list", "--json")[1])
    assert firing["acknowledged_by"]
    assert firing["note"] == "on it"


def test_list_says_what_fires_with_a_link_that_works_and_what_is_unknown(run: Run, tmp_path: Path) -> None:
    state, now = tmp_path / "state", time.time()
    store = AlertStore(StateFile(state))
    Address(state).write("http://127.0.0.1:8077/")
    rule, finding = Rule("errors", "error_rate", 0.1, severity="page"), Finding("payment", 0.5, True, "50 %", "a=b")
    store.keep(rule, [finding], now, 0.0)
    store.unknown("traffic-dropped", "Athena is down", now, 60.0)
    assert run("alerts", "list")[1] == (
        "    1 page   firing   errors: 50 %\n"
        "      since 1970-01-01 00:00 UTC; http://127.0.0.1:8077/explore?a=b\n"
        "unknown since 1970-01-01 00:01 UTC: traffic-dropped (Athena is down)\n"
        "evaluated 0 s ago\n"
    )
    assert json.loads(run("alerts", "list", "--json")[1])[0]["link"] == "http://127.0.0.1:8077/explore?a=b"
    store.keep(rule, [], now - 600)
    store.unknown("traffic-dropped", "Athena is down", now - 600)
    assert run("alerts", "list")[1].splitlines()[1:] == [
        "nothing fires of what is known",
        "evaluated 10 min ago; is 'loglake alerts run' running?",
    ]


def test_ctrl_c_at_the_password_ends_with_130_and_adds_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loglake", "users", "add", "ada", "--state-dir", str(tmp_path)]

    def start(**streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ), **streams)

    screen = Terminal(start)
    try:
        screen.until("Password: ")
        screen.type("half a pass\x03")
        assert screen.process.wait(WAIT_SECONDS) == 130
        assert "half" not in screen.rest()
        assert list(tmp_path.iterdir()) == []
    finally:
        screen.close()
