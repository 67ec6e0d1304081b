"""Asking Athena one query: start it, wait for it, read its result object from S3 (never page by page)."""

import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.errors import QueryError
from catalog.tables import TABLES

POLL_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MINIMUM_BILLED_BYTES = 10_000_000
DOLLARS_PER_BYTE = 5 / 1_000_000_000_000
FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})

_POSITION = re.compile(r"line \d+:\d+: ")
"""How Athena begins what it says of SQL that it can't parse, when it is asked to start it."""

Row = list[str | None]

_NO_TABLE = re.compile(r"Table '(?:[^']*\.)?([^'.]+)' does not exist")


@dataclass(frozen=True, slots=True)
class Result:
    """A succeeded query: its column names, their Athena types, and its rows as text (None is NULL).

    A statement that answers nothing, as INSERT, CREATE TABLE AS and DDL do, has no columns.
    """

    execution_id: str
    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Row]
    scanned_bytes: int
    seconds: float
    reads: bool = True
    """Whether it was a query; statements about the catalog cost nothing."""
    written_rows: int = 0
    """How many rows it wrote, as far as Athena says."""

    @property
    def dollars(self) -> float:
        """What AWS asks for it in us-east-1: $5 per TB scanned, at least 10 MB."""
        return 0.0 if not self.reads else max(self.scanned_bytes, MINIMUM_BILLED_BYTES) * DOLLARS_PER_BYTE


def literal(value: str) -> str:
    """Return the SQL literal for a text a user typed: a number, true, false, null, a date, else a quoted string.

    `'0042'`, in quotes of its own, is always a string.
    """
    if len(value) > 1 and value[0] == value[-1] == "'":
        return "'" + value[1:-1].replace("''", "'").replace("'", "''") + "'"
    if value.lower() in {"true", "false", "null"}:
        return value.lower()
    if _is_number(value):
        return value
    try:
        date.fromisoformat(value)
    except ValueError:
        return "'" + value.replace("'", "''") + "'"
    return f"DATE '{value}'" if len(value) == 10 else f"'{value}'"


def _is_number(value: str) -> bool:
    digits = value.removeprefix("-")
    whole, point, fraction = digits.partition(".")
    plain = whole.isascii() and whole.isdigit() and (not point or (fraction.isascii() and fraction.isdigit()))
    return plain and (whole == "0" or not whole.startswith("0"))


def start(client: Any, sql: str, database: str, work_group: str, parameters: Sequence[str] = ()) -> str:
    """Start a query and return its id; raise `QueryError` with Athena's words when it is refused.

    Interrupted before the answer came, it stops what Athena may have started: the same token is the same execution.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    request: dict[str, Any] = {
        "QueryString": sql,
        "QueryExecutionContext": {"Database": database},
        "WorkGroup": work_group,
        "ClientRequestToken": str(uuid.uuid4()),
    }
    if parameters:
        request["ExecutionParameters"] = list(parameters)
    try:
        return str(client.start_query_execution(**request)["QueryExecutionId"])
    except KeyboardInterrupt:
        client.stop_query_execution(QueryExecutionId=client.start_query_execution(**request)["QueryExecutionId"])
        raise
    except ClientError as error:
        said = error.response["Error"]["Message"]
        raise QueryError(f"syntax error: {said}" if _POSITION.match(said) else said) from error
    except BotoCoreError as error:
        raise QueryError(f"Athena can't be asked: {error}") from error


def wait(
    client: Any, execution_id: str, progress: Callable[[str, int], None], sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Return the execution once it succeeded, telling `progress` its state and bytes; stop it when interrupted.

    Raises `QueryError` with the engine's words when it failed or was cancelled.
    """
    waits = iter(POLL_SECONDS)
    pause = POLL_SECONDS[0]
    try:
        while True:
            execution: dict[str, Any] = client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            state = execution["Status"]["State"]
            progress(state, int(execution.get("Statistics", {}).get("DataScannedInBytes", 0)))
            if state in FINAL_STATES:
                break
            pause = next(waits, pause)
            sleep(pause)
    except KeyboardInterrupt:
        client.stop_query_execution(QueryExecutionId=execution_id)
        raise
    if state != "SUCCEEDED":
        raise QueryError(explained(execution["Status"].get("StateChangeReason", "")) or f"the query is {state}")
    return execution


def explained(reason: str) -> str:
    """Return why a query failed; where a table is missing, with the command that makes it."""
    missing = _NO_TABLE.search(reason)
    return f"{reason}; {remedy(missing[1])}" if missing else reason


def remedy(table: str) -> str:
    """Return what makes a table that does not exist: the stack makes its own, the crawler one for each service."""
    if table in {each.name for each in TABLES}:
        return f"{table} is the stack's own: 'loglake deploy' makes it again ('loglake up' on a laptop)"
    return "'loglake crawl' makes the raw tables, one for each service that has delivered"


def fetch(athena: Any, s3: Any, execution: dict[str, Any]) -> Result:
    """Return a succeeded execution's result, its rows read from the result object, if it is one that leaves some."""
    execution_id = execution["QueryExecutionId"]
    location = execution["ResultConfiguration"]["OutputLocation"]
    first = athena.get_query_results(QueryExecutionId=execution_id, MaxResults=1)
    answers = location.endswith((".csv", ".txt"))  # what writes to tables or prefixes leaves a manifest instead
    described = first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"] if answers else []
    statistics = execution.get("Statistics", {})
    return Result(
        execution_id,
        [column["Name"] for column in described],
        [column["Type"] for column in described],
        _rows(s3, location) if answers else [],
        int(statistics.get("DataScannedInBytes", 0)),
        statistics.get("TotalExecutionTimeInMillis", 0) / 1000,
        execution.get("StatementType", "DML") == "DML" or bool(statistics.get("DataScannedInBytes")),
        0 if answers else first.get("UpdateCount", 0),
    )


def _rows(s3: Any, location: str) -> list[Row]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return (
        parse_rows(text)[1:] if location.endswith(".csv") else [[*line.split("\t")] for line in text.split("\n")[:-1]]
    )


def parse_rows(text: str) -> list[Row]:
    """Return the rows of an Athena CSV; a field without quotes is NULL, which `csv` can't tell from an empty string."""
    rows: list[Row] = []
    row: Row = []
    position, length = 0, len(text)
    while position < length:
        if text[position] == '"':
            value, position = _quoted_field(text, position + 1)
            row.append(value)
        else:
            stop = position
            while stop < length and text[stop] not in ",\n":
                stop += 1
            row.append(text[position:stop] or None)
            position = stop
        if position < length and text[position] == ",":
            position += 1
            if position < length and text[position] != "\n":
                continue
            row.append(None)
        rows.append(row)
        row, position = [], position + 1
    return rows


def _quoted_field(text: str, start: int) -> tuple[str, int]:
    end = start
    while True:
        end = text.index('"', end)
        if text[end + 1 : end + 2] != '"':
            return text[start:end].replace('""', '"'), end + 1
        end += 2
