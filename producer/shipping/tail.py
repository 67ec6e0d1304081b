"""A file as `tail -F` reads it: on through growth, rotation and truncation, and on from where the last run ended."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from catalog.errors import LoglakeError, UsageError
from producer.shipping.lines import CHUNK_BYTES, Lines
from producer.shipping.positions import HEAD_BYTES, Position, Positions, digest
from producer.shipping.presence import Presence, Say
from producer.shipping.reading import splitter_of

POLL_S = 0.2
ROTATED_QUIET_S = 1.0
"""How long a rotated file must be quiet before it is left: its writer may not have opened the new one yet."""
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_ROTATED = r"[.\-_][0-9.:TZ_\-]+"
"""What rotation puts behind a file's name: `.1`, `-20261122`, `.2026-11-22_08`."""


class OpenFile:
    """One file being read, whatever its name is by now."""

    def __init__(self, path: Path, position: Position, read_as: str, on_truncated: Callable[[], None]) -> None:
        self._read_as = read_as
        self._on_truncated = on_truncated
        self._file = os.open(path, os.O_RDONLY)
        state = os.fstat(self._file)
        if (state.st_dev, state.st_ino) != (position.device, position.inode):
            position = Position(position.path, state.st_dev, state.st_ino)
        self.position = position
        self._begin_anew_if_changed()

    def read(self, whole: bool = False) -> Lines | None:
        """Return the next lines, None when there are none yet. `whole`: no more will come, so take an unended line."""
        self._begin_anew_if_changed()
        place = self.position
        data = os.pread(self._file, CHUNK_BYTES, place.offset)
        whole = whole and len(data) < CHUNK_BYTES
        if not data:
            return None
        first_line = self._first_line()
        splitter = splitter_of(self._read_as, first_line)
        lines, size, torn = splitter.split(data, place.offset, place.torn, whole)
        if not lines:
            return None
        head = os.pread(self._file, min(HEAD_BYTES, place.offset + size), 0)
        self.position = replace(place, offset=place.offset + size, torn=torn, head_bytes=len(head), head=digest(head))
        return Lines(lines, place.source, first_line, self.position)

    def _begin_anew_if_changed(self) -> None:
        head = os.pread(self._file, HEAD_BYTES, 0)
        if not self.position.still_fits(head, os.fstat(self._file).st_size):
            self.position = self.position.begun_anew()
            self._on_truncated()

    def _first_line(self) -> bytes:
        return os.pread(self._file, CHUNK_BYTES, 0).split(b"\n", 1)[0].removesuffix(b"\r")

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        return self.position.device, self.position.inode

    def changed_ns(self) -> int:
        """Return when the file was last written."""
        return os.fstat(self._file).st_mtime_ns

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


class FileTail:
    """The lines of the file at `path`, from where `positions` say, to its end or for ever."""

    def __init__(
        self,
        path: Path,
        follow: bool,
        positions: Positions,
        stopping: threading.Event,
        read_as: str = "auto",
        say: Say = lambda _: None,
    ) -> None:
        self._path = path.absolute()
        self._follow = follow
        self._positions = positions
        self._stopping = stopping
        self._read_as = read_as
        self._presence = Presence(path, say)
        if path.is_dir():
            raise UsageError(f"--from must be a file, or - for standard input; got the folder {str(path)!r}")
        if not follow and not self._path.is_file():
            raise UsageError(f"--from must be a file that exists, unless with --follow; got {str(path)!r}")

    def read(self) -> Iterator[Lines]:
        """Yield lines until the end of the file, or until stopped; raise `LoglakeError` as its disk does."""
        try:
            current = self._open_first()
            while current:
                yield from self._rest(current)
                current = self._next(current)
        except OSError as error:
            raise LoglakeError(f"--from must be readable; got {error.strerror} for {str(self._path)!r}") from error

    def _rest(self, current: OpenFile) -> Iterator[Lines]:
        """Yield all that the file gets until another one has its place, or until it ends."""
        quiet_since = time.monotonic()
        while not self._stopping.is_set():
            lines = current.read()
            if lines:
                quiet_since = time.monotonic()
                yield lines
                continue
            quiet = time.monotonic() - quiet_since >= ROTATED_QUIET_S
            rotated = self._follow and self._is_replaced(current, quiet)
            if not self._follow or (rotated and quiet):
                last = current.read(whole=True)
                if last:
                    yield last
                return
            self._stopping.wait(POLL_S)

    def _next(self, current: OpenFile) -> OpenFile | None:
        """Return the file that came after `current`: a rotated one that was never seen, else the one in place."""
        if self._stopping.is_set() or (not self._follow and not self._is_replaced(current)):
            current.close()
            return None
        left = current.changed_ns()
        if self._follow:
            self._presence.replaced()
        unseen = [path for path, state in self._siblings(current) if state.st_mtime_ns >= left]
        following = self._open(unseen[0] if unseen else self._path)
        current.close()
        return following

    def _siblings(self, current: OpenFile) -> list[tuple[Path, os.stat_result]]:
        """Return rotated files of the same name that were never read, the oldest first."""
        known = {(place.device, place.inode) for place in self._positions.of_path(str(self._path))}
        known.add(current.identity)
        rotated = re.compile(re.escape(self._path.name) + _ROTATED)
        found = [
            (path, state)
            for path, state in self._namesakes()
            if rotated.fullmatch(path.name) and (state.st_dev, state.st_ino) not in known
        ]
        return sorted(found, key=lambda sibling: sibling[1].st_mtime_ns)

    def _namesakes(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._path.parent.iterdir() if self._path.parent.is_dir() else ():
            if path.name.startswith(self._path.name) and path != self._path and path.suffix not in _PACKED:
                try:
                    if path.is_file():
                        yield path, path.stat()
                except FileNotFoundError:
                    continue

    def _open_first(self) -> OpenFile | None:
        """Open the file that the last run was reading, under its present name, else the one in place."""
        known = self._positions.of_path(str(self._path))
        if known and not self._is_at(self._path, known[-1]):
            for path, _ in self._namesakes():
                if self._is_at(path, known[-1]):
                    return self._open(path)
        return self._open(self._path)

    def _open(self, path: Path) -> OpenFile | None:
        """Open a file, or, when it can't be, the one in place as soon as it can; None when stopped before."""
        while not self._stopping.is_set():
            try:
                opened = OpenFile(path, self._position_of(path.stat()), self._read_as, self._presence.truncated)
            except OSError as error:
                if not self._follow:
                    raise
                path = self._path
                self._presence.away(error)
                self._stopping.wait(POLL_S)
            else:
                self._presence.there()
                return opened
        return None

    def _position_of(self, state: os.stat_result) -> Position:
        for place in self._positions.of_path(str(self._path)):
            if (place.device, place.inode) == (state.st_dev, state.st_ino):
                return place
        return Position(str(self._path), state.st_dev, state.st_ino)

    def _is_at(self, path: Path, place: Position) -> bool:
        try:
            state = path.stat()
        except FileNotFoundError:
            return False
        return (state.st_dev, state.st_ino) == (place.device, place.inode)

    def _is_replaced(self, current: OpenFile, tell: bool = False) -> bool:
        try:
            state = self._path.stat()
        except OSError as error:
            if tell:
                self._presence.away(error)
            return False
        if (state.st_dev, state.st_ino) != current.identity:
            return True
        self._presence.there()
        return False
