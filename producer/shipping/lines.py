"""Lines as they are read, with where each begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from producer.shipping.positions import Position

CHUNK_BYTES = 1024 * 1024
"""How much is read at once; a longer line is no log line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, the offset of its first byte, and whether it is only a piece of one."""

    data: bytes
    offset: int
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of one source. `first_line` is the source's very first; `position` where to go on reading."""

    lines: list[Line]
    source: str
    first_line: bytes
    position: Position | None


class Source(Protocol):
    """Where lines come from: yields them until there are no more, or it is told to stop."""

    def read(self) -> Iterator[Lines]: ...


@dataclass(frozen=True, slots=True)
class Splitter:
    """Cuts what was read into lines. `quoted`: a line end between quotes belongs to its line, as in CSV."""

    quoted: bool = False

    def split(self, data: bytes, offset: int, torn: bool, whole: bool) -> tuple[list[Line], int, bool]:
        """Return the lines in `data`, how many of its bytes they are, and whether the last of them goes on.

        A last line without an end waits for it, unless `whole` says that no more will come, or it fills all of a chunk.
        """
        lines: list[Line] = []
        start = 0
        while (end := self._end(data, start)) >= 0:
            lines.append(Line(data[start:end].removesuffix(b"\r"), offset + start, torn))
            start, torn = end + 1, False
        rest = data[start:]
        if rest and (whole or (not lines and len(rest) >= CHUNK_BYTES)):
            torn = torn or not whole
            lines.append(Line(rest, offset + start, torn))
            return lines, len(data), torn
        return lines, start, torn

    def _end(self, data: bytes, start: int) -> int:
        end = data.find(b"\n", start)
        if self.quoted:
            quotes = data.count(b'"', start, max(end, start))
            while end >= 0 and quotes % 2:
                line = end + 1
                end = data.find(b"\n", line)
                quotes += data.count(b'"', line, max(end, line))
        return end
