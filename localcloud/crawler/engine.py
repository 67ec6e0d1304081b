"""The crawler engine: Glue's crawler operations over real crawls on background threads."""

import statistics
import threading
import time
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from localcloud.crawler.configuration import options
from localcloud.crawler.crawl import Cancelled, Crawl, CrawlError, Summary
from localcloud.crawler.history import History
from localcloud.engine import Context, Operation, Parameters, ServiceError
from localcloud.glue_records import ask, paged, plain

LOG_GROUP = "/aws-glue/crawlers"
_LAST_STATUS = {"COMPLETED": "SUCCEEDED", "FAILED": "FAILED", "STOPPED": "CANCELLED"}
PAGE = 20


@dataclass(slots=True)
class Running:
    """A crawl under way."""

    crawl: dict[str, Any]
    cancelled: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


def build(context: Context) -> "CrawlerEngine":
    return CrawlerEngine(context)


class CrawlerEngine:
    """Answers the crawler operations; the crawlers' own records stay the emulator's.

    A crawl that was running when the process died is FAILED after the next start; what it had written stays, and
    the next crawl completes it. A crawler that was created is there after a kill, however soon that came.
    """

    name = "glue-crawler"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._history = History(context.data_dir / "crawler" / "crawls.sqlite")
        self._logs = context.data_dir / "logs" / "crawler"
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}
        self.operations: Mapping[str, Operation] = {
            "AWSGlue.StartCrawler": self.start_crawler,
            "AWSGlue.StopCrawler": self.stop_crawler,
            "AWSGlue.GetCrawler": self.get_crawler,
            "AWSGlue.GetCrawlers": self.get_crawlers,
            "AWSGlue.BatchGetCrawlers": self.batch_get_crawlers,
            "AWSGlue.ListCrawlers": self.list_crawlers,
            "AWSGlue.GetCrawlerMetrics": self.get_crawler_metrics,
            "AWSGlue.ListCrawls": self.list_crawls,
            "AWSGlue.CreateCrawler": self.create_crawler,
            "AWSGlue.UpdateCrawler": self.update_crawler,
            "AWSGlue.DeleteCrawler": self.delete_crawler,
        }
        for crawl in self._history.unfinished():
            ended = {"State": "FAILED", "EndTime": time.time(), "ErrorMessage": "the endpoint stopped during the crawl"}
            self._history.save({**crawl, **ended})

    def start(self) -> None:
        """Make those crawlers again that a kill took before the emulator's state was written."""
        known = set(self._names())
        for name, request in self._history.requests().items():
            if name not in known:
                ask(self._context.upstream("glue").create_crawler, request)

    def stop(self) -> None:
        """Cancel the running crawls and wait for them."""
        with self._lock:
            running = list(self._running.values())
        for one in running:
            one.cancelled.set()
        for one in running:
            if one.thread:
                one.thread.join(timeout=10)
        self._history.close()

    def status(self) -> dict[str, Any]:
        with self._lock:
            return {"running": sorted(self._running)}

    def start_crawler(self, parameters: Parameters) -> Parameters:
        name = parameters["Name"]
        record = self._record(name)
        with self._lock:
            if name in self._running:
                raise ServiceError("CrawlerRunningException", f"Crawler with name {name} has already started")
            running = Running(self._new_crawl(name))
            self._running[name] = running
        self._history.save(running.crawl)
        running.thread = threading.Thread(target=self._run, args=(record, running), name=f"crawl-{name}", daemon=True)
        running.thread.start()
        return {}

    def stop_crawler(self, parameters: Parameters) -> Parameters:
        name = parameters["Name"]
        self._record(name)
        with self._lock:
            running = self._running.get(name)
            if running is None:
                raise ServiceError("CrawlerNotRunningException", f"Crawler with name {name} isn't running")
            if running.cancelled.is_set():
                raise ServiceError("CrawlerStoppingException", f"Crawler with name {name} is stopping")
            running.cancelled.set()
        return {}

    def get_crawler(self, parameters: Parameters) -> Parameters:
        return {"Crawler": self._merged(self._record(parameters["Name"]))}

    def get_crawlers(self, parameters: Parameters) -> Parameters:
        names = self._names()
        page, token = paged(names, parameters, PAGE * 5)
        return {"Crawlers": [self._merged(self._record(name)) for name in page], **token}

    def batch_get_crawlers(self, parameters: Parameters) -> Parameters:
        known = set(self._names())
        names = parameters["CrawlerNames"]
        return {
            "Crawlers": [self._merged(self._record(name)) for name in names if name in known],
            "CrawlersNotFound": [name for name in names if name not in known],
        }

    def list_crawlers(self, parameters: Parameters) -> Parameters:
        page, token = paged(self._names(), parameters, PAGE * 5)
        return {"CrawlerNames": page, **token}

    def get_crawler_metrics(self, parameters: Parameters) -> Parameters:
        page, token = paged(parameters.get("CrawlerNameList") or self._names(), parameters, PAGE * 5)
        return {"CrawlerMetricsList": [self._metrics(name) for name in page], **token}

    def list_crawls(self, parameters: Parameters) -> Parameters:
        name = parameters["CrawlerName"]
        self._record(name)
        found = [crawl for crawl in self._history.crawls(name) if _passes(crawl, parameters.get("Filters") or ())]
        page, token = paged(found, parameters, PAGE)
        hidden = ("Crawler", "Counts")
        return {"Crawls": [{key: crawl[key] for key in crawl if key not in hidden} for crawl in page], **token}

    def create_crawler(self, parameters: Parameters) -> Parameters:
        ask(self._context.upstream("glue").create_crawler, parameters)
        self._history.remember(parameters["Name"], parameters)
        return {}

    def update_crawler(self, parameters: Parameters) -> Parameters:
        self._pass_on("update_crawler", parameters)
        if parameters["Name"] in self._history.requests():
            self._history.remember(parameters["Name"], parameters)
        return {}

    def delete_crawler(self, parameters: Parameters) -> Parameters:
        self._pass_on("delete_crawler", parameters)
        self._history.forget(parameters["Name"])
        return {}

    def _pass_on(self, operation: str, parameters: Parameters) -> Parameters:
        with self._lock:
            if parameters["Name"] in self._running:
                raise ServiceError("CrawlerRunningException", f"Crawler with name {parameters['Name']} is running")
        ask(getattr(self._context.upstream("glue"), operation), parameters)
        return {}

    def _names(self) -> list[str]:
        return [crawler["Name"] for crawler in ask(self._context.upstream("glue").get_crawlers, {})["Crawlers"]]

    def _record(self, name: str) -> dict[str, Any]:
        record = ask(self._context.upstream("glue").get_crawler, {"Name": name})["Crawler"]
        assert isinstance(record, dict)
        return record

    def _merged(self, record: Mapping[str, Any]) -> Parameters:
        """Return the emulator's record with our state in it."""
        own = {"State": "READY", "CrawlElapsedTime": 0, "LastCrawl": None}
        with self._lock:
            running = self._running.get(record["Name"])
        if running:
            own["State"] = "STOPPING" if running.cancelled.is_set() else "RUNNING"
            own["CrawlElapsedTime"] = round((time.time() - running.crawl["StartTime"]) * 1000)
        ended = [crawl for crawl in self._history.crawls(record["Name"]) if crawl["State"] in _LAST_STATUS]
        merged = {**record, **own, "LastCrawl": _last_crawl(ended[0]) if ended else None}
        if merged.get("Schedule"):
            merged["Schedule"] = {"State": "SCHEDULED", **merged["Schedule"]}
        return {key: value for key, value in plain(merged).items() if value is not None}

    def _metrics(self, name: str) -> Parameters:
        crawls = self._history.crawls(name)
        ended = [crawl for crawl in crawls if "EndTime" in crawl]
        seconds = [crawl["EndTime"] - crawl["StartTime"] for crawl in ended]
        counts = ended[0].get("Counts") or {} if ended else {}
        with self._lock:
            running = name in self._running
        return {
            "CrawlerName": name,
            "TimeLeftSeconds": 0.0,
            "StillEstimating": running,
            "LastRuntimeSeconds": seconds[0] if seconds else 0.0,
            "MedianRuntimeSeconds": statistics.median(seconds) if seconds else 0.0,
            "TablesCreated": counts.get("tables_created", 0),
            "TablesUpdated": counts.get("tables_updated", 0),
            "TablesDeleted": counts.get("tables_deleted", 0),
        }

    def _new_crawl(self, name: str) -> dict[str, Any]:
        crawl_id = str(uuid.uuid4())
        return {
            "CrawlId": crawl_id,
            "Crawler": name,
            "State": "RUNNING",
            "StartTime": time.time(),
            "LogGroup": LOG_GROUP,
            "LogStream": name,
            "MessagePrefix": crawl_id,
            "DPUHour": 0.0,
        }

    def _run(self, record: Mapping[str, Any], running: Running) -> None:
        outcome: dict[str, Any]
        try:
            summary = self._crawl(record, running)
            outcome = {"State": "COMPLETED", "Summary": summary.to_json(), "Counts": summary.counts()}
        except Cancelled:
            outcome = {"State": "STOPPED"}
        except (CrawlError, ValueError, ClientError) as error:
            outcome = {"State": "FAILED", "ErrorMessage": str(error)}
        except Exception as error:
            self._log(running, traceback.format_exc())
            outcome = {"State": "FAILED", "ErrorMessage": f"Internal Service Exception: {error!r}"}
        ended = {**running.crawl, **outcome, "EndTime": time.time()}
        try:
            self._log(running, " ".join(filter(None, ["Finished:", ended["State"], outcome.get("ErrorMessage")])))
            self._history.save(ended)
        finally:
            with self._lock:
                del self._running[record["Name"]]

    def _crawl(self, record: Mapping[str, Any], running: Running) -> Summary:
        wanted = options(record)
        self._log(running, f"Running Start Crawl for Crawler {wanted.crawler}")
        return Crawl(
            options=wanted,
            s3=self._context.client("s3"),
            glue=self._context.client("glue"),
            cache=self._history.samples(wanted.crawler),
            cancelled=running.cancelled.is_set,
            log=lambda message: self._log(running, message),
        ).run()

    def _log(self, running: Running, message: str) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with (self._logs / f"{running.crawl['Crawler']}.log").open("a", encoding="utf-8") as log:
            log.write(f"{stamp} [{running.crawl['CrawlId']}] {message}\n")


def _last_crawl(crawl: Mapping[str, Any]) -> Parameters:
    last = {
        "Status": _LAST_STATUS[crawl["State"]],
        "LogGroup": crawl["LogGroup"],
        "LogStream": crawl["LogStream"],
        "MessagePrefix": crawl["MessagePrefix"],
        "StartTime": crawl["StartTime"],
    }
    return {**last, "ErrorMessage": crawl["ErrorMessage"]} if crawl.get("ErrorMessage") else last


def _passes(crawl: Mapping[str, Any], filters: Any) -> bool:
    return all(_passes_one(crawl, one) for one in filters)


def _passes_one(crawl: Mapping[str, Any], one: Mapping[str, str]) -> bool:
    names = {"CRAWL_ID": "CrawlId", "STATE": "State", "START_TIME": "StartTime", "END_TIME": "EndTime"}
    value = crawl.get(names.get(one.get("FieldName", ""), ""))
    if value is None:
        return False
    if isinstance(value, str):
        return (value == one["FieldValue"]) is (one.get("FilterOperator") != "NE")
    limit = float(one["FieldValue"]) / 1000
    checks = {"GT": value > limit, "GE": value >= limit, "LT": value < limit, "LE": value <= limit}
    return bool(checks.get(one.get("FilterOperator", ""), value == limit))
