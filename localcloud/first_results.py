"""The first crawl and the first curation: started once objects are delivered instead of waiting for a schedule."""

import threading
import time
from collections.abc import Callable
from typing import Any

from catalog.settings import Settings
from localcloud.clients import Clients

POLL_S = 1.0
SETTLE_S = 3.0
"""How long the number of delivered objects must hold still: the services' first objects come within moments."""


def crawl_and_curate(client: Clients, stack_name: str, stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Wait for raw objects, then start the job and the crawler; both run at once, neither needs the other."""
    settings = Settings(stack_name, {}, client("cloudformation"))
    if not _await_objects(client("s3"), settings.raw_bucket, stopping):
        return
    glue = client("glue")
    _start(lambda: glue.start_job_run(JobName=settings.job), glue.exceptions.ConcurrentRunsExceededException)
    _start(lambda: glue.start_crawler(Name=settings.crawler), glue.exceptions.CrawlerRunningException)
    say("delivery  the first objects are in S3; curating and crawling them")


def _await_objects(s3: Any, bucket: str, stopping: threading.Event) -> bool:
    seen, since = 0, time.monotonic()
    while not stopping.wait(POLL_S):
        found = s3.list_objects_v2(Bucket=bucket, Prefix="logs/").get("KeyCount", 0)
        if found != seen:
            seen, since = found, time.monotonic()
        elif seen and time.monotonic() - since >= SETTLE_S:
            return True
    return False


def _start(call: Callable[[], Any], already_running: type[Exception]) -> None:
    try:
        call()
    except already_running:
        return
