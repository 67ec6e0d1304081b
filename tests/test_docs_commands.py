"""Every command of the README and docs/, typed in a fresh shell against one `loglake up`, or the reason why not."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.documented import PAGES, commands

pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.timeout(400)]

BIN = sysconfig.get_path("scripts")
LONGEST_S, FOLLOWED_S = 60.0, 6.0
"""How long a command may take; and after how long Ctrl-C is pressed on one that goes on, or takes its time."""
GOES_ON = re.compile(r"loglake (?:tail|consume|verify|curate|crawl|compact$|logs .*--follow|produce --to)")
ENDS_BY_CTRL_C = (130, -signal.SIGINT)

EVERY = list(dict.fromkeys(command for page in PAGES for command in commands(page)))
"""Each command once, in the order of the pages."""

NOT_RUN = {
    "make ": "runs the whole of it, or the tests themselves",
    "git ": "changes the checkout",
    "docker ": "needs Docker and a registry",
    "loglake down": "ends the stack: the fixture runs it last",
    "loglake destroy": "ends the stack, and asks on a terminal; tests/cloudformation/test_transcripts.py plays it",
    "loglake deploy": "asks on a terminal; tests/cloudformation/test_transcripts.py plays it",
    "loglake dashboard": "takes port 8050, which another may have; `loglake up` runs it on a free one",
    "LOGLAKE_STACK=staging": "needs a second stack",
    "loglake query 'MSCK REPAIR": "mends a deleted stack's tables",
    "loglake cost --observed": "needs an AWS account's metrics and prices of a week",
    "aws cloudformation": "needs an AWS account, or would change the stack under the other commands",
    "aws ecs": "needs an AWS account",
    "service=$(aws ecs": "needs an AWS account",
    "aws s3 cp": "names a bucket to be filled in",
    "aws sts": "is about an AWS account's credentials",
    "export AWS_PROFILE": "is to be filled in",
    "find failed": "continues a command that is not run",
    "loglake produce --to kinesis --from failed.jsonl": "continues a command that is not run",
    "loglake produce --to kinesis --from": "ships a file of the reader's",
    "loglake produce --to stdout --start": "reads a scenario of the reader's",
    "loglake produce --to kinesis --backfill 7d": "sends a week of events, which no laptop takes in a test",
    "python -m pytest": "runs tests",
    "python -m benchmarks.campaign": "kills what runs for minutes; tests/test_campaign.py runs a short one",
    "cfn-guard": "needs a tool that is not ours",
    "checkov": "needs a tool that is not ours",
}
"""How a command begins that is not run -> why."""

EXIT_CODES = {"loglake status": (0, 1), "loglake diff": (0, 1)}
"""What a command may end with instead of 0 alone, by what it found."""

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Newcomer:
    """Who has a running laptop, and types in a folder of their own, in shells that know nothing of it."""

    data_dir: Path
    home: Path
    port: int

    def shell(self, script: str, pointed: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script in a fresh shell; press Ctrl-C on what goes on, and on what takes too long."""
        point = f'eval "$({BIN}/loglake env 2>/dev/null)"\n' if pointed else f'PATH={BIN}:"$PATH"\n'
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"),
            "AWS_PAGER": "", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        process = subprocess.Popen(
            ["bash", "-c", point + script], env=environment, cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            out, errors = process.communicate(timeout=FOLLOWED_S if GOES_ON.match(script) else LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            out, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(script, process.returncode, out, errors)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    home = tmp_path_factory.mktemp("home")
    found = Newcomer(home / "data", home, free_port())
    environment = {**os.environ, "XDG_STATE_HOME": str(home / "state")}
    command = [f"{BIN}/loglake", "up", "--detach", "--data-dir", str(found.data_dir), "--rate", "20"]
    ports = ["--backfill-days", "0.1", "--port", str(found.port), "--endpoint-port", str(free_port())]
    started = subprocess.run([*command, *ports], env=environment, cwd=home, capture_output=True, text=True, timeout=300)
    assert started.returncode == 0, started.stderr + started.stdout
    yield found
    stopped = subprocess.run(
        [f"{BIN}/loglake", "down"], env=environment, cwd=home, capture_output=True, text=True, timeout=120
    )
    assert stopped.stdout.endswith(f"stopped; the data stays in {found.data_dir}\n"), stopped.stderr


def reason(command: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


def typed(command: str) -> str:
    """Return a command as it is typed here: from another folder, and with the password that it asks for."""
    if command.startswith(("loglake users add", "loglake users passwd")) and "--no-password" not in command:
        command += f" --password-stdin <<< '{PASSWORD}'"
    return command.replace(".venv/bin/", f"{BIN}/")


def test_who_is_not_run_is_documented() -> None:
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in EVERY)] == []
    assert len([command for command in EVERY if reason(command) is None]) > 30


def test_the_dashboard_that_runs_asks_for_a_login_once_there_is_a_user(newcomer: Newcomer) -> None:
    address = f"http://127.0.0.1:{newcomer.port}/_dash-layout"
    with urllib.request.urlopen(address) as answer:
        assert answer.status == 200
    done = newcomer.shell(f"loglake users add eve --role viewer --password-stdin <<< '{PASSWORD}'", pointed=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"loglake: takes the newest 'loglake up', {newcomer.data_dir}\n"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)
    assert refused.value.code == 401


def test_the_readmes_query_answers_before_the_first_crawl(newcomer: Newcomer) -> None:
    done = newcomer.shell("loglake query count-by-level", pointed=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("service,level,count\n")


def test_what_reads_the_laptop_finds_it_and_says_so(newcomer: Newcomer) -> None:
    url = json.loads((newcomer.data_dir / "up.json").read_text())["endpoint_url"]
    done = newcomer.shell("printf 'SELECT x FROM UNNEST(sequence(1, 5)) AS t(x)' | loglake query - --limit 2", False)
    assert done.stdout == "x\n1\n2\n"
    assert done.stderr.startswith(f"loglake: asks the laptop at {url} ({newcomer.data_dir})\n2 of 5 rows · ")
    done = newcomer.shell("loglake query 'SELECT FROM WHERE'", pointed=False)
    assert done.returncode == 1
    assert "QueryError: syntax error: line 1:13: mismatched input 'WHERE'" in done.stderr


@pytest.mark.parametrize("command", [command for command in EVERY if reason(command) is None])
def test_a_documented_command_does_what_it_says(newcomer: Newcomer, command: str) -> None:
    for tool in ("aws", "jq"):
        if tool in command.split() and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    done = newcomer.shell(typed(command), pointed=not command.startswith("eval"))
    wanted = (*EXIT_CODES.get(command, (0,)), *(ENDS_BY_CTRL_C if GOES_ON.match(command) else ()))
    assert done.returncode in wanted, f"{done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr
