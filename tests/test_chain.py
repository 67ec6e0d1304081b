"""The whole chain as a person runs it: `loglake up`, questions through three clients, `kill -9`, `verify`, `down`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.named_queries import named_query
from tests.foreign.fresh import write_fresh
from tests.foreign.samples import SAMPLES
from tests.laptop import Laptop, free_port, running_laptop, wait_for

pytestmark = [pytest.mark.local, pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]

THREE_QUERIES = ("count-by-level", "slow-requests", "errors-by-hour")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A stack that has curated its first events."""
    flags = ("--rate", "50", "--backfill-days", "0.5")
    with running_laptop(tmp_path_factory.mktemp("laptop") / "data", *flags) as stack:
        yield stack


def crawled(laptop: Laptop) -> bool:
    asked = (laptop.loglake("query", name, "--format", "csv") for name in THREE_QUERIES)
    return all(answer.returncode == 0 and answer.stdout.count("\n") > 1 for answer in asked)


def test_the_dashboard_answers_on_its_port(laptop: Laptop) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{laptop.port}/", timeout=30) as page:
        assert b"Loglake" in page.read()


@pytest.mark.parametrize("name", THREE_QUERIES)
def test_a_query_answers_alike_through_three_clients(laptop: Laptop, name: str) -> None:
    wait_for(lambda: crawled(laptop), 240)
    sql = named_query(name).sql("app_logs_db")
    assert len(laptop.rows(sql)) == pyathena_rows(laptop, sql) == cli_rows(laptop, sql) > 0


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
    wait_for(lambda: laptop.lake_state() == "idle", 120)


def test_verify_finds_nothing_lost_and_nothing_doubled_after_the_kills(laptop: Laptop) -> None:
    answer = laptop.loglake("verify", "--ledger", str(laptop.data_dir / "ledger"), "--wait", "300", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    verdict = json.loads(answer.stdout)
    assert verdict["ok"]
    assert verdict["stages"]["rollup"] > 0


def test_verify_takes_other_producers_and_real_logs_and_finds_what_was_deleted(laptop: Laptop, tmp_path: Path) -> None:
    ledgers = [str(laptop.data_dir / name) for name in ("ledger", "ledger-second")]
    made = ("--rate", "max", "--count", "500", "--ledger", ledgers[1])
    assert laptop.loglake("produce", "--to", "kinesis", *made).returncode == 0
    logs = {sample.service: sample for sample in SAMPLES if sample.service in ("till", "web")}
    for service, flags in (("till", ("--ledger", ledgers[0])), ("web", ())):
        path = write_fresh(logs[service].path, tmp_path, datetime.now(UTC))
        shipped = ("produce", "--to", "kinesis", "--from", str(path), "--spool", str(tmp_path / service), *flags)
        assert laptop.loglake(*shipped).returncode == 0
    verify = ("verify", "--data-dir", str(laptop.data_dir), "--json", "--wait")
    answer = laptop.loglake(*verify, "300")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    verdict = json.loads(answer.stdout)
    assert sorted(verdict["ledgers"]) == ledgers
    assert {finding["service"] for finding in verdict["unledgered"]} == {"web"}
    assert sum(finding["events"] for finding in verdict["unledgered"]) == logs["web"].events
    assert deleted_objects(laptop, "logs/till/") > 0
    answer = laptop.loglake(*verify, "0")
    assert answer.returncode == 1
    lost = [finding for finding in json.loads(answer.stdout)["findings"] if finding["service"] == "till"]
    assert sum(finding["events"] for finding in lost if finding["stage"] == "raw") == logs["till"].events


def deleted_objects(laptop: Laptop, prefix: str) -> int:
    """Delete the raw objects under a prefix; return how many there were."""
    script = (
        "import sys, boto3; s3 = boto3.client('s3'); "
        "bucket, = (entry['Name'] for entry in s3.list_buckets()['Buckets'] if '-raw-' in entry['Name']); "
        "keys = [entry['Key'] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=sys.argv[1]).get('Contents', [])]; "
        "[s3.delete_object(Bucket=bucket, Key=key) for key in keys]; print(len(keys))"
    )
    command = [sys.executable, "-c", script, prefix]
    return int(subprocess.run(command, env=laptop.environment, capture_output=True, text=True, check=True).stdout)
