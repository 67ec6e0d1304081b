"""What the pages ask of the pipeline itself: the Glue catalog, the buckets and the stages. Athena is not needed.

`client` and `settings` come from the class that this one is a part of; nothing here makes a client.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from catalog.errors import LoglakeError, QueryError
from catalog.settings import Settings
from dashboard.drift import latest_drift

SMALL_BYTES = 16 * 10**6
"""Athena reads an object of less than this slower than its size says."""
ERROR_DAYS = 7
SHOWN_ERRORS = 8
GLUE_BATCH = 100


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage of the pipeline stands: in a word, in a sentence, and when it last did something."""

    name: str
    state: str
    detail: str = ""
    last_at: datetime | None = None
    is_laptop: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a partition holds: its objects, how many of them are small, and their bytes."""

    objects: int
    small_objects: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """One object that the delivery stream could not deliver, with the reason and the start of its first record."""

    key: str
    stored_bytes: int
    written_at: datetime
    reason: str = ""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The error objects of the last `ERROR_DAYS` days: how many, their bytes, and the newest."""

    objects: int
    stored_bytes: int
    newest: tuple[ErrorObject, ...] = ()


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of the curation job: how long it took, on how many DPUs."""

    run_id: str
    state: str
    started_at: datetime
    seconds: float
    dpus: float
    error: str = ""


class Inspection:
    """The reading side of the stages; a part of `Athena`, which gives it its clients."""

    settings: Settings

    def client(self, name: str) -> Any:
        """Return the client of a service."""
        raise NotImplementedError

    def content(self, bucket: str, key: str, first_bytes: int = 0) -> bytes:
        """Return an object, or its first bytes."""
        span = {"Range": f"bytes=0-{first_bytes - 1}"} if first_bytes else {}
        found = call(self.client("s3").get_object, Bucket=bucket, Key=key, **span)
        try:
            return bytes(found["Body"].read())
        except BotoCoreError as error:
            raise QueryError(f"s3://{bucket}/{key} can't be read: {error}") from error

    def schemas(self) -> dict[str, dict[str, str]]:
        pages = self.client("glue").get_paginator("get_tables").paginate(DatabaseName=self.settings.database)
        found = _all(pages, "TableList", "the Glue catalog")
        return {table["Name"]: _column_types(table) for table in found}

    def tables(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(columns) for name, columns in self.schemas().items()}

    def partitions(self, table: str) -> list[str]:
        arguments = {"DatabaseName": self.settings.database, "TableName": table, "ExcludeColumnSchema": True}
        pages = self.client("glue").get_paginator("get_partitions").paginate(**arguments)
        return sorted("/".join(found["Values"]) for found in _all(pages, "Partitions", f"the partitions of {table}"))

    def measure(self, table: str, partitions: Sequence[str]) -> dict[str, Measured]:
        return {name: _measured(self._objects(*_place(uri))) for name, uri in self._locations(table, partitions)}

    def undelivered(self, now: datetime) -> Undelivered:
        bucket, since = self.settings.raw_bucket, now - timedelta(days=ERROR_DAYS)
        objects = [found for found in self._objects(bucket, "errors/") if found["LastModified"] >= since]
        newest = sorted(objects, key=lambda found: found["LastModified"], reverse=True)[:SHOWN_ERRORS]
        size = sum(found["Size"] for found in objects)
        return Undelivered(len(objects), size, tuple(self._error_object(bucket, found) for found in newest))

    def job_runs(self) -> list[JobRun]:
        found = call(self.client("glue").get_job_runs, JobName=self.settings.job, MaxResults=50)["JobRuns"]
        return sorted((_job_run(run) for run in found), key=lambda run: run.started_at, reverse=True)

    def stages(self, now: datetime) -> list[Stage]:
        looks = (
            ("Kinesis stream", "kinesis", self._stream),
            ("Delivery stream", "firehose", self._delivery_stream),
            ("Raw objects", "s3", lambda: self._raw_objects(now)),
            ("Undeliverable", "s3", lambda: self._error_objects(now)),
            ("Crawler", "glue", self._crawler),
            ("Curation job", "glue", self._job),
        )
        return [self._stage(name, service, look) for name, service, look in looks]

    def _stage(self, name: str, service: str, look: Callable[[], tuple[str, str, datetime | None]]) -> Stage:
        """Return one stage as it stands; one that can't be asked says why, and the others still answer."""
        try:
            state, detail, last_at = look()
        except LoglakeError as error:
            return Stage(name, "unknown", error=str(error))
        host = urlsplit(self.client(service).meta.endpoint_url).hostname or ""
        return Stage(name, state, detail, last_at, is_laptop=host in ("127.0.0.1", "localhost", "::1"))

    def _stream(self) -> tuple[str, str, datetime | None]:
        if not self.settings.stream:
            return "not used", "the producer puts straight to the delivery stream", None
        found = call(self.client("kinesis").describe_stream_summary, StreamName=self.settings.stream)
        summary = found["StreamDescriptionSummary"]
        shards, hours = summary["OpenShardCount"], summary["RetentionPeriodHours"]
        counted = f"{shards} open {'shard' if shards == 1 else 'shards'}"
        return summary["StreamStatus"].lower(), f"{self.settings.stream}: {counted}, kept {hours} h", None

    def _delivery_stream(self) -> tuple[str, str, datetime | None]:
        name = self.settings.delivery_stream
        found = call(self.client("firehose").describe_delivery_stream, DeliveryStreamName=name)
        return found["DeliveryStreamDescription"]["DeliveryStreamStatus"].lower(), name, None

    def _raw_objects(self, now: datetime) -> tuple[str, str, datetime | None]:
        bucket = self.settings.raw_bucket
        folders = call(self.client("s3").list_objects_v2, Bucket=bucket, Prefix="logs/", Delimiter="/")
        day = f"year={now:%Y}/month={now:%m}/day={now:%d}/"
        prefixes = [folder["Prefix"] for folder in folders.get("CommonPrefixes", [])]
        objects = [found for prefix in prefixes for found in self._objects(bucket, prefix + day)]
        return _described(objects, f"today, of {len(prefixes)} services")

    def _error_objects(self, now: datetime) -> tuple[str, str, datetime | None]:
        objects = self._objects(self.settings.raw_bucket, "errors/")
        today = [found for found in objects if found["LastModified"].astimezone(UTC).date() == now.date()]
        return _described(today, f"today under errors/, {len(objects):,} in all", "none")

    def _objects(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return [found for page in pages for found in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise QueryError(f"s3://{bucket}/{prefix} can't be listed: {error}") from error

    def _crawler(self) -> tuple[str, str, datetime | None]:
        crawler = call(self.client("glue").get_crawler, Name=self.settings.crawler)["Crawler"]
        last = crawler.get("LastCrawl", {})
        state = crawler["State"].lower() if crawler["State"] != "READY" else last.get("Status", "never ran").lower()
        detail = last.get("ErrorMessage") or crawler.get("Schedule", {}).get("ScheduleExpression", "no schedule")
        return state, " · ".join(filter(None, [detail, self._drift()])), last.get("StartTime")

    def _drift(self) -> str:
        """Return the newest schema drift; nothing when the crawls can't be listed."""
        try:
            return latest_drift(call(self.client("glue").list_crawls, CrawlerName=self.settings.crawler)["Crawls"])
        except QueryError:
            return ""

    def _job(self) -> tuple[str, str, datetime | None]:
        runs = call(self.client("glue").get_job_runs, JobName=self.settings.job, MaxResults=10)["JobRuns"]
        if not runs:
            return "never ran", "run 'loglake curate'", None
        latest = max(runs, key=lambda run: run["StartedOn"])
        detail = latest.get("ErrorMessage") or f"took {latest.get('ExecutionTime', 0)} s"
        return latest["JobRunState"].lower(), detail, latest["StartedOn"]

    def _locations(self, table: str, partitions: Sequence[str]) -> Iterator[tuple[str, str]]:
        for start in range(0, len(partitions), GLUE_BATCH):
            wanted = [{"Values": name.split("/")} for name in partitions[start : start + GLUE_BATCH]]
            found = call(
                self.client("glue").batch_get_partition,
                DatabaseName=self.settings.database,
                TableName=table,
                PartitionsToGet=wanted,
            )
            for partition in found["Partitions"]:
                yield "/".join(partition["Values"]), partition["StorageDescriptor"]["Location"]

    def _error_object(self, bucket: str, found: dict[str, Any]) -> ErrorObject:
        try:
            reason, sample = read_error(self.content(bucket, found["Key"], 20_000))
        except QueryError as error:
            reason, sample = str(error), ""
        return ErrorObject(found["Key"], found["Size"], found["LastModified"], reason, sample)


def read_error(content: bytes) -> tuple[str, str]:
    """Return the reason that an error object's first record gives, and the start of what it could not deliver."""
    line = content.split(b"\n", 1)[0]
    try:
        record = json.loads(line)
        raw = base64.b64decode(record.get("rawData", ""))
    except (ValueError, AttributeError):
        return "", line[:300].decode("utf-8", "replace")
    code, text = record.get("errorCode", ""), record.get("errorMessage", "")
    return ": ".join(part for part in (code, text) if part), raw[:300].decode("utf-8", "replace")


def _column_types(table: dict[str, Any]) -> dict[str, str]:
    columns = table.get("StorageDescriptor", {}).get("Columns", []) + table.get("PartitionKeys", [])
    return {column["Name"]: column.get("Type", "string") for column in columns}


def _all(pages: Any, key: str, what: str) -> list[dict[str, Any]]:
    try:
        return [found for page in pages for found in page[key]]
    except (ClientError, BotoCoreError) as error:
        raise QueryError(f"{what} can't be read: {error}") from error


def _place(uri: str) -> tuple[str, str]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix.rstrip("/") + "/"


def _measured(objects: Sequence[dict[str, Any]]) -> Measured:
    sizes = [found["Size"] for found in objects]
    return Measured(len(sizes), sum(size < SMALL_BYTES for size in sizes), sum(sizes))


def _job_run(run: dict[str, Any]) -> JobRun:
    dpus = float(run.get("MaxCapacity") or run.get("NumberOfWorkers") or 0)
    state, error = run["JobRunState"].lower(), run.get("ErrorMessage", "")
    return JobRun(run["Id"], state, run["StartedOn"], float(run.get("ExecutionTime", 0)), dpus, error)


def _described(
    objects: Sequence[dict[str, Any]], what: str, none: str = "no objects"
) -> tuple[str, str, datetime | None]:
    size = sum(found["Size"] for found in objects)
    newest = max((found["LastModified"] for found in objects), default=None)
    return ("present" if objects else none), f"{len(objects):,} objects, {size / 10**6:,.1f} MB {what}", newest


def call(operation: Any, **arguments: Any) -> Any:
    """Return what an operation answers; raise `QueryError` in its own words when it does not."""
    try:
        return operation(**arguments)
    except ClientError as error:
        raise QueryError(error.response["Error"].get("Message") or str(error)) from error
    except BotoCoreError as error:
        raise QueryError(str(error)) from error
