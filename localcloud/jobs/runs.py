"""Job runs, kept in one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEPT_RUNS = 1000
UNFINISHED = ("STARTING", "RUNNING", "STOPPING")
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, job TEXT NOT NULL, started REAL NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (job, started);
"""


class Runs:
    """Every run by its id; safe to use from threads, and each write is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def save(self, run: Mapping[str, Any]) -> None:
        """Keep a run, new or changed; the oldest runs of its job beyond a thousand are forgotten."""
        with self._transaction() as connection:
            row = (run["Id"], run["JobName"], run["StartedOn"], json.dumps(run))
            connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM runs WHERE job = ?1 AND id NOT IN "
                "(SELECT id FROM runs WHERE job = ?1 ORDER BY started DESC LIMIT ?2)",
                (run["JobName"], KEPT_RUNS),
            )

    def change(self, run_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change some of a run's fields and return all of it; a run that ended is left as it ended."""
        with self._lock:
            run = self.get(run_id)
            assert run is not None
            if run["JobRunState"] in UNFINISHED:
                run.update(changes)
                self.save(run)
            return run

    def get(self, run_id: str) -> dict[str, Any] | None:
        with self._transaction() as connection:
            row = connection.execute("SELECT body FROM runs WHERE id = ?", (run_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def of_job(self, job: str) -> list[dict[str, Any]]:
        """Return a job's runs, newest first."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT body FROM runs WHERE job = ? ORDER BY started DESC", (job,))
            return [json.loads(body) for (body,) in rows]

    def unfinished(self) -> list[dict[str, Any]]:
        with self._transaction() as connection:
            runs = [json.loads(body) for (body,) in connection.execute("SELECT body FROM runs")]
        return [run for run in runs if run["JobRunState"] in UNFINISHED]
