"""Athena, and the clients of everything else: the one module of the dashboard that makes AWS clients.

`Engine` is what the broker and the pages need of it; a test passes another one.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from catalog.athena import explained
from catalog.errors import QueryError
from catalog.settings import Settings
from dashboard.inspection import Inspection, JobRun, Measured, Stage, Undelivered, call
from dashboard.statements import Statement

RUNNING, SUCCEEDED, FAILED, CANCELLED = "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
LONGEST_FIELD_CHARS = 2**31 - 1
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


class Engine(Protocol):
    """The four things that the broker asks of Athena, and what the pages ask of the Glue catalog."""

    @property
    def database(self) -> str:
        """The Glue database that the tables are in."""

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

    def schemas(self) -> dict[str, dict[str, str]]:
        """Return the database's tables and the types of their columns, partition keys included."""

    def measure(self, table: str, partitions: Sequence[str]) -> dict[str, Measured]:
        """Return what those of a table's partitions, `2026/11/21`, that are registered hold."""

    def undelivered(self, now: datetime) -> Undelivered:
        """Return the objects under the delivery stream's error prefix of the last days."""

    def job_runs(self) -> list[JobRun]:
        """Return the latest runs of the curation job, newest first."""

    def publish(self, topic: str, subject: str, text: str) -> None:
        """Send a notification to an SNS topic."""

    def stages(self, now: datetime) -> list[Stage]:
        """Return how each stage stands, asked of the stage itself: this works while Athena is down."""


class Athena(Inspection):
    """The real thing. boto3 reads `AWS_ENDPOINT_URL` by itself; clients are made on first need, after any fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._clients: dict[str, Any] = {}

    @property
    def database(self) -> str:
        return self.settings.database

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
            "QueryExecutionContext": {"Database": self.settings.database},
            "WorkGroup": self.settings.work_group,
        }
        if statement.parameters:
            arguments["ExecutionParameters"] = list(statement.parameters)
        return str(call(self.client("athena").start_query_execution, **arguments)["QueryExecutionId"])

    def status(self, execution_id: str) -> Execution:
        found = call(self.client("athena").get_query_execution, QueryExecutionId=execution_id)["QueryExecution"]
        statistics = found.get("Statistics", {})
        status = found["Status"]
        return Execution(
            state=RUNNING if status["State"] == "QUEUED" else status["State"],
            scanned_bytes=int(statistics.get("DataScannedInBytes", 0)),
            engine_ms=int(statistics.get("TotalExecutionTimeInMillis", 0)),
            result_location=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
            error=explained(
                status.get("StateChangeReason", "") or status.get("AthenaError", {}).get("ErrorMessage", "")
            ),
        )

    def stop(self, execution_id: str) -> None:
        call(self.client("athena").stop_query_execution, QueryExecutionId=execution_id)

    def result(self, execution: Execution) -> bytes:
        bucket, _, key = execution.result_location.removeprefix("s3://").partition("/")
        return self.content(bucket, key)

    def publish(self, topic: str, subject: str, text: str) -> None:
        call(self.client("sns").publish, TopicArn=topic, Subject=subject[:100], Message=text)


def read_csv(content: bytes) -> tuple[Sequence[str], list[list[str | None]]]:
    """Return the header and the rows of a small result, for what is read by hand rather than into a frame."""
    csv.field_size_limit(LONGEST_FIELD_CHARS)  # by itself `csv` refuses a log line of 128 KiB
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    return (rows[0], [[value or None for value in row] for row in rows[1:]]) if rows else ((), [])
