"""Job runs on local Spark, through the endpoint."""

import json
import os
import signal
import textwrap
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

pytestmark = [pytest.mark.local, pytest.mark.spark]

COUNT = """
    import sys, json, argparse, os
    from pyspark.sql import SparkSession
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw-path"); parser.add_argument("--result")
    arguments, _ = parser.parse_known_args()
    spark = SparkSession.builder.appName("count").getOrCreate()
    rows = spark.read.json(arguments.raw_path, recursiveFileLookup=True).count()
    with open(arguments.result, "a") as out:
        out.write(json.dumps({"rows": rows, "path": arguments.raw_path, "pid": os.getpid(),
                              "zone": spark.conf.get("spark.sql.session.timeZone"),
                              "leftover": spark.conf.get("loglake.mark", "none")}) + "\\n")
    spark.conf.set("loglake.mark", "seen")
    print("counted", rows)
"""
SLEEP = """
    import time
    from pyspark.sql import SparkSession
    SparkSession.builder.getOrCreate()
    print("sleeping", flush=True)
    time.sleep(120)
"""


@dataclass
class Job:
    """A bucket and a Glue job of one test's own."""

    endpoint: Any
    name: str

    def __post_init__(self) -> None:
        self.s3 = self.endpoint.client("s3")
        self.glue = self.endpoint.client("glue")
        self.s3.create_bucket(Bucket=self.name)

    def script(self, text: str) -> None:
        self.s3.put_object(Bucket=self.name, Key="job.py", Body=textwrap.dedent(text).encode())

    def create(self, text: str, **arguments: str) -> None:
        self.script(text)
        self.glue.create_job(
            Name=self.name,
            Role="arn:aws:iam::000000000000:role/job",
            GlueVersion="5.1",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{self.name}/job.py", "PythonVersion": "3"},
            DefaultArguments={f"--{key.replace('_', '-')}": value for key, value in arguments.items()},
        )

    def start(self, **settings: Any) -> str:
        return self.glue.start_job_run(JobName=self.name, **settings)["JobRunId"]

    def get(self, run_id: str) -> dict[str, Any]:
        return self.glue.get_job_run(JobName=self.name, RunId=run_id)["JobRun"]

    def wait(self, run_id: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        wanted = states or ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.get(run_id)
            if run["JobRunState"] in wanted:
                return run
            time.sleep(0.1)
        raise AssertionError(f"the run is {run['JobRunState']}, not {wanted}")

    def run(self, **settings: Any) -> dict[str, Any]:
        return self.wait(self.start(**settings))

    def log(self, run_id: str) -> str:
        return (self.endpoint.data_dir / "engines" / "logs" / "glue" / f"{run_id}.log").read_text()


@pytest.fixture
def job(endpoint: Any) -> Iterator[Job]:
    yield Job(endpoint, f"job-{uuid.uuid4().hex[:12]}")


def drivers(endpoint: Any) -> list[psutil.Process]:
    """Return the driver processes of an endpoint, their JVMs not counted."""
    children = psutil.Process(endpoint.process.pid).children()
    return [child for child in children if any("driver.py" in word for word in child.cmdline())]


def test_second_run_is_warm_and_reads_the_new_objects(job: Job, tmp_path: Any) -> None:
    result = tmp_path / "result.jsonl"
    job.create(COUNT, raw_path=f"s3://{job.name}/logs/", result=str(result))
    job.s3.put_object(Bucket=job.name, Key="logs/payment/year=2026/a.json", Body=b'{"a": 1}\n{"a": 2}\n')
    first = job.run()
    assert first["JobRunState"] == "SUCCEEDED", first
    job.s3.put_object(Bucket=job.name, Key="logs/payment/year=2026/b.json", Body=b'{"a": 3}\n')

    second = job.run()

    assert second["JobRunState"] == "SUCCEEDED", second
    one, two = [json.loads(line) for line in result.read_text().splitlines()]
    assert (one["rows"], two["rows"]) == (2, 3)
    assert one["pid"] == two["pid"]
    assert two["leftover"] == "none"
    assert one["zone"] == "UTC"
    assert one["path"] == f"file://{job.endpoint.data_dir}/engines/mirror/{job.name}/logs/"
    assert second["CompletedOn"] - second["StartedOn"] < first["CompletedOn"] - first["StartedOn"]
    assert "counted 3" in job.log(second["Id"])
    assert [run["Id"] for run in job.glue.get_job_runs(JobName=job.name)["JobRuns"]] == [second["Id"], first["Id"]]


def test_library_changes_reach_the_next_run(job: Job, tmp_path: Any) -> None:
    import io
    import zipfile

    def upload(answer: int) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("lake_library.py", f"ANSWER = {answer}\n")
        job.s3.put_object(Bucket=job.name, Key="library.zip", Body=packed.getvalue())

    upload(1)
    job.create(
        "import lake_library; print('answer', lake_library.ANSWER)", extra_py_files=f"s3://{job.name}/library.zip"
    )
    first = job.run()
    upload(2)
    second = job.run()

    assert "answer 1" in job.log(first["Id"])
    assert "answer 2" in job.log(second["Id"])


def test_failure_gives_the_error_and_leaves_the_driver_usable(job: Job) -> None:
    job.create("raise ValueError('no such day')")
    failed = job.run()
    job.script(
        "import sys; from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate().stop(); sys.exit(3)"
    )
    stopped_session = job.run()
    job.script(
        "from pyspark.sql import SparkSession; print('rows', SparkSession.builder.getOrCreate().range(5).count())"
    )
    after = job.run()

    assert failed["JobRunState"] == "FAILED"
    assert failed["ErrorMessage"].splitlines()[0] == "ValueError: no such day"
    assert stopped_session["ErrorMessage"] == "SystemExit: 3"
    assert after["JobRunState"] == "SUCCEEDED", after
    assert "rows 5" in job.log(after["Id"])


def test_killed_driver_fails_its_run_and_the_next_run_works(job: Job) -> None:
    job.create(SLEEP)
    run_id = job.start()
    job.wait(run_id, "RUNNING")
    for process in drivers(job.endpoint):
        if job.name in str(process.cwd()):
            os.kill(process.pid, signal.SIGKILL)

    failed = job.wait(run_id)
    job.script("print('well again')")
    after = job.run()

    assert failed["JobRunState"] == "FAILED"
    assert failed["ErrorMessage"].startswith("the Spark driver ended with signal SIGKILL")
    assert after["JobRunState"] == "SUCCEEDED", after


def test_run_on_a_driver_whose_jvm_was_killed_is_done_by_another(job: Job, tmp_path: Any) -> None:
    job.create(COUNT, raw_path=f"s3://{job.name}/logs/", result=str(tmp_path / "result.jsonl"))
    job.s3.put_object(Bucket=job.name, Key="logs/payment/a.json", Body=b'{"a": 1}')
    before = {driver.pid for driver in drivers(job.endpoint)}
    assert job.run()["JobRunState"] == "SUCCEEDED"
    (driver,) = [each for each in drivers(job.endpoint) if each.pid not in before]
    (jvm,) = [each for each in driver.children(recursive=True) if "java" in each.name()]
    jvm.kill()
    deadline = time.monotonic() + 10
    while jvm.is_running() and jvm.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    run = job.run()
    assert run["JobRunState"] == "SUCCEEDED", run


def test_stop_ends_a_run_and_a_second_run_is_refused_meanwhile(job: Job) -> None:
    job.create(SLEEP)
    run_id = job.start()
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        job.start()
    job.wait(run_id, "RUNNING")

    answer = job.glue.batch_stop_job_run(JobName=job.name, JobRunIds=[run_id, "jr_nobody"])

    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == [run_id]
    assert [item["ErrorDetail"]["ErrorCode"] for item in answer["Errors"]] == ["EntityNotFoundException"]
    assert job.wait(run_id)["JobRunState"] == "STOPPED"


def test_on_demand_trigger_crawls_then_a_conditional_one_runs_the_job(job: Job) -> None:
    job.create("print('after the crawl')")
    job.s3.put_object(Bucket=job.name, Key="logs/payment/a.json", Body=b'{"a": 1}\n')
    target = {"S3Targets": [{"Path": f"s3://{job.name}/logs/"}]}
    job.glue.create_crawler(Name=job.name, Role="role", DatabaseName=job.name, Targets=target)
    crawled = {"LogicalOperator": "EQUALS", "CrawlerName": job.name, "CrawlState": "SUCCEEDED"}
    job.glue.create_trigger(
        Name=f"{job.name}-after",
        Type="CONDITIONAL",
        StartOnCreation=True,
        Predicate={"Conditions": [crawled]},
        Actions=[{"JobName": job.name, "Arguments": {"--from": "trigger"}}],
    )
    job.glue.create_trigger(Name=f"{job.name}-now", Type="ON_DEMAND", Actions=[{"CrawlerName": job.name}])

    job.glue.start_trigger(Name=f"{job.name}-now")

    deadline = time.monotonic() + 60
    while not (runs := job.glue.get_job_runs(JobName=job.name)["JobRuns"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    run = job.wait(runs[0]["Id"])
    assert (run["JobRunState"], run["TriggerName"], run["Arguments"]) == (
        "SUCCEEDED",
        f"{job.name}-after",
        {"--from": "trigger"},
    )


def test_missing_script_fails_with_what_to_do(job: Job) -> None:
    job.create("")
    job.s3.delete_object(Bucket=job.name, Key="job.py")

    assert job.run()["ErrorMessage"] == (
        f"ScriptLocation must exist in S3; got 's3://{job.name}/job.py'; run 'loglake deploy'"
    )


def test_run_under_way_at_a_kill_is_failed_and_leaves_no_process(own_endpoint: Any) -> None:
    first = own_endpoint()
    job = Job(first, "job-killed")
    job.create(SLEEP)
    run_id = job.start()
    job.wait(run_id, "RUNNING")
    (driver,) = drivers(first)
    family = [driver, *driver.children(recursive=True)]
    first.kill()

    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    job.endpoint = own_endpoint()
    run = job.endpoint.client("glue").get_job_run(JobName=job.name, RunId=run_id)["JobRun"]
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "the endpoint stopped during the run")
