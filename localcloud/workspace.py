"""The data directory of one laptop stack: what is in it, who owns it, which processes run on it.

loglake.json     says that the directory is ours, and its format
up.lock          held by the `loglake up` that runs
up.json          ports, URLs and processes of that run
ledger/          what the producer counted
logs/            one log per process
…                the endpoint's own state
"""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from catalog.errors import LoglakeError
from catalog.laptop import RUN_FILE
from localcloud.data_dir import read_json, write_atomically

FORMAT = 1


class WorkspaceError(LoglakeError):
    """The data directory can't be used."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One data directory."""

    path: Path

    @property
    def marker(self) -> Path:
        return self.path / "loglake.json"

    @property
    def run_file(self) -> Path:
        return self.path / RUN_FILE

    @property
    def ledger(self) -> Path:
        return self.path / "ledger"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def claim(self) -> None:
        """Make the directory ours, or check that it is; raise `WorkspaceError` when it is somebody else's or unusable.

        An interrupted first start leaves the marker behind and is simply continued.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.marker.exists():
                if any(self.path.iterdir()):
                    raise WorkspaceError(
                        f"the data directory must be empty or made by 'loglake up'; got {str(self.path)!r}, "
                        "which holds other files and no loglake.json; name another with --data-dir"
                    )
                write_json(self.marker, {"format": FORMAT})
            for folder in (self.ledger, self.logs):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise WorkspaceError(_explain(error, self.path)) from error
        found = self._format()
        if found != FORMAT:
            raise WorkspaceError(
                f"the data directory's format must be {FORMAT}; got {found!r} in {str(self.marker)!r}; "
                "use the version of loglake that made it, or name another directory with --data-dir"
            )

    def _format(self) -> int:
        """Return the format that the marker names; a torn marker is written anew: its name alone says it is ours."""
        found: int | None = read_object(self.marker).get("format")
        if found is None:
            write_json(self.marker, {"format": FORMAT})
        return FORMAT if found is None else found

    def lock(self) -> IO[str]:
        """Hold the directory for one `loglake up`; raise `WorkspaceError` naming the process that holds it already."""
        handle = (self.path / "up.lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            handle.close()
            raise WorkspaceError(
                f"one 'loglake up' may run on a data directory; process {owner} runs on {str(self.path)!r}; "
                "see it with 'loglake status', stop it with 'loglake down'"
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        return handle


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small JSON file whole or not at all."""
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def read_object(path: Path) -> dict[str, Any]:
    """Return a small JSON file's object; an absent or torn one is empty."""
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _explain(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk of {str(path)!r} is full; free some space, or name another directory with --data-dir"
    return f"the data directory must be writable; got {str(path)!r}: {error.strerror}; name another with --data-dir"
