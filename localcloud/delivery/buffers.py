"""Partition buffers on disk, and the journal that makes them agree with the spool.

A batch is appended to its buffers' files and then committed by replacing the journal, which holds the spool offset
that the buffers include and the committed length of each. After a kill the files count only up to those lengths and
the spool is read again from that offset, so a record enters a buffer exactly once. A sealed buffer has its S3 key in
the journal before the object is put: putting it again after a kill replaces the object instead of doubling it.
"""

import json
import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import LoglakeError
from localcloud.data_dir import read_json, write_atomically
from localcloud.delivery.pipeline import Group, Keys


@dataclass(slots=True)
class Buffer:
    """One buffer; `key` is empty until it is sealed, `opened_at` is the clock's seconds at its first record."""

    identity: str
    keys: Keys
    output_type: str
    opened_at: float
    oldest_ms: int
    length: int = 0
    records: int = 0
    bucket: str = ""
    key: str = ""


class Buffers:
    """The buffers of one delivery stream; safe to use from the delivering and the uploading thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self.offset, self._buffers = _read_journal(folder / "journal.json")
        self._restore(self.offset, self._buffers)
        for path in folder.glob("*.buffer"):
            if path.stem not in self._buffers:
                path.unlink()

    def append(self, groups: Sequence[Group], offset: int, now: float) -> None:
        """Add a batch and commit it together with the spool offset behind it; all or, with `OSError`, nothing."""
        with self._lock:
            before = self.offset, {buffer.identity: replace(buffer) for buffer in self._buffers.values()}
            try:
                for group in groups:
                    self._append(group, now)
                self.offset = offset
                self._commit()
            except OSError:
                self._restore(*before)
                raise

    def is_open(self, group: Group) -> bool:
        """Tell whether the group's partition has an open buffer."""
        return (group.output_type, group.keys) in self._open

    def active_partitions(self) -> int:
        """Return the number of partitions that wait for delivery."""
        with self._lock:
            return sum(not buffer.output_type for buffer in self._buffers.values())

    def due(self, now: float, limit_bytes: int, seconds: float) -> list[Buffer]:
        """Return the open buffers that are full or whose interval is over."""
        with self._lock:
            return [
                each for each in self._open.values() if each.length >= limit_bytes or now - each.opened_at >= seconds
            ]

    def seal(self, keyed: Sequence[tuple[Buffer, str, str]]) -> None:
        """Close buffers, each with its bucket and S3 key: later records of its partition open a new one."""
        with self._lock:
            for buffer, bucket, key in keyed:
                buffer.bucket, buffer.key = bucket, key
                del self._open[_partition(buffer)]
            self._commit()

    def sealed(self) -> list[Buffer]:
        """Return the buffers that wait for their upload, oldest first."""
        with self._lock:
            return sorted((each for each in self._buffers.values() if each.key), key=lambda buffer: buffer.opened_at)

    def remove(self, buffer: Buffer) -> None:
        """Forget a buffer whose object is in S3."""
        with self._lock:
            del self._buffers[buffer.identity]
            self._commit()
        self.path(buffer).unlink(missing_ok=True)

    def path(self, buffer: Buffer) -> Path:
        """Return a buffer's file, of which only the first `length` bytes count."""
        return self._folder / f"{buffer.identity}.buffer"

    def size_bytes(self) -> int:
        """Return the bytes that wait for delivery."""
        with self._lock:
            return sum(buffer.length for buffer in self._buffers.values())

    def oldest_ms(self) -> int | None:
        """Return the arrival of the oldest record that waits for delivery."""
        with self._lock:
            return min((buffer.oldest_ms for buffer in self._buffers.values()), default=None)

    def _restore(self, offset: int, buffers: dict[str, Buffer]) -> None:
        self.offset, self._buffers = offset, buffers
        self._open = {_partition(buffer): buffer for buffer in buffers.values() if not buffer.key}

    def _append(self, group: Group, now: float) -> None:
        buffer = self._open.get((group.output_type, group.keys))
        if buffer is None:
            buffer = Buffer(str(uuid.uuid4()), group.keys, group.output_type, now, group.oldest_ms)
            self._buffers[buffer.identity] = self._open[_partition(buffer)] = buffer
        content = b"".join(group.parts)
        fd = os.open(self.path(buffer), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            view, position = memoryview(content), buffer.length
            while view:
                written = os.pwrite(fd, view, position)
                view, position = view[written:], position + written
        finally:
            os.close(fd)
        buffer.length += len(content)
        buffer.records += len(group.parts)
        buffer.oldest_ms = min(buffer.oldest_ms, group.oldest_ms)

    def _commit(self) -> None:
        journal = {"offset": self.offset, "buffers": [asdict(buffer) for buffer in self._buffers.values()]}
        write_atomically(self._folder / "journal.json", json.dumps(journal).encode())


def _partition(buffer: Buffer) -> tuple[str, Keys]:
    return buffer.output_type, buffer.keys


def _read_journal(path: Path) -> tuple[int, dict[str, Buffer]]:
    if not path.exists():
        return 0, {}
    journal = read_json(path)
    if journal is None:
        raise LoglakeError(f"a delivery journal must be whole, {str(path)!r}; move it away to deliver its spool again")
    buffers = [_buffer(**each) for each in journal["buffers"]]
    return journal["offset"], {buffer.identity: buffer for buffer in buffers}


def _buffer(keys: Sequence[Sequence[str]], **fields: Any) -> Buffer:
    return Buffer(keys=tuple((name, value) for name, value in keys), **fields)
