"""The spool: an append-only log on disk that a record has entered before its put is acknowledged.

Frames `crc32, length, payload` (little-endian; the checksum covers length and payload) in segment files named by the
offset of their first byte. `write()` alone makes a frame survive `kill -9`; a power cut may take the last seconds.
"""

import os
import shutil
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SEGMENT_BYTES = 32 * 1024 * 1024
LIMIT_BYTES = 4 * 1024**3
"""Undelivered bytes that one spool holds before it refuses more."""
RESERVED_DISK_BYTES = 256 * 1024 * 1024
"""Free space that a spool leaves on its disk."""

_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


class SpoolFull(Exception):
    """The spool takes no more: its reader is behind, or the disk is nearly full."""


class Spool:
    """A log with many writers and one reader; `start <= offset <= end`, offsets never restart."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._limit_bytes = limit_bytes
        self._arrived = threading.Condition()
        folder.mkdir(parents=True, exist_ok=True)
        self._segments = sorted(int(path.stem) for path in folder.glob("*.spool")) or [0]
        self._fd = os.open(self._path(self._segments[-1]), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.end = self._segments[-1] + _truncate_torn_tail(self._fd)

    @property
    def start(self) -> int:
        """The offset of the oldest frame still kept."""
        return self._segments[0]

    def append(self, payloads: Iterable[bytes]) -> int:
        """Write all payloads or none, and return the new end; raise `SpoolFull` or `OSError` if not on disk."""
        with self._arrived:
            with self.holding(payloads):
                pass
            return self.end

    @contextmanager
    def holding(self, payloads: Iterable[bytes]) -> Iterator[None]:
        """Have all payloads on disk; the reader sees them when the block ends, and never if the block raises.

        Raise `SpoolFull` or `OSError` at once if they can't be on disk. Others who write wait meanwhile.
        """
        frames = b"".join(_frame(payload) for payload in payloads)
        with self._arrived:
            self._require_room(len(frames))
            self._write(frames)
            try:
                yield
            except BaseException:
                os.ftruncate(self._fd, self.end - self._segments[-1])
                raise
            self.end += len(frames)
            self._arrived.notify_all()
            if self.end - self._segments[-1] >= self._segment_bytes:
                self._begin_segment()

    def wait(self, offset: int, timeout: float) -> bool:
        """Wait until something lies beyond `offset`; return whether it does."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self.end > offset, timeout)

    def wake(self) -> None:
        """Let a waiting reader look again at once."""
        with self._arrived:
            self._arrived.notify_all()

    def read(self, offset: int, limit_bytes: int) -> tuple[list[bytes], int]:
        """Return payloads from `offset` on, about `limit_bytes` of them but at least one, and the offset behind them.

        A frame damaged on disk ends its segment: what follows in it is skipped. No frames, and `offset` itself, when
        there is nothing to read.
        """
        offset = max(offset, self.start)
        while offset < self.end:
            segment = max(first for first in self._segments if first <= offset)
            end = min((first for first in self._segments if first > segment), default=self.end)
            payloads, reached = self._read_segment(segment, offset, end, limit_bytes)
            if payloads:
                return payloads, reached
            offset = end
        return [], offset

    def release(self, offset: int) -> None:
        """Delete the segments that lie wholly before `offset`."""
        with self._arrived:
            while len(self._segments) > 1 and self._segments[1] <= offset:
                self._path(self._segments.pop(0)).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; nothing is lost by not calling it."""
        os.close(self._fd)

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:020d}.spool"

    def _require_room(self, size: int) -> None:
        if self.end + size - self.start > self._limit_bytes:
            raise SpoolFull(f"{self.end - self.start} bytes wait for delivery")
        free = shutil.disk_usage(self._folder).free
        if free < size + RESERVED_DISK_BYTES:
            needed = f"{RESERVED_DISK_BYTES / 1e6:.0f} MB of the disk must stay free"
            raise SpoolFull(f"{needed}; got {free / 1e6:.0f} MB; free some space: producers try again by themselves")

    def _write(self, frames: bytes) -> None:
        position = self.end - self._segments[-1]
        view = memoryview(frames)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, position)
            raise

    def _begin_segment(self) -> None:
        """Go on in a new file; where none can be opened, in the present one: what is written must not fail any more."""
        try:
            following = os.open(self._path(self.end), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            return
        os.close(self._fd)
        self._segments.append(self.end)
        self._fd = following

    def _read_segment(self, segment: int, offset: int, end: int, limit_bytes: int) -> tuple[list[bytes], int]:
        with self._path(segment).open("rb") as file:
            file.seek(offset - segment)
            chunk = file.read(min(limit_bytes, end - offset))
            payloads, used = _frames(chunk)
            if not payloads and len(chunk) >= _HEAD.size:  # one frame larger than the limit
                file.seek(offset - segment)
                payloads, used = _frames(file.read(min(_HEAD.unpack_from(chunk)[1] + _HEAD.size, end - offset)))
        return payloads, offset + used


def _frame(payload: bytes) -> bytes:
    length = _LENGTH.pack(len(payload))
    return b"".join((_LENGTH.pack(zlib.crc32(payload, zlib.crc32(length))), length, payload))


def _frames(chunk: bytes) -> tuple[list[bytes], int]:
    """Return the payloads of the whole, undamaged frames at the start of `chunk`, and where they end."""
    payloads = []
    position = 0
    while position + _HEAD.size <= len(chunk):
        checksum, length = _HEAD.unpack_from(chunk, position)
        body = position + _HEAD.size
        payload = chunk[body : body + length]
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(chunk[position + 4 : body])) != checksum:
            break
        payloads.append(payload)
        position = body + length
    return payloads, position


def _truncate_torn_tail(fd: int) -> int:
    """Cut a segment behind its last whole frame, and return its length."""
    content = os.pread(fd, os.fstat(fd).st_size, 0)
    _, length = _frames(content)
    if length < len(content):
        os.ftruncate(fd, length)
    return length
