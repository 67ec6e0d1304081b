"""Athena, S3 and Glue: the one module of the dashboard that talks to AWS.

`Engine` is what the broker and the pages need of it; a test passes another one.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from catalog.errors import QueryError
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


def read_csv(content: bytes) -> tuple[Sequence[str], list[list[str | None]]]:
    """Return the header and the rows of a small result, for what is read by hand rather than into a frame."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    return (rows[0], [[value or None for value in row] for row in rows[1:]]) if rows else ((), [])


def _column_names(table: dict[str, Any]) -> tuple[str, ...]:
    columns = table.get("StorageDescriptor", {}).get("Columns", []) + table.get("PartitionKeys", [])
    return tuple(column["Name"] for column in columns)


def _call(operation: Any, **arguments: Any) -> Any:
    try:
        return operation(**arguments)
    except ClientError as error:
        raise QueryError(error.response["Error"].get("Message") or str(error)) from error
    except BotoCoreError as error:
        raise QueryError(str(error)) from error
