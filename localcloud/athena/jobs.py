"""One query to run, what became of it, and the objects that it leaves in S3."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from localcloud.athena import results
from localcloud.athena.objects import split_uri
from localcloud.athena.purposes import Purpose


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
    purpose: Purpose | None = None
    enforced: bool = False
    manifest_location: str | None = None
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


def put_result(s3: Any, job: Job, body: Path, folder: Path) -> None:
    """Put the CSV and its metadata to the job's output location."""
    bucket, key = split_uri(job.output_location)
    whole = folder / "result.csv"
    with whole.open("wb") as out, body.open("rb") as rows:
        out.write(results.header_line([column.name for column in job.columns]))
        shutil.copyfileobj(rows, out, 1 << 20)
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=results.metadata_bytes(job.columns))
    with whole.open("rb") as content:  # one request: several parts take the emulator twice as long
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/octet-stream")


def put_text(s3: Any, job: Job, lines: list[str]) -> None:
    """Put the `.txt` object that SHOW, DESCRIBE and DDL leave."""
    bucket, key = split_uri(job.output_location)
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=results.metadata_bytes(job.columns))
    s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode())
