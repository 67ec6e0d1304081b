"""What is kept of crawlers in one SQLite file: what made them, every crawl, what each folder held when last read."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.crawler.samples import Sample, sample_from_json

KEPT_CRAWLS = 1000
_TABLES = """
CREATE TABLE IF NOT EXISTS crawls (id TEXT PRIMARY KEY, crawler TEXT NOT NULL, start REAL NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS crawls_by_start ON crawls (crawler, start);
CREATE TABLE IF NOT EXISTS requests (crawler TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS samples (
    crawler TEXT, location TEXT, fingerprint TEXT, body TEXT, PRIMARY KEY (crawler, location)
);
"""


class History:
    """Safe to use from threads; each write is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
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

    def remember(self, crawler: str, request: Mapping[str, Any]) -> None:
        """Keep what made a crawler, or changed it: fields that `request` lacks stay as they were."""
        with self._transaction() as connection:
            row = connection.execute("SELECT body FROM requests WHERE crawler = ?", (crawler,)).fetchone()
            body = json.dumps({**(json.loads(row[0]) if row else {}), **request})
            connection.execute("INSERT OR REPLACE INTO requests VALUES (?, ?)", (crawler, body))

    def forget(self, crawler: str) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM requests WHERE crawler = ?", (crawler,))

    def requests(self) -> dict[str, dict[str, Any]]:
        """Return what would make each remembered crawler again, by its name."""
        with self._transaction() as connection:
            return {name: json.loads(body) for name, body in connection.execute("SELECT * FROM requests")}

    def save(self, crawl: Mapping[str, Any]) -> None:
        """Keep a crawl, new or changed; the oldest ones of its crawler beyond a thousand are forgotten."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO crawls VALUES (?, ?, ?, ?)",
                (crawl["CrawlId"], crawl["Crawler"], crawl["StartTime"], json.dumps(crawl)),
            )
            connection.execute(
                "DELETE FROM crawls WHERE crawler = ?1 AND id NOT IN "
                "(SELECT id FROM crawls WHERE crawler = ?1 ORDER BY start DESC LIMIT ?2)",
                (crawl["Crawler"], KEPT_CRAWLS),
            )

    def crawls(self, crawler: str) -> list[dict[str, Any]]:
        """Return a crawler's crawls, newest first."""
        query = "SELECT body FROM crawls WHERE crawler = ? ORDER BY start DESC"
        with self._transaction() as connection:
            return [json.loads(body) for (body,) in connection.execute(query, (crawler,))]

    def unfinished(self) -> list[dict[str, Any]]:
        with self._transaction() as connection:
            bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM crawls")]
        return [crawl for crawl in bodies if crawl["State"] == "RUNNING"]

    def samples(self, crawler: str) -> "Samples":
        return Samples(self, crawler)

    def get_sample(self, crawler: str, where: str) -> tuple[str, Sample] | None:
        query = "SELECT fingerprint, body FROM samples WHERE crawler = ? AND location = ?"
        with self._transaction() as connection:
            row = connection.execute(query, (crawler, where)).fetchone()
        return (row[0], sample_from_json(json.loads(row[1]))) if row else None

    def put_sample(self, crawler: str, where: str, fingerprint: str, sample: Sample) -> None:
        row = (crawler, where, fingerprint, json.dumps(sample.to_json()))
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?)", row)


class Samples:
    """One crawler's part of the samples."""

    def __init__(self, history: History, crawler: str) -> None:
        self._history = history
        self._crawler = crawler

    def get(self, where: str) -> tuple[str, Sample] | None:
        return self._history.get_sample(self._crawler, where)

    def put(self, where: str, fingerprint: str, sample: Sample) -> None:
        self._history.put_sample(self._crawler, where, fingerprint, sample)
