from typing import Any

import pytest

from catalog.errors import LoglakeError
from glue_streaming.following import Crawl, JobRun, crawl, run_job


class Busy(Exception):
    """Glue's answer when a run is going already."""


class Missing(Exception):
    """Glue's answer when there is no such thing."""


class Glue:
    """Stands for Glue: a job and a crawler that need two looks to end."""

    class exceptions:
        ConcurrentRunsExceededException = Busy
        CrawlerRunningException = Busy
        EntityNotFoundException = Missing

    def __init__(self, start: type[Exception] | None = None, end: str = "SUCCEEDED") -> None:
        self._start = start
        self.asked: list[dict[str, str] | None] = []
        self._states = iter(["RUNNING", "RUNNING", end])
        self._partitions = {"payment": [1], "logs": [0]}

    def start_job_run(self, JobName: str, Arguments: dict[str, str] | None = None) -> dict[str, str]:
        self.asked.append(Arguments)
        if self._start:
            raise self._start
        return {"JobRunId": "jr_new"}

    start_crawler = lambda self, Name: self.start_job_run(Name)  # noqa: E731

    def get_job_runs(self, **_: Any) -> dict[str, Any]:
        return {"JobRuns": [{"Id": "jr_old", "JobRunState": "FAILED"}, {"Id": "jr_going", "JobRunState": "RUNNING"}]}

    def get_job_run(self, JobName: str, RunId: str) -> dict[str, Any]:
        state = next(self._states)
        message = {"ErrorMessage": "no disk"} if state == "FAILED" else {}
        return {"JobRun": {"JobRunState": state, "ExecutionTime": 12, **message}}

    def get_crawler(self, Name: str) -> dict[str, Any]:
        state = next(self._states)
        if state == "RUNNING":
            return {"Crawler": {"State": state}}
        self._partitions = {"payment": [2], "logs": [0], "inventory": [1]}
        return {"Crawler": {"State": "READY", "LastCrawl": {"Status": state}}}

    def get_paginator(self, operation: str) -> "Glue":
        return self

    def paginate(self, DatabaseName: str, TableName: str = "", **_: Any) -> list[dict[str, Any]]:
        if TableName:
            return [{"Partitions": [{}] * self._partitions[TableName][0]}]
        columns = [{"Name": "message", "Type": "string"}, {"Name": "tenant", "Type": "string"}]
        shown = columns if "inventory" in self._partitions else columns[:1]
        return [{"TableList": [{"Name": name, "StorageDescriptor": {"Columns": shown}} for name in self._partitions]}]

    def list_crawls(self, CrawlerName: str, MaxResults: int) -> dict[str, Any]:
        return {"Crawls": [{"Summary": '{"IGNORED": {"hidden": 3}}'}]}


def test_a_job_is_started_and_followed_and_every_state_told_once() -> None:
    told: list[str] = []
    assert run_job(Glue(), "curate", told.append, 0) == JobRun("jr_new", "SUCCEEDED", 12.0, "", False)
    assert told == ["started curate jr_new", "RUNNING after 0 s", "SUCCEEDED after 0 s"]


def test_a_run_that_is_going_is_joined() -> None:
    run = run_job(Glue(Busy, "FAILED"), "curate", print, 0)
    assert run == JobRun("jr_going", "FAILED", 12.0, "no disk", True)


def test_a_run_of_another_kind_is_waited_for() -> None:
    class Compacting(Glue):
        def get_job_runs(self, **_: Any) -> dict[str, Any]:
            self._start = None
            run = {"Id": "jr_going", "JobRunState": "RUNNING", "Arguments": {"--task": "compact"}}
            return {"JobRuns": [run]}

    told: list[str] = []
    glue = Compacting(Busy)
    run = run_job(glue, "curate", told.append, 0, {"--task": "reprocess", "--from": "2026-11-20"})
    assert (run.run_id, run.joined) == ("jr_new", False)
    assert told[:2] == ["waiting for jr_going, another kind of run", "started curate jr_new"]
    assert glue.asked == [{"--task": "reprocess", "--from": "2026-11-20"}] * 2


def test_a_run_is_watched_at_every_look() -> None:
    looks: list[str] = []
    run_job(Glue(), "curate", print, 0, watch=looks.append)
    assert looks == ["jr_new"] * 3


def test_a_crawl_reports_partitions_before_and_after() -> None:
    done = crawl(Glue(), "raw", "app_logs_db", print, 0)
    assert isinstance(done, Crawl)
    assert done.state == "SUCCEEDED"
    assert done.tables == {"inventory": (0, 1), "logs": (0, 0), "payment": (1, 2)}


def test_a_crawl_reports_what_is_new_and_what_was_ignored() -> None:
    done = crawl(Glue(), "raw", "app_logs_db", print, 0)
    assert (done.created, done.deleted) == (("inventory",), ())
    assert done.columns_added == {"logs": ("tenant string",), "payment": ("tenant string",)}
    assert done.ignored == {"hidden": 3}


def test_a_crawl_that_is_going_is_joined() -> None:
    assert crawl(Glue(Busy), "raw", "app_logs_db", print, 0).joined


def test_a_missing_job_names_itself_and_the_command_that_mends_it() -> None:
    with pytest.raises(LoglakeError) as failure:
        run_job(Glue(Missing), "curate", print, 0)
    assert str(failure.value) == (
        "there must be a Glue job of that name; got 'curate'; run 'loglake deploy', or 'loglake up' for a laptop"
    )
