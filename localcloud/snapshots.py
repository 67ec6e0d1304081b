"""Snapshots of the emulator's control plane, so that a stack outlives the process, also a killed one."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from catalog.errors import LoglakeError
from localcloud.data_dir import read_json, write_atomically

DEBOUNCE_SECONDS = 1.0
SETTLE_SECONDS = 5.0
"""Pause before looking again after a snapshot that found changes: deployments outlast the request that began them."""
IDLE_SECONDS = 60.0
MAX_SHARE = 0.05
"""Snapshots take at most this share of the time, however large the state grows."""

_READ_VERBS = ("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Search", "Head", "Subscribe")
_DATA_TARGETS = ("Kinesis_20131202.PutRecord", "Firehose_20150804.PutRecord")

logger = logging.getLogger(__name__)


class Snapshots:
    """Writes what changed to `folder` soon after each change, keeping one earlier generation of each file."""

    def __init__(self, folder: Path, states: Callable[[], Mapping[str, bytes]]) -> None:
        self._folder = folder
        self._states = states
        self._written: dict[str, int] = {}
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread.start()

    def mark(self) -> None:
        """Say that something may have changed."""
        self._dirty.set()

    def stop(self) -> None:
        """Write once more and end."""
        self._stopped.set()
        self._dirty.set()
        self._thread.join()
        self.write()

    def write(self) -> int:
        """Write every state that differs from the one written last, and return how many did."""
        with self._lock:
            return sum(self._write_one(name, content) for name, content in self._states().items())

    def _write_one(self, name: str, content: bytes) -> bool:
        if self._written.get(name) == hash(content):
            return False
        path = self._folder / f"{name}.json"
        earlier = path.read_bytes() if path.exists() else content
        if earlier != content:
            write_atomically(_previous(path), earlier)
        write_atomically(path, content)
        self._written[name] = hash(content)
        return earlier != content

    def _run(self) -> None:
        pause = IDLE_SECONDS
        while not self._stopped.is_set():
            if self._dirty.wait(pause):
                self._stopped.wait(DEBOUNCE_SECONDS)
            self._dirty.clear()
            began = time.monotonic()
            pause = SETTLE_SECONDS if self._write_or_report() else IDLE_SECONDS
            self._stopped.wait((time.monotonic() - began) / MAX_SHARE)

    def _write_or_report(self) -> int:
        try:
            return self.write()
        except Exception as error:  # a full disk must not end the snapshots for good
            logger.error("the state can't be written to %s: %s", self._folder, error)
            return 0


def recover(folder: Path) -> list[str]:
    """Make every state file in `folder` readable, and return the names of those taken from their earlier generation.

    Raise `LoglakeError` for a torn file without a readable earlier generation: starting without it would lose it.
    """
    recovered = []
    for path in sorted(folder.glob("*.json")):
        if read_json(path) is not None:
            continue
        if read_json(_previous(path)) is None:
            raise LoglakeError(
                f"a state file must be whole, {str(path)!r}; got {path.stat().st_size} bytes that are not JSON; "
                f"move it away to start without what it held, or give another --data-dir"
            )
        write_atomically(path, _previous(path).read_bytes())
        recovered.append(path.name)
    return recovered


def changes_state(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a request may change the control plane; records and S3 objects persist by themselves."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    target = headers.get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return not target.startswith(_DATA_TARGETS) and not target.partition(".")[2].startswith(_READ_VERBS)
    if b"/s3/aws4_request" in headers.get(b"authorization", b""):
        return "/" not in scope["path"].strip("/") or _names_a_setting(scope["query_string"])
    return not scope["path"].endswith("/invocations")


def _names_a_setting(query_string: bytes) -> bool:
    names = set(parse_qs(query_string.decode("latin-1"), keep_blank_values=True))
    return bool(names - {"uploads", "uploadId", "partNumber", "x-id", "delete", "versionId"})


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")
