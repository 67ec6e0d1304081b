"""The `loglake` command itself: its help on a narrow terminal, and a slip of the finger."""

import os
import subprocess
import sys

import pytest

from loglake import COMMANDS
from tests.conftest import REPOSITORY


def loglake(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loglake", *arguments],
        env={**os.environ, "COLUMNS": str(columns)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_says_of_every_command_the_whole_sentence_within_eighty_columns() -> None:
    lines = loglake("--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith(("...", "…")) and not line.startswith("Usage")]
    assert {line.split()[0] for line in lines if line.startswith("  ") and line[2] not in " -L"} == {*COMMANDS}


@pytest.mark.parametrize("command", ["users", "alerts", "query", "doctor", "up", "verify", "status", "logs"])
def test_a_commands_help_fits_eighty_columns(command: str) -> None:
    lines = loglake(command, "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith(("...", "…")) and "[ARGS]" not in line]


def test_a_slip_of_the_finger_is_told_what_it_may_have_been_meant_to_be() -> None:
    done = loglake("statsu")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: no such command 'statsu'; did you mean 'status'?\n")
    assert loglake("xyzzy").stderr.endswith("Error: no such command 'xyzzy'; 'loglake --help' lists them\n")
