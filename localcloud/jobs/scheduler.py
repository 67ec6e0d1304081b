"""Fires Glue triggers and crawler schedules from their cron expressions."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.engine import Context, ServiceError
from localcloud.jobs.clock import Clock
from localcloud.jobs.cron import Cron, CronError, parse
from localcloud.jobs.intervals import Intervals
from localcloud.jobs.triggers import Conditions, Trigger, scheduled

TICK_SECONDS = 1.0
REFRESH_SECONDS = 5.0
FAILURES_BEFORE_WARNING = 3
"""The endpoint stops listening before it stops its engines: a failure or two are no news then."""
logger = logging.getLogger(__name__)

CRAWL_INTERVALS = 5
CHEAP_CRAWL_SECONDS = 15
"""A lake whose last crawl took longer is crawled by its cron only."""

StartRun = Callable[[str, Mapping[str, Any], str], str]
"""(job, settings, trigger's name) -> run id"""


class Scheduler:
    """A thread that fires what is due.

    A firing whose job or crawler runs already is skipped and logged, not queued. With `job_interval_seconds`, scheduled
    triggers that start a job fire at that interval too, and crawlers that have a schedule at five times it as long as a
    crawl is cheap: a laptop's user does not wait for the hour.
    """

    def __init__(
        self,
        context: Context,
        start_run: StartRun,
        job_interval_seconds: float | None = None,
        prepare: Callable[[str], None] = lambda job: None,
    ) -> None:
        self._context = context
        self._start_run = start_run
        self._prepare = prepare
        self._prepared: set[str] = set()
        self._clock = Clock()
        self._conditions = Conditions()
        self._triggers: dict[str, Trigger] = {}
        self._crawls: set[str] = set()
        self._crawlers: list[str] = []
        self._intervals = _intervals(job_interval_seconds) if job_interval_seconds else None
        self._complained: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="glue-scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def fire(self, trigger: Trigger) -> None:
        """Do a trigger's actions; what can't be started is logged and skipped."""
        for action in trigger.get("Actions") or ():
            with _skipping(f"trigger {trigger['Name']}"):
                self._act(trigger["Name"], action)

    def run_ended(self, run: Mapping[str, Any]) -> None:
        """Fire the CONDITIONAL triggers that wait for a run; as on AWS, only if a trigger had started it."""
        if run.get("TriggerName") and not self._stopped.is_set():
            self._ended(("job", run["JobName"], run["JobRunState"]))

    def _act(self, trigger_name: str, action: Mapping[str, Any]) -> None:
        if action.get("JobName"):
            settings = {key: action[key] for key in ("Arguments", "Timeout") if action.get(key)}
            self._start_run(action["JobName"], settings, trigger_name)
        elif action.get("CrawlerName"):
            self._context.client("glue").start_crawler(Name=action["CrawlerName"])
            self._crawls.add(action["CrawlerName"])

    def _ended(self, ending: tuple[str, str, str]) -> None:
        for trigger in self._conditions.ended(ending, list(self._triggers.values())):
            self.fire(trigger)

    def _loop(self) -> None:
        refreshed, failures = 0.0, 0
        while not self._stopped.wait(TICK_SECONDS):
            try:
                if time.monotonic() - refreshed >= REFRESH_SECONDS:
                    self._refresh()
                    refreshed = time.monotonic()
                self._fire_due()
                failures = 0
            except (ClientError, BotoCoreError) as error:
                failures += 1
                if failures == FAILURES_BEFORE_WARNING:
                    logger.warning("the scheduler can't read Glue's records: %s", error)
            except Exception:
                logger.exception("the scheduler stumbled")

    def _refresh(self) -> None:
        glue = self._context.upstream("glue")
        pages = glue.get_paginator("get_triggers").paginate()
        self._triggers = {trigger["Name"]: trigger for page in pages for trigger in page["Triggers"]}
        crawlers = [item for page in glue.get_paginator("get_crawlers").paginate() for item in page["Crawlers"]]
        expressions = {f"trigger {name}": item["Schedule"] for name, item in scheduled(self._triggers.values()).items()}
        for crawler in crawlers:
            expression = (crawler.get("Schedule") or {}).get("ScheduleExpression")
            if expression:
                expressions[f"crawler {crawler['Name']}"] = expression
        self._crawlers = [name.removeprefix("crawler ") for name in expressions if name.startswith("crawler ")]
        self._clock.keep(self._parsed(expressions), datetime.now(UTC))
        self._watch_crawls()

    def _parsed(self, expressions: Mapping[str, str]) -> dict[str, Cron]:
        found = {}
        for name, expression in expressions.items():
            try:
                found[name] = parse(expression)
            except CronError as error:
                if name not in self._complained:
                    logger.warning("%s will not fire: %s", name, error)
                    self._complained.add(name)
        return found

    def _fire_due(self) -> None:
        for name in self._clock.due(datetime.now(UTC)):
            kind, _, own_name = name.partition(" ")
            if kind == "trigger":
                self.fire(self._triggers[own_name])
            else:
                self._crawl(own_name)
        if self._intervals:
            self._fire_by_interval(*self._intervals)

    def _fire_by_interval(self, jobs: Intervals, crawls: Intervals) -> None:
        now = time.monotonic()
        triggers = scheduled(self._triggers.values())
        for name in jobs.due([name for name, item in triggers.items() if _starts_a_job(item)], now):
            self.fire(triggers[name])
        self._prepare_jobs(triggers.values())
        for name in crawls.due(self._crawlers, now):
            if self._crawls_cheaply(name):
                self._crawl(name)

    def _prepare_jobs(self, triggers: Iterable[Trigger]) -> None:
        """Announce, once, each job that a schedule will start: its first run need not wait for Spark to start."""
        names = {action["JobName"] for item in triggers for action in item["Actions"] if action.get("JobName")}
        for name in names - self._prepared:
            self._prepared.add(name)
            self._prepare(name)

    def _crawl(self, name: str) -> None:
        with _skipping(f"schedule of crawler {name}"):
            self._context.client("glue").start_crawler(Name=name)

    def _crawls_cheaply(self, name: str) -> bool:
        (metrics,) = self._context.client("glue").get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
        return bool(metrics["LastRuntimeSeconds"] <= CHEAP_CRAWL_SECONDS)

    def _watch_crawls(self) -> None:
        """Notice the end of the crawls that a trigger started."""
        for name in list(self._crawls):
            crawler = self._context.client("glue").get_crawler(Name=name)["Crawler"]
            if crawler["State"] == "READY":
                self._crawls.discard(name)
                self._ended(("crawler", name, (crawler.get("LastCrawl") or {}).get("Status", "")))


def _intervals(seconds: float) -> tuple[Intervals, Intervals]:
    return Intervals(seconds), Intervals(seconds * CRAWL_INTERVALS)


@contextmanager
def _skipping(who: str) -> Iterator[None]:
    """Log what can't be started, and go on."""
    try:
        yield
    except ServiceError as error:
        logger.warning("%s: skipped: %s: %s", who, error.code, error.message)
    except (ClientError, BotoCoreError) as error:
        logger.warning("%s: skipped: %s", who, error)


def _starts_a_job(trigger: Trigger) -> bool:
    return any(action.get("JobName") for action in trigger.get("Actions") or ())
