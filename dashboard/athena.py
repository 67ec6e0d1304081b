"""Athena, S3 and Glue: the one module of the dashboard that talks to AWS.

`Engine` is what the broker and the pages need of it; a test passes another one.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from catalog.errors import LoglakeError, QueryError
from catalog.settings import Settings
from dashboard.statements import Statement

RUNNING, SUCCEEDED, FAILED, CANCELLED = "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 3}, connect_timeout=3, read_timeout=30, max_pool_connections=32
)


@dataclass(frozen=True, slots=True)
class Execution:
    """What Athena says of one execution. `error` holds its own words when it failed or was cancelled."""

    state: str
    scanned_bytes: int = 0
    engine_ms: int = 0
    result_location: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage of the pipeline stands: in a word, in a sentence, and when it last did something."""

    name: str
    state: str
    detail: str = ""
    last_at: datetime | None = None
    is_laptop: bool = False
    error: str = ""


class Engine(Protocol):
    """The four things that the broker asks of Athena, and what the pages ask of the Glue catalog."""

    def start(self, statement: Statement, token: str) -> str:
        """Start an execution and return its id; the same `token` returns the same execution."""

    def status(self, execution_id: str) -> Execution:
        """Return how an execution stands."""

    def stop(self, execution_id: str) -> None:
        """Stop an execution; one that has ended stays as it is."""

    def result(self, execution: Execution) -> bytes:
        """Return the CSV object of an execution that succeeded."""

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Return the database's tables and their columns, partition keys included."""

    def partitions(self, table: str) -> list[str]:
        """Return a table's registered partitions, `2026/11/21`, sorted."""

    def stages(self, now: datetime) -> list[Stage]:
        """Return how each stage stands, asked of the stage itself: this works while Athena is down."""


class Athena:
    """The real thing. boto3 reads `AWS_ENDPOINT_URL` by itself; clients are made on first need, after any fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """Return the process's one client of a service; raise `QueryError` when it can't be made."""
        if name not in self._clients:
            try:
                self._clients[name] = boto3.client(name, config=_CONFIG)
            except BotoCoreError as error:
                raise QueryError(f"{name} can't be reached: {error}") from error
        return self._clients[name]

    def start(self, statement: Statement, token: str) -> str:
        arguments: dict[str, Any] = {
            "QueryString": statement.sql,
            "ClientRequestToken": token,
            "QueryExecutionContext": {"Database": self._settings.database},
            "WorkGroup": self._settings.work_group,
        }
        if statement.parameters:
            arguments["ExecutionParameters"] = list(statement.parameters)
        return str(_call(self.client("athena").start_query_execution, **arguments)["QueryExecutionId"])

    def status(self, execution_id: str) -> Execution:
        found = _call(self.client("athena").get_query_execution, QueryExecutionId=execution_id)["QueryExecution"]
        statistics = found.get("Statistics", {})
        status = found["Status"]
        return Execution(
            state=RUNNING if status["State"] == "QUEUED" else status["State"],
            scanned_bytes=int(statistics.get("DataScannedInBytes", 0)),
            engine_ms=int(statistics.get("TotalExecutionTimeInMillis", 0)),
            result_location=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
            error=status.get("StateChangeReason", "") or status.get("AthenaError", {}).get("ErrorMessage", ""),
        )

    def stop(self, execution_id: str) -> None:
        _call(self.client("athena").stop_query_execution, QueryExecutionId=execution_id)

    def result(self, execution: Execution) -> bytes:
        bucket, _, key = execution.result_location.removeprefix("s3://").partition("/")
        found = _call(self.client("s3").get_object, Bucket=bucket, Key=key)
        try:
            return bytes(found["Body"].read())
        except BotoCoreError as error:
            raise QueryError(f"the result {execution.result_location} can't be read: {error}") from error

    def tables(self) -> dict[str, tuple[str, ...]]:
        pages = self.client("glue").get_paginator("get_tables").paginate(DatabaseName=self._settings.database)
        try:
            found = [table for page in pages for table in page["TableList"]]
        except (ClientError, BotoCoreError) as error:
            raise QueryError(f"the Glue catalog can't be read: {error}") from error
        return {table["Name"]: _column_names(table) for table in found}

    def partitions(self, table: str) -> list[str]:
        arguments = {"DatabaseName": self._settings.database, "TableName": table, "ExcludeColumnSchema": True}
        pages = self.client("glue").get_paginator("get_partitions").paginate(**arguments)
        try:
            return sorted("/".join(partition["Values"]) for page in pages for partition in page["Partitions"])
        except (ClientError, BotoCoreError) as error:
            raise QueryError(f"the partitions of {table} can't be read: {error}") from error

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
        if not self._settings.stream:
            return "not used", "the producer puts straight to the delivery stream", None
        found = _call(self.client("kinesis").describe_stream_summary, StreamName=self._settings.stream)
        summary = found["StreamDescriptionSummary"]
        shards, hours = summary["OpenShardCount"], summary["RetentionPeriodHours"]
        return summary["StreamStatus"].lower(), f"{self._settings.stream}: {shards} open shards, kept {hours} h", None

    def _delivery_stream(self) -> tuple[str, str, datetime | None]:
        name = self._settings.delivery_stream
        found = _call(self.client("firehose").describe_delivery_stream, DeliveryStreamName=name)
        return found["DeliveryStreamDescription"]["DeliveryStreamStatus"].lower(), name, None

    def _raw_objects(self, now: datetime) -> tuple[str, str, datetime | None]:
        bucket = self._settings.raw_bucket
        folders = _call(self.client("s3").list_objects_v2, Bucket=bucket, Prefix="logs/", Delimiter="/")
        day = f"year={now:%Y}/month={now:%m}/day={now:%d}/"
        prefixes = [folder["Prefix"] for folder in folders.get("CommonPrefixes", [])]
        objects = [found for prefix in prefixes for found in self._objects(bucket, prefix + day)]
        return _described(objects, f"today, of {len(prefixes)} services")

    def _error_objects(self, now: datetime) -> tuple[str, str, datetime | None]:
        objects = self._objects(self._settings.raw_bucket, "errors/")
        today = [found for found in objects if found["LastModified"].astimezone(UTC).date() == now.date()]
        return _described(today, f"today under errors/, {len(objects):,} in all", "none")

    def _objects(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return [found for page in pages for found in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise QueryError(f"s3://{bucket}/{prefix} can't be listed: {error}") from error

    def _crawler(self) -> tuple[str, str, datetime | None]:
        crawler = _call(self.client("glue").get_crawler, Name=self._settings.crawler)["Crawler"]
        last = crawler.get("LastCrawl", {})
        state = crawler["State"].lower() if crawler["State"] != "READY" else last.get("Status", "never ran").lower()
        detail = last.get("ErrorMessage") or crawler.get("Schedule", {}).get("ScheduleExpression", "no schedule")
        return state, detail, last.get("StartTime")

    def _job(self) -> tuple[str, str, datetime | None]:
        runs = _call(self.client("glue").get_job_runs, JobName=self._settings.job, MaxResults=10)["JobRuns"]
        if not runs:
            return "never ran", "run 'loglake curate'", None
        latest = max(runs, key=lambda run: run["StartedOn"])
        detail = latest.get("ErrorMessage") or f"took {latest.get('ExecutionTime', 0)} s"
        return latest["JobRunState"].lower(), detail, latest["StartedOn"]


def read_csv(content: bytes) -> tuple[Sequence[str], list[list[str | None]]]:
    """Return the header and the rows of a small result, for what is read by hand rather than into a frame."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    return (rows[0], [[value or None for value in row] for row in rows[1:]]) if rows else ((), [])


def _column_names(table: dict[str, Any]) -> tuple[str, ...]:
    columns = table.get("StorageDescriptor", {}).get("Columns", []) + table.get("PartitionKeys", [])
    return tuple(column["Name"] for column in columns)


def _described(
    objects: Sequence[dict[str, Any]], what: str, none: str = "no objects"
) -> tuple[str, str, datetime | None]:
    size = sum(found["Size"] for found in objects)
    newest = max((found["LastModified"] for found in objects), default=None)
    return ("present" if objects else none), f"{len(objects):,} objects, {size / 10**6:,.1f} MB {what}", newest


def _call(operation: Any, **arguments: Any) -> Any:
    try:
        return operation(**arguments)
    except ClientError as error:
        raise QueryError(error.response["Error"].get("Message") or str(error)) from error
    except BotoCoreError as error:
        raise QueryError(str(error)) from error
