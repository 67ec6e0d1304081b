"""Runs one query: plans it, shuts its DuckDB instance in, writes the result objects to S3."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.athena import failures, results
from localcloud.athena.failures import ObjectGone, ScanLimitExceeded
from localcloud.athena.instance import open_instance, shut_in
from localcloud.athena.jobs import Cancelled, Job, put_result, put_text
from localcloud.athena.macros import definitions
from localcloud.athena.memory_budget import MemoryBudget
from localcloud.athena.planner import Plan, Planner
from localcloud.athena.purpose_steps import Purposes
from localcloud.athena.python_functions import register
from localcloud.athena.statements import Statements
from localcloud.athena.targets import Columns

CONCURRENT_QUERIES = 4
_TYPE_MISFIT = "JSON transform error"
"""What DuckDB says of a JSON value that does not fit its column's type; asked again, such a value is NULL."""


class Executor:
    """Runs queries on DuckDB, each on its own instance."""

    def __init__(
        self,
        planner: Planner,
        statements: Statements,
        purposes: Purposes,
        s3: Callable[[], Any],
        endpoint_url: str,
        region: str,
        work_dir: Path,
    ) -> None:
        self._planner = planner
        self._statements = statements
        self._purposes = purposes
        self._s3 = s3
        self._endpoint_url = endpoint_url
        self._region = region
        self._work_dir = work_dir
        self._memory = MemoryBudget(CONCURRENT_QUERIES)

    def run(self, job: Job) -> None:
        """Answer a query and put its result objects; raise `QueryFailure` or `Cancelled`.

        An object that vanished between planning and reading (compaction swapped its partition) is planned around once.
        """
        folder = self._work_dir / job.execution_id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if not self.answer_in_words(job):
                self._answer_in_rows(job, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _answer_in_rows(self, job: Job, folder: Path) -> None:
        import duckdb

        lenient = replanned = False
        while True:
            try:
                self._attempt(job, folder, lenient)
                return
            except (duckdb.IOException, ObjectGone) as error:
                job.check()
                if replanned:
                    raise self._failure(job, error) from error
                replanned = True
                self._planner.forget()
            except duckdb.Error as error:
                if lenient or _TYPE_MISFIT not in str(error):
                    raise self._failure(job, error) from error
                lenient = True

    def _failure(self, job: Job, error: Exception) -> Exception:
        if job.stopped:
            return Cancelled()
        return error if isinstance(error, ObjectGone) else failures.from_duckdb(error, job.sql)

    def _attempt(self, job: Job, folder: Path, lenient: bool) -> None:
        connection = open_instance(self._endpoint_url, self._region, folder)
        try:
            job.run_on(connection)
            started = time.monotonic()
            assert job.statement is not None
            plan = self._planner.plan(job.statement, job.sql, job.database, connection, lenient)
            job.planning_ms = round((time.monotonic() - started) * 1000)
            job.scanned_bytes = plan.scanned_bytes
            job.check()
            if job.cutoff_bytes is not None and plan.scanned_bytes > job.cutoff_bytes:
                raise ScanLimitExceeded
            with self._memory.share() as memory_mb:
                self._answer(job, plan, connection, folder, memory_mb)
        finally:
            job.run_on(None)
            connection.close()

    def answer_in_words(self, job: Job) -> bool:
        """Answer SHOW, DESCRIBE and DDL, which need no DuckDB; tell whether the statement was one of these."""
        if job.purpose is not None:
            return self._purposes.skips(job)
        answer = self._statements.run(job.sql, job.database)
        if answer is None:
            return False
        job.columns = [results.ResultColumn(name, "VARCHAR") for name in answer.columns]
        job.row_count = len(answer.lines)
        put_text(self._s3(), job, answer.lines)
        return True

    def _answer(self, job: Job, plan: Plan, connection: Any, folder: Path, memory_mb: int) -> None:
        for macro in dict.fromkeys((*definitions("trino_text trino_blob_text"), *plan.macros)):
            connection.execute(macro)
        register(connection, plan.sql)
        shut_in(connection, plan.prefixes, folder, memory_mb)
        relation = connection.sql(plan.sql)
        columns = list(zip(relation.columns, relation.types, strict=True))
        job.check()
        if job.purpose is not None:
            told = with_nulls(connection, plan.sql, columns)
            self._purposes.carry_out(job, job.purpose, plan.sql, told, connection, folder)
            return
        job.columns = [results.ResultColumn(name, str(type_)) for name, type_ in columns]
        body = folder / "body.csv"
        counted = connection.execute(results.copy_sql(plan.sql, columns, plan.zones, body)).fetchone()
        job.row_count = counted[0] if counted else 0
        job.check()
        put_result(self._s3(), job, body, folder)


def with_nulls(connection: Any, query: str, columns: Columns) -> Columns:
    """Return the columns with the types that Trino calls unknown told from INTEGER, which DuckDB gives a bare NULL."""
    import duckdb

    if not any(kind.id == "integer" for _, kind in columns):
        return columns
    positions = [f"c{place}" for place in range(len(columns))]
    kinds = ", ".join(f"typeof({position})" for position in positions)
    nothing = f"(SELECT * FROM ({query}) AS q({', '.join(positions)}) LIMIT 0)"
    found = connection.execute(f"SELECT {kinds} FROM (SELECT 1) LEFT JOIN {nothing} ON TRUE").fetchone()
    unknown = duckdb.sqltypes.SQLNULL
    return [
        (name, unknown if text == '"NULL"' else kind) for (name, kind), text in zip(columns, found or (), strict=True)
    ]
