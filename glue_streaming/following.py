"""Runs of the Glue crawler and the Glue job: started, or joined when one is going already, and followed to the end."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import LoglakeError

POLL_SECONDS = 2.0
DONE = "SUCCEEDED"
_GOING = ("STARTING", "RUNNING", "STOPPING", "WAITING")

Progress = Callable[[str], None]
_TELLING = ("--task", "--from", "--to", "--before-days")
"""Arguments that say what a run is for."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """How a run of the job ended: its state in Glue's words, its seconds, and Glue's message if it failed."""

    run_id: str
    state: str
    seconds: float
    message: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Crawl:
    """What a crawl did: all tables, each with its number of partitions before and after, and what is new in them.

    `ignored` counts objects by the reason they were left out, where the crawler's own summary tells that.
    """

    state: str
    seconds: float
    message: str
    joined: bool
    tables: Mapping[str, tuple[int, int]]
    created: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    columns_added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalog has it: the number of its partitions, and its columns as `name type`."""

    partitions: int
    columns: tuple[str, ...]


NONE = Table(0, ())


def run_job(
    glue: Any,
    job: str,
    progress: Progress,
    poll_seconds: float = POLL_SECONDS,
    arguments: Mapping[str, str] | None = None,
    watch: Progress = lambda run_id: None,
) -> JobRun:
    """Start the job, or join the run that is going for the same end, and return how it ended.

    While a run for another end is going, wait for it. `watch` gets the run's id at every look.
    """
    run_id, joined = _start_job(glue, job, arguments or {}, progress, poll_seconds)
    progress(f"{'following' if joined else 'started'} {job} {run_id}")

    def look() -> Mapping[str, Any]:
        run = _job_run(glue, job, run_id)
        watch(run_id)
        return run

    *_, last = _until_done(look, lambda run: str(run["JobRunState"]), progress, poll_seconds)
    seconds = float(last.get("ExecutionTime") or 0)
    return JobRun(run_id, last["JobRunState"], seconds, last.get("ErrorMessage", ""), joined)


def crawl(glue: Any, crawler: str, database: str, progress: Progress, poll_seconds: float = POLL_SECONDS) -> Crawl:
    """Start the crawler, or join the crawl that is going, and return what it did."""
    began = time.monotonic()
    before = read_tables(glue, database)
    joined = _start_crawler(glue, crawler)
    progress(f"{'following' if joined else 'started'} crawler {crawler}")
    states = _until_done(lambda: _crawler(glue, crawler), lambda found: str(found["State"]), progress, poll_seconds)
    for found in states:
        last = found.get("LastCrawl", {})
    after = read_tables(glue, database)
    seconds = time.monotonic() - began
    return Crawl(
        state=last.get("Status", DONE),
        seconds=seconds,
        message=last.get("ErrorMessage", ""),
        joined=joined,
        tables={name: (before.get(name, NONE).partitions, table.partitions) for name, table in sorted(after.items())},
        created=tuple(sorted(after.keys() - before.keys())),
        deleted=tuple(sorted(before.keys() - after.keys())),
        columns_added=_columns_added(before, after),
        ignored=_ignored(glue, crawler),
    )


def read_tables(glue: Any, database: str) -> dict[str, Table]:
    """Return every table of a database by its name."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    found = [table for page in pages for table in page["TableList"]]
    return {table["Name"]: Table(_partitions(glue, database, table["Name"]), _columns(table)) for table in found}


def _columns(table: Mapping[str, Any]) -> tuple[str, ...]:
    columns = (table.get("StorageDescriptor") or {}).get("Columns") or ()
    return tuple(f"{column['Name']} {column.get('Type', '')}".strip() for column in columns)


def _columns_added(before: Mapping[str, Table], after: Mapping[str, Table]) -> dict[str, tuple[str, ...]]:
    """Return the columns that a known table has now, or has with another type."""
    both = sorted(before.keys() & after.keys())
    added = {name: tuple(each for each in after[name].columns if each not in before[name].columns) for name in both}
    return {name: columns for name, columns in added.items() if columns}


def _ignored(glue: Any, crawler: str) -> dict[str, int]:
    """Return how many objects the newest crawl left out, by reason; empty where its summary has nothing of it."""
    crawls = glue.list_crawls(CrawlerName=crawler, MaxResults=1).get("Crawls") or [{}]
    try:
        summary = json.loads(crawls[0].get("Summary") or "{}")
    except ValueError:
        return {}
    ignored = summary.get("IGNORED") if isinstance(summary, dict) else None
    return {str(reason): int(count) for reason, count in ignored.items()} if isinstance(ignored, dict) else {}


def _partitions(glue: Any, database: str, table: str) -> int:
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, ExcludeColumnSchema=True
    )
    return sum(len(page["Partitions"]) for page in pages)


def _start_job(
    glue: Any, job: str, arguments: Mapping[str, str], progress: Progress, poll_seconds: float
) -> tuple[str, bool]:
    told = ""
    while True:
        try:
            return str(glue.start_job_run(JobName=job, Arguments=dict(arguments))["JobRunId"]), False
        except glue.exceptions.ConcurrentRunsExceededException:
            runs = glue.get_job_runs(JobName=job, MaxResults=20)["JobRuns"]
        except glue.exceptions.EntityNotFoundException:
            raise _no_such("Glue job", job) from None
        going = [run for run in runs if run["JobRunState"] in _GOING]
        for run in going:
            if _end_of(run.get("Arguments") or {}) == _end_of(arguments):
                return str(run["Id"]), True
        if going and told != going[0]["Id"]:
            told = going[0]["Id"]
            progress(f"waiting for {told}, another kind of run")
        time.sleep(poll_seconds if going else 0)  # else it ended between the two calls


def _no_such(kind: str, name: str) -> LoglakeError:
    return LoglakeError(
        f"there must be a {kind} of that name; got {name!r}; run 'loglake deploy', or 'loglake up' for a laptop"
    )


def _end_of(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return what a run is for; one without a task curates."""
    return {"--task": "available-now", **{name: arguments[name] for name in _TELLING if name in arguments}}


def _start_crawler(glue: Any, crawler: str) -> bool:
    try:
        glue.start_crawler(Name=crawler)
    except glue.exceptions.CrawlerRunningException:
        return True
    except glue.exceptions.EntityNotFoundException:
        raise _no_such("crawler", crawler) from None
    return False


def _job_run(glue: Any, job: str, run_id: str) -> Mapping[str, Any]:
    run: Mapping[str, Any] = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
    return run


def _crawler(glue: Any, crawler: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = glue.get_crawler(Name=crawler)["Crawler"]
    return found


def _until_done(
    look: Callable[[], Mapping[str, Any]],
    state_of: Callable[[Mapping[str, Any]], str],
    progress: Progress,
    poll_seconds: float,
) -> Iterator[Mapping[str, Any]]:
    """Yield what `look` returns until its state is none of those that pass; tell each new state once."""
    told = ""
    began = time.monotonic()
    while True:
        found = look()
        state = state_of(found)
        if state != told:
            progress(f"{state} after {time.monotonic() - began:.0f} s")
            told = state
        yield found
        if state not in _GOING:
            return
        time.sleep(poll_seconds)
