"""What the dashboard must not forget: saved views, alerts and who asked what, in one SQLite file of a state folder.

Unlike the cache this may not be deleted. The folder is its owner's alone; workers and the alert evaluator share it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.errors import LoglakeError, UsageError

FILE = "state.db"
SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
  id INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, is_shared INTEGER NOT NULL, page TEXT NOT NULL,
  query TEXT NOT NULL, saved_at REAL NOT NULL, UNIQUE (owner, name));
CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);
CREATE TABLE IF NOT EXISTS firings (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL,
  value REAL, threshold REAL, text TEXT NOT NULL, query TEXT NOT NULL, breaches INTEGER NOT NULL,
  started_at REAL NOT NULL, seen_at REAL NOT NULL, resolved_at REAL, acknowledged_by TEXT, acknowledged_at REAL,
  note TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS one_open_firing ON firings (rule, subject) WHERE resolved_at IS NULL;
CREATE TABLE IF NOT EXISTS silences (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, subject TEXT NOT NULL, until REAL NOT NULL, made_by TEXT NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, firing INTEGER NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL, made_at REAL NOT NULL,
  due_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, sent_at REAL, error TEXT NOT NULL DEFAULT '',
  UNIQUE (firing, channel, kind));
CREATE TABLE IF NOT EXISTS evaluations (
  rule TEXT PRIMARY KEY, at REAL NOT NULL, error TEXT NOT NULL, facts TEXT NOT NULL);
"""


def make_folder(folder: Path, option: str = "--state-dir") -> None:
    """Make the folder that an option names, its owner's alone; raise `UsageError` when that can't be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise UsageError(
            f"{option} must be a folder that can be made and written; got {str(folder)!r} ({error.strerror}); "
            "name another one"
        ) from error


class StateFile:
    """The state file; safe to use from any thread of any process, for each use opens it anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder)
        with self.open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; what was changed is kept unless the block raises.

        Raises `LoglakeError` when the file can't be read or written now, as on a full disk.
        """
        try:
            with closing(sqlite3.connect(self.folder / FILE, timeout=20)) as connection, connection:
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.OperationalError as error:
            path = str(self.folder / FILE)
            raise LoglakeError(
                f"the dashboard's state must be readable and writable, {path!r}; got {str(error)!r}; "
                "free some space on its disk, or check the folder's owner"
            ) from error
