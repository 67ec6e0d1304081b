"""The laptop's state: one folder, owned by one endpoint process at a time."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

from catalog.errors import LoglakeError


class DataDir:
    """The folder that `--data-dir` names, and where everything lies in it.

    Everything the endpoint writes is below it, temporary files included, so that removing the folder removes all of it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.state = self.root / "state"
        self.s3 = self.root / "s3"
        self.tmp = self.root / "tmp"
        self.engines = self.root / "engines"
        self._lock_fd: int | None = None

    def create(self) -> None:
        """Make the folders; raise `LoglakeError` when the place can't be written."""
        try:
            for folder in (self.root, self.state, self.s3, self.tmp, self.engines):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LoglakeError(
                f"the data directory must be a folder that can be written, {str(self.root)!r}; "
                f"got {error.strerror!r}; give another --data-dir"
            ) from error

    def lock(self) -> None:
        """Own the folder until this process ends, however it ends; raise `LoglakeError` naming another owner."""
        path = self.root / "endpoint.lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode(errors="replace").strip() or "another process"
            os.close(fd)
            raise LoglakeError(
                f"a data directory must have one endpoint, {str(self.root)!r}; it belongs to process {owner}; "
                "run 'loglake down', or give another --data-dir"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._lock_fd = fd
        shutil.rmtree(self.tmp, ignore_errors=True)  # what a killed owner left
        self.tmp.mkdir(mode=0o700)

    def announce(self, endpoint_url: str) -> None:
        """Write `endpoint.json`, by which others find the endpoint of this folder: its URL and process."""
        write_atomically(self.root / "endpoint.json", json.dumps({"url": endpoint_url, "pid": os.getpid()}).encode())

    def retract(self) -> None:
        """Remove `endpoint.json`: nobody answers any more."""
        (self.root / "endpoint.json").unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by `content`: a reader, also after a kill, sees the old or the new one, never a part."""
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_bytes(content)
    scratch.replace(path)


def read_json(path: Path) -> Any:
    """Return a JSON file's value; None when there is no such file or it is torn."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
