"""How far each file is read: by inode and offset, so that a file keeps its place under another name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

HEAD_BYTES = 256
REMEMBERED_PER_PATH = 16


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file: `offset` is where its first unread line begins.

    `generation` counts how often the file began anew under its inode: it was truncated, or another file got the number.
    `head` is a digest of its first `head_bytes` bytes, which tells the one from the other. `torn` says that the offset
    is in the middle of a line too long to read at once.
    """

    path: str
    device: int
    inode: int
    generation: int = 0
    offset: int = 0
    head_bytes: int = 0
    head: str = ""
    torn: bool = False

    @property
    def source(self) -> str:
        """What the lines come from; with an offset it names one line for good."""
        return f"{self.device:x}:{self.inode:x}:{self.generation}"

    @property
    def key(self) -> str:
        """What the position is remembered by."""
        return f"{self.path}\n{self.device:x}:{self.inode:x}"

    def begun_anew(self) -> "Position":
        """Return the beginning of the file's next generation."""
        return replace(self, generation=self.generation + 1, offset=0, head_bytes=0, head="", torn=False)

    def still_fits(self, head: bytes, size: int) -> bool:
        """Return whether a file of `size` bytes that begins with `head` is the one whose place this is."""
        return size >= self.offset and digest(head[: self.head_bytes]) == (self.head or digest(b""))

    def as_json(self) -> dict[str, Any]:
        """Return the position as a frame holds it."""
        return asdict(self)


class Positions:
    """The latest position of each file, and of the last few files that had the same path."""

    def __init__(self) -> None:
        self._latest: dict[str, Position] = {}

    def note(self, position: Position) -> None:
        """Remember a position; the oldest of its path is forgotten when there are too many."""
        self._latest.pop(position.key, None)
        self._latest[position.key] = position
        of_path = [known.key for known in self._latest.values() if known.path == position.path]
        for key in of_path[:-REMEMBERED_PER_PATH]:
            del self._latest[key]

    def of_path(self, path: str) -> list[Position]:
        """Return what is known of files that had this path, the latest last."""
        return [position for position in self._latest.values() if position.path == path]

    def all(self) -> list[Position]:
        """Return every position."""
        return list(self._latest.values())


def position_of(content: Mapping[str, Any]) -> Position:
    """Return the position in a frame."""
    return Position(**content)


def digest(head: bytes) -> str:
    """Return the digest of the beginning of a file."""
    return blake2b(head, digest_size=8).hexdigest()
