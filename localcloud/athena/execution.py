"""Runs one query: plans it, shuts its DuckDB instance in, writes the result objects to S3."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from localcloud.athena import failures, results
from localcloud.athena.failures import QueryFailure, ScanLimitExceeded
from localcloud.athena.instance import open_instance, shut_in
from localcloud.athena.macros import definitions
from localcloud.athena.objects import split_uri
from localcloud.athena.planner import Plan, Planner
from localcloud.athena.statements import Statements


class Cancelled(Exception):
    """The query was stopped."""


@dataclass(slots=True)
class Job:
    """One query to run, and what became of it."""

    execution_id: str
    sql: str
    statement: exp.Expr | None
    database: str
    output_location: str
    cutoff_bytes: int | None
    scanned_bytes: int = 0
    planning_ms: int = 0
    columns: list[results.ResultColumn] = field(default_factory=list)
    row_count: int = 0
    _connection: Any = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Stop the query, at once if it is in DuckDB, else at its next step; safe to call from any thread."""
        self._stopped.set()
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def run_on(self, connection: Any) -> None:
        """Say which connection to interrupt; None when there is none any more."""
        self._connection = connection
        if connection is not None:
            self.check()

    def check(self) -> None:
        if self.stopped:
            raise Cancelled


class Executor:
    """Runs queries on DuckDB, each on its own instance."""

    def __init__(
        self,
        planner: Planner,
        statements: Statements,
        s3: Callable[[], Any],
        endpoint_url: str,
        region: str,
        work_dir: Path,
    ) -> None:
        self._planner = planner
        self._statements = statements
        self._s3 = s3
        self._endpoint_url = endpoint_url
        self._region = region
        self._work_dir = work_dir

    def run(self, job: Job) -> None:
        """Answer a query and put its result objects; raise `QueryFailure` or `Cancelled`.

        An object that vanished between planning and reading (compaction swapped its partition) is planned around once.
        """
        import duckdb

        folder = self._work_dir / job.execution_id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if not self.answer_in_words(job):
                self._attempt(job, folder)
        except duckdb.IOException:
            job.check()
            self._planner.forget()
            self._last_attempt(job, folder)
        except duckdb.Error as error:
            raise self._failure(job, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _last_attempt(self, job: Job, folder: Path) -> None:
        import duckdb

        try:
            self._attempt(job, folder)
        except duckdb.Error as error:
            raise self._failure(job, error) from error

    def _failure(self, job: Job, error: Exception) -> Exception:
        return Cancelled() if job.stopped else failures.from_duckdb(error, job.sql)

    def _attempt(self, job: Job, folder: Path) -> None:
        connection = open_instance(self._endpoint_url, self._region, folder)
        try:
            job.run_on(connection)
            started = time.monotonic()
            assert job.statement is not None
            plan = self._planner.plan(job.statement, job.sql, job.database, connection)
            job.planning_ms = round((time.monotonic() - started) * 1000)
            job.scanned_bytes = plan.scanned_bytes
            job.check()
            if job.cutoff_bytes is not None and plan.scanned_bytes > job.cutoff_bytes:
                raise ScanLimitExceeded
            self._answer(job, plan, connection, folder)
        finally:
            job.run_on(None)
            connection.close()

    def answer_in_words(self, job: Job) -> bool:
        """Answer SHOW, DESCRIBE and DDL, which need no DuckDB; tell whether the statement was one of these."""
        answer = self._statements.run(job.sql, job.database)
        if answer is None:
            return False
        job.columns = [results.ResultColumn(name, "VARCHAR") for name in answer.columns]
        job.row_count = len(answer.lines)
        put_text(self._s3(), job, answer.lines)
        return True

    def _answer(self, job: Job, plan: Plan, connection: Any, folder: Path) -> None:
        for macro in dict.fromkeys((*definitions("trino_text trino_blob_text"), *plan.macros)):
            connection.execute(macro)
        shut_in(connection, plan.prefixes, folder)
        relation = connection.sql(plan.sql)
        columns = list(zip(relation.columns, relation.types, strict=True))
        job.columns = [results.ResultColumn(name, str(type_)) for name, type_ in columns]
        job.check()
        body = folder / "body.csv"
        counted = connection.execute(results.copy_sql(plan.sql, columns, body)).fetchone()
        job.row_count = counted[0] if counted else 0
        job.check()
        put_result(self._s3(), job, body, folder)


def put_result(s3: Any, job: Job, body: Path, folder: Path) -> None:
    """Put the CSV and its metadata to the job's output location."""
    bucket, key = split_uri(job.output_location)
    whole = folder / "result.csv"
    with whole.open("wb") as out, body.open("rb") as rows:
        out.write(results.header_line([column.name for column in job.columns]))
        shutil.copyfileobj(rows, out, 1 << 20)
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=results.metadata_bytes(job.columns))
    if whole.stat().st_size < 8 << 20:
        s3.put_object(Bucket=bucket, Key=key, Body=whole.read_bytes(), ContentType="application/octet-stream")
    else:
        s3.upload_file(str(whole), bucket, key)


def put_text(s3: Any, job: Job, lines: list[str]) -> None:
    """Put the `.txt` object that SHOW, DESCRIBE and DDL leave."""
    bucket, key = split_uri(job.output_location)
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=results.metadata_bytes(job.columns))
    s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode())


__all__ = ["Cancelled", "Executor", "Job", "QueryFailure", "put_text"]
