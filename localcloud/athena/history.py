"""Query executions, kept in SQLite under the data directory so that they survive a restart."""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEPT_SECONDS = 45 * 86_400
KEPT_EXECUTIONS = 20_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, submitted REAL NOT NULL, work_group TEXT NOT NULL, state TEXT NOT NULL, token TEXT,
    reuse_key TEXT, completed REAL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_group ON executions (work_group, submitted DESC);
CREATE INDEX IF NOT EXISTS by_token ON executions (token) WHERE token IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_reuse ON executions (reuse_key, completed DESC) WHERE reuse_key IS NOT NULL;
"""


class History:
    """The executions there have been. Documents are JSON objects; `QueryExecution` in them is Athena's own shape."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def save(self, document: Mapping[str, Any], token: str | None = None, reuse_key: str | None = None) -> None:
        """Write an execution's state; `token` and `reuse_key` stay as first given."""
        execution = document["QueryExecution"]
        status = execution["Status"]
        row = (
            execution["QueryExecutionId"],
            status["SubmissionDateTime"],
            execution["WorkGroup"],
            status["State"],
            token,
            reuse_key,
            status.get("CompletionDateTime"),
            json.dumps(document),
        )
        with self._lock:
            self._connection.execute(
                "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "state = excluded.state, completed = excluded.completed, document = excluded.document",
                row,
            )

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def get(self, execution_id: str) -> dict[str, Any] | None:
        """Return an execution's document; None when there is none."""
        rows = self._rows("SELECT document FROM executions WHERE id = ?", (execution_id,))
        return json.loads(rows[0][0]) if rows else None

    def by_token(self, token: str) -> dict[str, Any] | None:
        """Return the execution that was started with a client request token."""
        rows = self._rows("SELECT document FROM executions WHERE token = ?", (token,))
        return json.loads(rows[0][0]) if rows else None

    def reusable(self, reuse_key: str, not_before: float) -> dict[str, Any] | None:
        """Return the newest succeeded execution of the same query that completed at or after `not_before`."""
        rows = self._rows(
            "SELECT document FROM executions WHERE reuse_key = ? AND state = 'SUCCEEDED' AND completed >= ? "
            "ORDER BY completed DESC LIMIT 1",
            (reuse_key, not_before),
        )
        return json.loads(rows[0][0]) if rows else None

    def ids(self, work_group: str, limit: int, offset: int) -> list[str]:
        """Return executions of a workgroup, newest first."""
        sql = "SELECT id FROM executions WHERE work_group = ? ORDER BY submitted DESC, rowid DESC LIMIT ? OFFSET ?"
        return [row[0] for row in self._rows(sql, (work_group, limit, offset))]

    def unfinished(self) -> list[dict[str, Any]]:
        """Return executions that were queued or running when the process ended."""
        rows = self._rows("SELECT document FROM executions WHERE state IN ('QUEUED', 'RUNNING')", ())
        return [json.loads(row[0]) for row in rows]

    def prune(self) -> None:
        """Forget executions older than 45 days (as Athena does) or beyond the newest `KEPT_EXECUTIONS`."""
        with self._lock:
            self._connection.execute("DELETE FROM executions WHERE submitted < ?", (time.time() - KEPT_SECONDS,))
            self._connection.execute(
                "DELETE FROM executions WHERE id IN "
                "(SELECT id FROM executions ORDER BY submitted DESC LIMIT -1 OFFSET ?)",
                (KEPT_EXECUTIONS,),
            )
