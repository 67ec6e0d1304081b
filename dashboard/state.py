"""What the dashboard must not forget: saved views, alerts and who asked what, in one SQLite file of a state folder.

Unlike the cache this may not be deleted. The folder is its owner's alone; workers and the alert evaluator share it.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.errors import LoglakeError, UsageError

DEFAULT_ADDRESS = "http://127.0.0.1:8050/"
_BEGIN_ANEW = "put a copy of it back, or move it away to begin anew"

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
DROP TABLE IF EXISTS evaluations;
CREATE TABLE IF NOT EXISTS judgements (
  rule TEXT PRIMARY KEY, at REAL NOT NULL, judged_to REAL, unknown_since REAL, failing_since REAL,
  error TEXT NOT NULL DEFAULT '');
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
    """The state file; safe to use from any thread of any process, for each use opens it anew.

    One that can't be used raises `LoglakeError` at each use, and works again as soon as it was mended or moved away.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_made = False
        make_folder(folder)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; what was changed is kept unless the block raises."""
        path = self.folder / FILE
        try:
            with closing(sqlite3.connect(path, timeout=20)) as connection:
                connection.row_factory = sqlite3.Row
                self._make(connection)
                with connection:
                    yield connection
        except sqlite3.Error as error:
            self._is_made = False
            is_the_disk = isinstance(error, sqlite3.OperationalError)
            raise LoglakeError(
                f"the state file must be a SQLite database that can be written; got {str(path)!r} ({error}); "
                + ("free space on its disk, or check the folder's owner" if is_the_disk else _BEGIN_ANEW)
            ) from error

    def _make(self, connection: sqlite3.Connection) -> None:
        if not self._is_made:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            self._is_made = True


class Address:
    """Where the dashboard is reached: written by the one that serves, read by who sends links to it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "address"

    def write(self, address: str) -> None:
        """Keep the address under which the dashboard of this state folder is served now."""
        make_folder(self._file.parent)
        write_text(self._file, address + "\n")

    def read(self) -> str:
        """Return the address that was written last; the default one before any was."""
        try:
            return self._file.read_text(encoding="utf-8").strip() or DEFAULT_ADDRESS
        except OSError:
            return DEFAULT_ADDRESS


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole: who reads it sees the old text or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
