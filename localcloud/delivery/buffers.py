"""Partition buffers on disk, and the journal that makes them agree with the spool.

A batch is appended to its buffers' files and then committed by replacing the journal, which holds the spool offset
that the buffers include and the committed length of each. After a kill the files count only up to those lengths and
the spool is read again from that offset, so a record enters a buffer exactly once. A sealed buffer has its S3 key in
the journal before the object is put: putting it again after a kill replaces the object instead of doubling it.

The journal's earlier generation is kept and takes over when the journal is torn: the spool is released only up to the
offset in that one.
"""

import json
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import LoglakeError
from localcloud.data_dir import read_json
from localcloud.delivery.pipeline import Group, Keys

JOURNAL = "journal.json"
EARLIER_JOURNAL = "journal.json.previous"


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
        self.offset, buffers = _read_journal(folder)
        self._committed = self.offset
        self.releasable = 0
        """The spool offset that no generation of the journal needs any more."""
        self._restore(self.offset, {each.identity: each for each in buffers if self.path(each).exists()})
        for path in folder.glob("*.buffer"):
            if path.stem not in self._buffers:
                path.unlink()

    def append(self, groups: Sequence[Group], offset: int, now: float) -> None:
        """Add a batch and commit it together with the spool offset behind it; all or, with `OSError`, nothing."""
        with self._transaction():
            for group in groups:
                self._append(group, now)
            self.offset = offset

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
        """Close buffers, each with its bucket and S3 key: later records open a new one. As `append`."""
        with self._transaction():
            for buffer, bucket, key in keyed:
                self._buffers[buffer.identity] = replace(buffer, bucket=bucket, key=key)
                del self._open[_partition(buffer)]

    def sealed(self) -> list[Buffer]:
        """Return the buffers that wait for their upload, oldest first."""
        with self._lock:
            return sorted((each for each in self._buffers.values() if each.key), key=lambda buffer: buffer.opened_at)

    def remove(self, buffer: Buffer) -> None:
        """Forget a buffer whose object is in S3. As `append`."""
        with self._transaction():
            del self._buffers[buffer.identity]
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

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what is done to the buffers, or, with the `OSError` that prevented it, leave them as they were."""
        with self._lock:
            before = self.offset, {buffer.identity: replace(buffer) for buffer in self._buffers.values()}
            try:
                yield
                self._commit()
            except OSError:
                self._restore(*before)
                raise

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
        current = self._folder / JOURNAL
        scratch = current.with_name(JOURNAL + ".tmp")
        scratch.write_bytes(json.dumps(journal).encode())
        if current.exists():
            current.replace(self._folder / EARLIER_JOURNAL)
        scratch.replace(current)
        self.releasable, self._committed = self._committed, self.offset


def _partition(buffer: Buffer) -> tuple[str, Keys]:
    return buffer.output_type, buffer.keys


def _read_journal(folder: Path) -> tuple[int, list[Buffer]]:
    """Return the offset and the buffers; a sealed one of the earlier generation may have no file: it was delivered."""
    paths = [path for path in (folder / JOURNAL, folder / EARLIER_JOURNAL) if path.exists()]
    for path in paths:
        journal = read_json(path)
        if journal is not None:
            return journal["offset"], [_buffer(**each) for each in journal["buffers"]]
    if paths:
        raise LoglakeError(
            f"a delivery journal must be whole, {str(paths[0])!r}; neither it nor its earlier generation is; "
            f"move {str(folder)!r} away to go on without what it held"
        )
    return 0, []


def _buffer(keys: Sequence[Sequence[str]], **fields: Any) -> Buffer:
    return Buffer(keys=tuple((name, value) for name, value in keys), **fields)
