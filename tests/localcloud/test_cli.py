"""`loglake env` and what else asks for a laptop, from a fresh shell in a folder of its own."""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPOSITORY

Shell = Callable[..., subprocess.CompletedProcess[str]]
LOGLAKE = Path(sysconfig.get_path("scripts")) / "loglake"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data directory, with a blank and a quote in its name, on which this very process runs."""
    path = tmp_path / "the laptop's data"
    (path / "logs").mkdir(parents=True)
    own = {"pid": os.getpid(), "created": psutil.Process().create_time()}
    run = {**own, "started": 1.0, "endpoint_url": "http://127.0.0.1:9", "dashboard_url": "http://127.0.0.1:8"}
    (path / "up.json").write_text(json.dumps({**run, "processes": {}}))
    return path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a function that runs a script in a fresh shell, in a folder of its own."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    environment["AWS_MAX_ATTEMPTS"] = "1"

    def running(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script],
            env=environment | variables,
            cwd=elsewhere,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return running


@pytest.fixture
def registered(data_dir: Path, tmp_path: Path) -> Path:
    """Return a data directory that commands find from any folder."""
    code = (
        f"from catalog import laptop; import os, pathlib; laptop.register(pathlib.Path({str(data_dir)!r}), os.environ)"
    )
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=REPOSITORY, check=True)
    return data_dir


def test_env_puts_the_command_on_the_path_once_and_carries_the_data_directory(shell: Shell, data_dir: Path) -> None:
    first = f'eval "$({shlex.quote(str(LOGLAKE))} env --data-dir {shlex.quote(str(data_dir))})"'
    done = shell(f'{first}; eval "$(loglake env)"; loglake --version; echo "$LOGLAKE_DATA_DIR"; echo "$PATH"')
    assert done.returncode == 0, done.stderr
    version, carried, path = done.stdout.splitlines()
    assert version.startswith("loglake")
    assert carried == str(data_dir)
    assert path.split(":") == [str(LOGLAKE.parent), *os.defpath.split(":")]


def test_env_finds_what_runs_and_says_which_it_took(shell: Shell, registered: Path) -> None:
    done = shell(f"{LOGLAKE} env")
    assert f"export LOGLAKE_DATA_DIR={shlex.quote(str(registered))}\n" in done.stdout
    assert done.stderr == f"loglake: takes the newest 'loglake up', {registered}\n"


def test_users_are_added_to_the_dashboard_that_runs_from_any_folder(shell: Shell, registered: Path) -> None:
    done = shell(f"echo 'correct horse battery' | {LOGLAKE} users add ada --password-stdin")
    assert (done.returncode, done.stdout) == (0, "ada is viewer of every service\n")
    assert done.stderr == f"loglake: takes the newest 'loglake up', {registered}\n"
    assert list(json.loads((registered / "dashboard" / "users.json").read_text())) == ["ada"]


def test_the_variable_is_taken_without_a_word(shell: Shell, registered: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done = shell(f"{LOGLAKE} users add ada --no-password", LOGLAKE_DATA_DIR=str(other))
    assert (done.returncode, done.stderr) == (0, "")
    assert (other / "dashboard" / "users.json").exists()


def test_a_query_goes_to_the_laptop_unless_the_shell_means_another_aws(shell: Shell, registered: Path) -> None:
    done = shell(f"{LOGLAKE} query 'SELECT 1'")
    assert done.stderr.startswith(f"loglake: asks the laptop at http://127.0.0.1:9 ({registered})\n")
    assert "http://127.0.0.1:9/" in done.stderr.partition("\n")[2]
    other = {"AWS_ENDPOINT_URL": "http://127.0.0.1:7", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = shell(f"{LOGLAKE} query 'SELECT 1'", AWS_DEFAULT_REGION="us-east-1", **other)
    assert "http://127.0.0.1:7/" in done.stderr
    assert "asks the laptop" not in done.stderr


def test_logs_of_what_has_ended_say_that_it_has(shell: Shell, data_dir: Path) -> None:
    (data_dir / "logs" / "endpoint.log").write_text("the end\n")
    (data_dir / "up.json").unlink()
    done = shell(f"{LOGLAKE} logs endpoint", LOGLAKE_DATA_DIR=str(data_dir))
    assert (done.returncode, done.stdout) == (0, "the end\n")
    assert done.stderr == f"nothing runs on {data_dir} now; 'loglake up' starts it; these are its last words\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("env", "LoglakeError: nothing runs on '{here}'; start it with 'loglake up'\n"),
        ("logs", "LoglakeError: nothing has run on '{here}', so there are no logs; start it with 'loglake up'\n"),
    ],
)
def test_where_nothing_runs_it_is_said_with_what_starts_it(
    shell: Shell, tmp_path: Path, command: str, said: str
) -> None:
    done = shell(f"{LOGLAKE} {command}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == said.format(here=tmp_path / "elsewhere" / ".loglake")
