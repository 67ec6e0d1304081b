"""An Athena for tests: the dashboard's own SQL, transpiled by sqlglot, on a real DuckDB over real Parquet.

The dialects are classes, not names: by name sqlglot imports them in the first threads that ask, which see half of one.
"""

import csv
import io
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.duckdb import DuckDB

from catalog.errors import QueryError
from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED, Execution
from dashboard.inspection import ErrorObject, JobRun, Measured, Stage, Undelivered
from dashboard.statements import Statement
from tests.dashboard.demo import DATABASE

TYPES = {"VARCHAR": "string", "INTEGER": "int"}
"""DuckDB's names of types where Glue's differ."""


def now_utc() -> datetime:
    return datetime.now(UTC)


class DuckAthena:
    """Executions run in threads, `delay_seconds` long at least; `before` may raise to make one fail."""

    def __init__(
        self, folder: Path, delay_seconds: float = 0.0, before: Callable[[str], None] = lambda sql: None
    ) -> None:
        self.database = DATABASE
        self.folder = folder
        self.delay_seconds = delay_seconds
        self.before = before
        self.started: list[Statement] = []
        self.stopped: list[str] = []
        self.published: list[tuple[str, str, str]] = []
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[str, str] = {}
        self._results: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._connection = duckdb.connect(config={"threads": 2})
        self._connection.execute(f"CREATE SCHEMA {DATABASE}")
        self._tables = {
            path.name: self._view(path) for path in sorted(folder.iterdir()) if any(path.rglob("*.parquet"))
        }

    def start(self, statement: Statement, token: str) -> str:
        if token in self._tokens:
            return self._tokens[token]
        execution_id = self._tokens[token] = f"execution-{next(self._numbers)}"
        self.started.append(statement)
        self._executions[execution_id] = Execution(RUNNING)
        threading.Thread(target=self._run, args=(execution_id, statement), daemon=True).start()
        return execution_id

    def status(self, execution_id: str) -> Execution:
        return self._executions[execution_id]

    def stop(self, execution_id: str) -> None:
        self.stopped.append(execution_id)
        self._executions[execution_id] = Execution(CANCELLED, error="Query cancelled by user")

    def result(self, execution: Execution) -> bytes:
        return self._results[execution.result_location]

    def tables(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(columns) for name, columns in self._tables.items()}

    def schemas(self) -> dict[str, dict[str, str]]:
        return {name: dict(columns) for name, columns in self._tables.items()}

    def measure(self, table: str, partitions: Sequence[str]) -> dict[str, Measured]:
        found = {}
        for folder in {path.parent for path in (self.folder / table).rglob("*.parquet")}:
            name = "/".join(part.split("=")[1] for part in folder.relative_to(self.folder / table).parts)
            sizes = [path.stat().st_size for path in folder.glob("*.parquet")]
            if name in partitions:
                found[name] = Measured(len(sizes), len(sizes), sum(sizes))
        return found

    def undelivered(self, now: datetime) -> Undelivered:
        sample = '{"event_id": 7, <script>alert(1)</script>'
        newest = ErrorObject(
            "errors/processing-failed/x.json", 412, now, "Lambda.ProcessingFailedStatus: not JSON", sample
        )
        return Undelivered(3, 1236, (newest,))

    def job_runs(self) -> list[JobRun]:
        return [
            JobRun(f"jr_{place}", "succeeded", now_utc() - timedelta(minutes=10 * place), 41, 2) for place in range(12)
        ]

    def publish(self, topic: str, subject: str, text: str) -> None:
        self.published.append((topic, subject, text))

    def partitions(self, table: str) -> list[str]:
        found = {
            tuple(part.split("=")[1] for part in path.relative_to(self.folder / table).parts[:-1])
            for path in (self.folder / table).rglob("*.parquet")
        }
        return sorted("/".join(values) for values in found)

    def stages(self, now: datetime) -> list[Stage]:
        return [
            Stage("Kinesis stream", "active", "loglake: 1 open shard, kept 24 h", None, True),
            Stage("Delivery stream", "active", "loglake-delivery", None, True),
            Stage(
                "Raw objects", "present", "412 objects, 38.2 MB today, of 6 services", now - timedelta(seconds=48), True
            ),
            Stage("Undeliverable", "none", "0 objects, 0.0 MB today under errors/, 3 in all", None, True),
            Stage("Crawler", "succeeded", "cron(0 */6 * * ? *)", now - timedelta(hours=2, minutes=4), True),
            Stage("Curation job", "succeeded", "took 41 s", now - timedelta(minutes=6), True),
        ]

    def _view(self, folder: Path) -> dict[str, str]:
        source = f"read_parquet('{folder}/**/*.parquet', hive_partitioning=true, hive_types_autocast=false)"
        self._connection.execute(f'CREATE VIEW "{folder.name}" AS SELECT * FROM {source}')
        self._connection.execute(f'CREATE VIEW {DATABASE}."{folder.name}" AS SELECT * FROM {source}')
        described = self._connection.execute(f'DESCRIBE "{folder.name}"').fetchall()
        return {str(row[0]): TYPES.get(str(row[1]), str(row[1]).lower()) for row in described}

    def _run(self, execution_id: str, statement: Statement) -> None:
        begin = time.monotonic()
        try:
            self.before(statement.sql)
            cursor = self._connection.cursor().execute(transpile(statement))
            content = _csv([column[0] for column in cursor.description], cursor.fetchall())
            outcome = Execution(SUCCEEDED, self._size(statement.sql), 0, execution_id)
        except (duckdb.Error, sqlglot.ParseError, QueryError) as error:
            content, outcome = b"", Execution(FAILED, error=str(error))
        time.sleep(max(0.0, self.delay_seconds - (time.monotonic() - begin)))
        if self._executions[execution_id].state == RUNNING:
            self._results[execution_id] = content
            taken = int((time.monotonic() - begin) * 1000)
            self._executions[execution_id] = Execution(
                outcome.state, outcome.scanned_bytes, taken, execution_id, outcome.error
            )

    def _size(self, sql: str) -> int:
        named = [name for name in self._tables if f"FROM {name} " in f"{sql} " or f'FROM "{name}"' in sql]
        return sum(path.stat().st_size for name in named for path in (self.folder / name).rglob("*.parquet")) // 4


def transpile(statement: Statement) -> str:
    """Return the statement in DuckDB's SQL with its parameters in place, as Athena puts them: as literals."""
    values = iter(statement.parameters)
    tree = sqlglot.parse_one(statement.sql, read=Athena)
    tree = tree.transform(
        lambda node: sqlglot.parse_one(next(values), read=Athena) if isinstance(node, exp.Placeholder) else node
    )
    assert next(values, None) is None, "more parameters than placeholders"
    for join in list(tree.find_all(exp.Join)):
        unnest = join.this
        if isinstance(unnest, exp.Unnest):
            column = unnest.expressions[0].sql()
            key = "bucket" if "histogram" in column else "pattern"
            pairs = f"unnest(map_keys({column})) AS {key}, unnest(map_values({column})) AS events"
            joined = sqlglot.parse_one(f"SELECT 1 FROM x CROSS JOIN (SELECT {pairs}) AS t", read=DuckDB)
            join.replace(joined.args["joins"][0])
    return tree.sql(dialect=DuckDB)


def _csv(header: list[str], rows: list[tuple[object, ...]]) -> bytes:
    """Return rows as Athena writes them: every field quoted, null as nothing at all."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(header)
    for row in rows:
        fields = ["" if value is None else '"' + _text(value).replace('"', '""') + '"' for value in row]
        out.write(",".join(fields) + "\n")
    return out.getvalue().encode()


def _text(value: object) -> str:
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return str(value).lower() if isinstance(value, bool) else str(value)
