"""The whole chain as a person runs it: `loglake up`, questions through three clients, `kill -9`, `verify`, `down`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.laptop import variables
from catalog.named_queries import named_query

pytestmark = [pytest.mark.local, pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]

THREE_QUERIES = ("count-by-level", "slow-requests", "errors-by-hour")


@dataclass(frozen=True)
class Laptop:
    """One running stack and how to call the command on it."""

    data_dir: Path
    port: int
    endpoint_port: int

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **variables(f"http://127.0.0.1:{self.endpoint_port}", self.data_dir)}

    def loglake(self, *arguments: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "loglake", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def up(self, *flags: str) -> subprocess.CompletedProcess[str]:
        ports = ("--port", str(self.port), "--endpoint-port", str(self.endpoint_port))
        return self.loglake("up", "--data-dir", str(self.data_dir), *ports, *flags)

    def processes(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "up.json").read_text())["processes"]
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(true: Callable[[], bool], deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while not true():
        assert time.monotonic() < deadline, f"not within {deadline_s} s"
        time.sleep(1)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A stack that `up --detach` started and that has curated its first events."""
    stack = Laptop(tmp_path_factory.mktemp("laptop") / "data", free_port(), free_port())
    started = stack.up("--rate", "50", "--backfill-days", "0.5", "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        wait_for(lambda: lake_state(stack) == "idle", 240)
        yield stack
    finally:
        stopped = stack.loglake("down", "--data-dir", str(stack.data_dir))
        assert stopped.returncode == 0, stopped.stderr


def lake_state(laptop: Laptop) -> str:
    status = laptop.loglake("status", "--json", "--data-dir", str(laptop.data_dir))
    states: dict[str, str] = {stage["name"]: stage["state"] for stage in json.loads(status.stdout)["stages"]}
    return states.get("lake", "")


def crawled(laptop: Laptop) -> bool:
    asked = (laptop.loglake("query", named_query(name).sql, "--format", "csv") for name in THREE_QUERIES)
    return all(answer.returncode == 0 and answer.stdout.count("\n") > 1 for answer in asked)


def test_the_dashboard_answers_on_its_port(laptop: Laptop) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{laptop.port}/", timeout=30) as page:
        assert b"Loglake" in page.read()


@pytest.mark.parametrize("name", THREE_QUERIES)
def test_a_query_answers_alike_through_three_clients(laptop: Laptop, name: str) -> None:
    wait_for(lambda: crawled(laptop), 240)
    sql = named_query(name).sql
    ours = laptop.loglake("query", sql, "--format", "json")
    assert ours.returncode == 0, ours.stderr
    rows = [json.loads(line) for line in ours.stdout.split("\n") if line]
    assert len(rows) == pyathena_rows(laptop, sql) == cli_rows(laptop, sql) > 0


def pyathena_rows(laptop: Laptop, sql: str) -> int:
    script = (
        "import sys; from pyathena import connect; "
        "cursor = connect(work_group='loglake', schema_name='app_logs_db', poll_interval=0.1).cursor(); "
        "print(len(cursor.execute(sys.argv[1]).fetchall()))"
    )
    command = [sys.executable, "-c", script, sql]
    return int(subprocess.run(command, env=laptop.environment, capture_output=True, text=True, check=True).stdout)


def cli_rows(laptop: Laptop, sql: str) -> int:
    if shutil.which("aws") is None:
        pytest.skip("the AWS CLI is not installed here: no 'aws' on PATH")

    def aws(*arguments: str) -> Any:
        command = ["aws", "athena", *arguments, "--output", "json"]
        done = subprocess.run(command, env=laptop.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    execution = aws("start-query-execution", "--work-group", "loglake", "--query-string", sql)["QueryExecutionId"]
    state = ""
    while state not in ("SUCCEEDED", "FAILED", "CANCELLED"):
        state = aws("get-query-execution", "--query-execution-id", execution)["QueryExecution"]["Status"]["State"]
    assert state == "SUCCEEDED"
    return len(aws("get-query-results", "--query-execution-id", execution)["ResultSet"]["Rows"]) - 1


def test_a_second_up_on_the_same_directory_is_refused_in_one_line(laptop: Laptop) -> None:
    second = laptop.up()
    assert second.returncode == 1
    assert second.stderr.startswith("WorkspaceError: one 'loglake up' may run on a data directory; process ")
    assert second.stderr.endswith("see it with 'loglake status', stop it with 'loglake down'\n")


def test_a_taken_port_is_explained_in_one_line(laptop: Laptop, tmp_path: Path) -> None:
    other = Laptop(tmp_path / "other", free_port(), laptop.endpoint_port).up()
    assert (other.returncode, other.stderr) == (
        1,
        f"PreflightError: port {laptop.endpoint_port}: can't be bound on 127.0.0.1 (Address already in use); "
        "name a free one with --endpoint-port, or 'loglake down' if an earlier 'loglake up' holds it\n",
    )


@pytest.mark.parametrize("victim", ["endpoint", "producer", "consumer", "dashboard"])
def test_a_killed_process_is_started_again(laptop: Laptop, victim: str) -> None:
    before = laptop.processes()[victim]
    os.kill(before["pid"], signal.SIGKILL)
    wait_for(lambda: laptop.processes()[victim]["restarts"] > before["restarts"], 30)
    wait_for(lambda: lake_state(laptop) == "idle", 120)


def test_verify_finds_nothing_lost_and_nothing_doubled_after_the_kills(laptop: Laptop) -> None:
    answer = laptop.loglake("verify", "--ledger", str(laptop.data_dir / "ledger"), "--wait", "300", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    verdict = json.loads(answer.stdout)
    assert verdict["ok"]
    assert verdict["stages"]["rollup"] > 0
