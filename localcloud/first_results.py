"""The first crawl and the first curation: started once objects are delivered instead of waiting for a schedule."""

import threading
import time
from collections.abc import Callable
from typing import Any

from catalog.settings import Settings
from localcloud.clients import Clients

POLL_S = 1.0
RETRY_S = 5.0
TRIES = 20
SETTLE_S = 3.0
"""How long the number of delivered objects must hold still: the services' first objects come within moments."""


def crawl_and_curate(client: Clients, stack_name: str, stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Wait for raw objects, then start the crawler and the job; both run at once, neither needs the other."""
    settings = Settings(stack_name, {}, client("cloudformation"))
    if not _await_objects(client("s3"), settings.raw_bucket, stopping):
        return
    say("delivery  the first objects are in S3; curating and crawling them")
    glue = client("glue")
    crawling, running = glue.exceptions.CrawlerRunningException, glue.exceptions.ConcurrentRunsExceededException
    for _ in range(2):  # the second round, right behind the first, takes what was delivered meanwhile
        _start(lambda: glue.start_crawler(Name=settings.crawler), crawling, stopping)
        _start(lambda: glue.start_job_run(JobName=settings.job), running, stopping)
    _await_end(glue, settings.job, stopping)
    _start(lambda: glue.start_crawler(Name=settings.crawler), crawling, stopping)


def insist(attempt: Callable[[], None], stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Make the attempt, and again when it fails: an endpoint that died meanwhile is soon started again."""
    failure: Exception | None = None
    for _ in range(TRIES):
        try:
            attempt()
            return
        except Exception as error:
            failure = error
        if stopping.wait(RETRY_S):
            return
    say(f"the first crawl and curation failed and are left to their schedules: {failure}; try 'loglake crawl'")


def _await_objects(s3: Any, bucket: str, stopping: threading.Event) -> bool:
    seen, since = 0, time.monotonic()
    while not stopping.wait(POLL_S):
        found = s3.list_objects_v2(Bucket=bucket, Prefix="logs/").get("KeyCount", 0)
        if found != seen:
            seen, since = found, time.monotonic()
        elif seen and time.monotonic() - since >= SETTLE_S:
            return True
    return False


def _start(call: Callable[[], Any], busy: type[Exception], stopping: threading.Event) -> None:
    """Make a call that must begin after now: a run that is under way may have listed its objects before they came."""
    while not stopping.is_set():
        try:
            call()
            return
        except busy:
            stopping.wait(POLL_S)


def _await_end(glue: Any, job: str, stopping: threading.Event) -> None:
    while not stopping.wait(POLL_S):
        runs = glue.get_job_runs(JobName=job, MaxResults=1)["JobRuns"]
        if runs and runs[0]["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
            return
