"""What is done with the query in a statement: its rows are written, it becomes a view, or its plan is shown."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.athena import results
from localcloud.athena.glue_tables import TableCatalog
from localcloud.athena.jobs import Job, put_text
from localcloud.athena.objects import split_uri
from localcloud.athena.purposes import Purpose
from localcloud.athena.targets import Columns, Targets
from localcloud.athena.views import create_view
from localcloud.athena.writing import Writing

WRITES = frozenset({"INSERT", "UNLOAD", "CREATE_TABLE_AS_SELECT"})
"""The substatement types whose result is a count of rows."""


class Purposes:
    """Carries out INSERT, CREATE TABLE AS, UNLOAD, CREATE VIEW and EXPLAIN."""

    def __init__(self, catalog: TableCatalog, glue: Callable[[], Any], s3: Callable[[], Any]) -> None:
        self._catalog = catalog
        self._glue = glue
        self._s3 = s3
        self._targets = Targets(catalog, s3)
        self._writing = Writing(catalog, glue, s3)

    def skips(self, job: Job) -> bool:
        """Tell whether a job has nothing to do, and leave its empty result if so."""
        skips = job.purpose is not None and self._targets.skips(job.purpose, job.database)
        if skips:
            self._put_manifest(job, [])
        return skips

    def carry_out(
        self, job: Job, purpose: Purpose, query: str, columns: Columns, connection: Any, folder: Path
    ) -> None:
        """Do what a statement does with its query (DuckDB's SQL), on the shut-in `connection`."""
        if purpose.kind == "explain":
            self._explain(job, purpose, query, connection)
        elif purpose.kind == "view":
            job.scanned_bytes = 0
            create_view(self._catalog, self._glue(), purpose, job.database, columns)
            put_text(self._s3(), job, [])
        else:
            self._write(job, purpose, query, columns, connection, folder)
        self._catalog.memory.forget()

    def _explain(self, job: Job, purpose: Purpose, query: str, connection: Any) -> None:
        rows = connection.execute(f"EXPLAIN {'ANALYZE ' if purpose.flag else ''}{query}").fetchall()
        job.columns = [results.ResultColumn("Query Plan", "VARCHAR")]
        lines = [line.rstrip() for _, text in rows for line in str(text).split("\n")]
        if not purpose.flag:
            job.scanned_bytes = 0
        job.row_count = len(lines)
        put_text(self._s3(), job, lines)

    def _write(self, job: Job, purpose: Purpose, query: str, columns: Columns, connection: Any, folder: Path) -> None:
        target = self._targets.target(purpose, job.database, columns, job.output_location, job.enforced)
        rows = folder / "rows"
        shutil.rmtree(rows, ignore_errors=True)  # what an attempt before left
        rows.mkdir()
        if purpose.with_data:
            counted = connection.execute(self._writing.copy_sql(query, target, columns, rows)).fetchone()
            job.row_count = counted[0] if counted else 0
        job.check()
        written = self._writing.publish(target, rows, job.execution_id) if job.row_count else []
        if purpose.kind == "ctas":
            self._writing.create_table(purpose, job.database, target, rows)
        self._put_manifest(job, written)

    def _put_manifest(self, job: Job, written: list[str]) -> None:
        job.columns = [results.ResultColumn("rows", "BIGINT")]
        bucket, key = split_uri(job.output_location)
        job.manifest_location = f"{job.output_location}-manifest.csv"
        s3 = self._s3()
        s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=results.metadata_bytes(job.columns))
        s3.put_object(Bucket=bucket, Key=f"{key}-manifest.csv", Body="".join(f"{uri}\n" for uri in written).encode())
