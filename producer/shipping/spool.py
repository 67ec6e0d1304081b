"""The spool: events on disk before they count as accepted, until they are acknowledged.

Segments of frames, oldest first. A frame holds the events of some lines and the place in the file that they were read
up to, so that both are kept or neither is. Frames are forced to disk before `append` returns. `settled` says up to
where all is acknowledged; segments before it are deleted. A new segment begins with every place known, so that no
deletion forgets one.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from catalog.errors import LoglakeError
from producer.shipping.frames import DamagedFrame, Frame, encode_frame, whole_frames
from producer.shipping.positions import Position, Positions, position_of

SEGMENT_BYTES = 64 * 1024 * 1024
CAP_BYTES = 1024 * 1024 * 1024
_SUFFIX = ".frames"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the spool."""

    segment: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events of one frame, and where it ends."""

    events: list[bytes]
    end: Mark


class Spool:
    """One folder's spool; one writing and one reading thread may use it. Raises `LoglakeError` as its disk does."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES, cap_bytes: int = CAP_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._cap_bytes = cap_bytes
        self._changed = threading.Condition()
        self.positions = Positions()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise LoglakeError(f"--spool must be used by one run at a time; got {str(folder)!r}") from None
        except OSError as error:
            raise self._unwritable(error) from error
        self.settled = self._read_settled()
        self.end = self._recover()
        self._file = self._open_last()

    def append(self, events: Sequence[bytes], position: Position | None, stopping: threading.Event) -> bool:
        """Accept events read up to `position`, waiting while the spool is full; False if stopped meanwhile."""
        place = position.as_json() if position else None
        payload = b"\n".join((orjson.dumps({"position": place}), *events))
        with self._changed:
            while self._unsettled_bytes() > self._cap_bytes:
                if stopping.is_set():
                    return False
                self._changed.wait(0.1)
            if self.end.offset >= self._segment_bytes:
                self._begin_segment()
            self._write(encode_frame(payload))
            if position:
                self.positions.note(position)
            self._changed.notify_all()
        return True

    def read(self, start: Mark) -> Iterator[Accepted]:
        """Yield what is accepted from `start` on, up to what is now the end."""
        end = self.end
        while start < end:
            path = self._path(start.segment)
            last = start.segment == end.segment
            with path.open("rb") as file:
                file.seek(start.offset)
                data = file.read(end.offset - start.offset if last else -1)
            for frame in self._frames(data, start):
                _, *events = frame.payload.split(b"\n")
                yield Accepted(events, Mark(start.segment, frame.end))
            if last:
                return
            start = Mark(start.segment + 1, 0)

    def wait(self, start: Mark, seconds: float) -> None:
        """Return when there is something from `start` on, or after a while."""
        with self._changed:
            self._changed.wait_for(lambda: start < self.end, seconds)

    def settle(self, mark: Mark) -> None:
        """Note that all before `mark` is acknowledged or failed, and delete segments that are behind it."""
        part = self._folder / "settled.part"
        try:
            part.write_bytes(orjson.dumps([mark.segment, mark.offset]))
            part.replace(self._folder / "settled")
        except OSError as error:
            raise self._unwritable(error) from error
        with self._changed:
            self.settled = mark
            for number in self._numbers():
                if number < mark.segment:
                    self._path(number).unlink()
            self._changed.notify_all()

    def close(self) -> None:
        """Let another run use the folder."""
        os.close(self._file)
        os.close(self._lock)

    def _recover(self) -> Mark:
        """Learn the places, cut off what was not wholly written, and return the end."""
        numbers = self._numbers()
        if not numbers:
            self._path(self.settled.segment).touch()
            return Mark(self.settled.segment, 0)
        end = Mark(numbers[0], 0)
        for number in numbers:
            data = self._path(number).read_bytes()
            end = Mark(number, 0)
            for frame in self._frames(data, end):
                self._learn(frame.payload)
                end = Mark(number, frame.end)
            if end.offset < len(data):
                if number != numbers[-1]:
                    raise self._damaged(number, end.offset)
                os.truncate(self._path(number), end.offset)
        self.settled = max(self.settled, Mark(numbers[0], 0))
        return end

    def _learn(self, payload: bytes) -> None:
        content = orjson.loads(payload.partition(b"\n")[0])
        for place in content.get("positions", [content.get("position")]):
            if place:
                self.positions.note(position_of(place))

    def _frames(self, data: bytes, start: Mark) -> Iterator[Frame]:
        try:
            yield from whole_frames(data, start.offset)
        except DamagedFrame as error:
            raise self._damaged(start.segment, error.offset) from None

    def _begin_segment(self) -> None:
        os.close(self._file)
        self.end = Mark(self.end.segment + 1, 0)
        self._path(self.end.segment).touch()
        self._file = self._open_last()
        places = [position.as_json() for position in self.positions.all()]
        self._write(encode_frame(orjson.dumps({"positions": places})))

    def _write(self, frame: bytes) -> None:
        try:
            written = os.write(self._file, frame)
            if written < len(frame):
                raise OSError(28, "no space left on device")
            os.fdatasync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self.end.offset)
            raise self._unwritable(error) from error
        self.end = Mark(self.end.segment, self.end.offset + len(frame))

    def _open_last(self) -> int:
        return os.open(self._path(self.end.segment), os.O_WRONLY | os.O_APPEND)

    def _read_settled(self) -> Mark:
        try:
            return Mark(*orjson.loads((self._folder / "settled").read_bytes()))
        except (OSError, ValueError, TypeError):
            return Mark()

    def _unsettled_bytes(self) -> int:
        whole = self.end.segment - self.settled.segment
        return whole * self._segment_bytes + self.end.offset - self.settled.offset

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self._folder.glob(f"*{_SUFFIX}"))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:010}{_SUFFIX}"

    def _damaged(self, segment: int, offset: int) -> LoglakeError:
        return LoglakeError(
            f"--spool must be whole; got a damaged frame at byte {offset} of {str(self._path(segment))!r}; "
            "move the file away to go on without it"
        )

    def _unwritable(self, error: OSError) -> LoglakeError:
        return LoglakeError(f"--spool must be writable; got {error.strerror} for {str(self._folder)!r}")
