"""The scheduler on real trigger records."""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.engine import Context, ServiceError
from localcloud.jobs.scheduler import Scheduler

pytestmark = pytest.mark.local


class Starts:
    """Records which runs the scheduler starts; `full` says that the job runs already."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Mapping[str, Any], str]] = []
        self.full = False

    def __call__(self, job: str, settings: Mapping[str, Any], trigger: str) -> str:
        self.seen.append((job, settings, trigger))
        if self.full:
            raise ServiceError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job}")
        return "jr_1"

    def of(self, trigger: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(job, settings) for job, settings, name in self.seen if name == trigger]


@pytest.fixture
def context(endpoint: Any, tmp_path: Path) -> Context:
    return Context(endpoint.client, endpoint.client, tmp_path, endpoint.url)


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def create_trigger(context: Context, **settings: Any) -> str:
    name = f"trigger-{uuid.uuid4().hex[:12]}"
    context.client("glue").create_trigger(Name=name, StartOnCreation=True, **settings)
    return name


def test_interval_fires_scheduled_triggers_again_and_again(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    action = {"JobName": "curate", "Arguments": {"--task": "available-now"}}
    name = create_trigger(context, Type="SCHEDULED", Schedule="cron(0 3 1 1 ? *)", Actions=[action])
    starts = Starts()
    starts.full = True
    scheduler = Scheduler(context, starts, job_interval_seconds=1)
    scheduler.start()
    until(lambda: len(starts.of(name)) >= 2)
    scheduler.stop()

    assert starts.of(name)[0] == ("curate", {"Arguments": {"--task": "available-now"}})
    assert f"trigger {name}: skipped: ConcurrentRunsExceededException" in caplog.text


def test_interval_starts_crawlers_that_have_a_schedule(context: Context) -> None:
    name = f"crawler-{uuid.uuid4().hex[:12]}"
    glue = context.client("glue")
    targets = {"S3Targets": [{"Path": f"s3://{name}/"}]}
    glue.create_crawler(Name=name, Role="role", DatabaseName=name, Targets=targets, Schedule="cron(0 3 1 1 ? *)")
    scheduler = Scheduler(context, Starts(), job_interval_seconds=0.2)
    scheduler.start()
    until(lambda: len(glue.list_crawls(CrawlerName=name)["Crawls"]) >= 2)
    scheduler.stop()


def test_without_interval_a_trigger_waits_for_its_cron(context: Context) -> None:
    name = create_trigger(context, Type="SCHEDULED", Schedule="cron(0 3 1 1 ? *)", Actions=[{"JobName": "curate"}])
    starts = Starts()
    scheduler = Scheduler(context, starts)
    scheduler.start()
    time.sleep(3)
    scheduler.stop()

    assert starts.of(name) == []


def test_conditional_trigger_follows_only_runs_that_a_trigger_started(context: Context) -> None:
    first = f"job-{uuid.uuid4().hex[:12]}"
    condition = {"LogicalOperator": "EQUALS", "JobName": first, "State": "SUCCEEDED"}
    name = create_trigger(
        context, Type="CONDITIONAL", Predicate={"Conditions": [condition]}, Actions=[{"JobName": "second"}]
    )
    starts = Starts()
    scheduler = Scheduler(context, starts)
    scheduler.start()
    until(lambda: name in scheduler._triggers)

    scheduler.run_ended({"JobName": first, "JobRunState": "SUCCEEDED"})
    assert starts.of(name) == []
    scheduler.run_ended({"JobName": first, "JobRunState": "SUCCEEDED", "TriggerName": "hourly"})
    assert starts.of(name) == [("second", {})]
    scheduler.stop()
