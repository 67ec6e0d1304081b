"""Lines that can't be understood: kept as they are with the reason, never guessed."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import LoglakeError
from producer.shipping.lines import CHUNK_BYTES, Line


class Unparsable(Exception):
    """A line is not what was announced; the text says what must hold."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that can't be understood, and why."""

    line: Line
    source: str
    reason: str


class UnparsableLines:
    """A file of JSON lines that appears with its first one; a line read again after a kill is kept once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = 0
        self.first: Refused | None = None
        self._last = self._known_places()

    def keep(self, refused: Sequence[Refused]) -> int:
        """Append the lines and return how many; raise `LoglakeError` if the file can't be written."""
        new = [entry for entry in refused if (entry.source, entry.line.offset) not in self._last]
        self._last = set()
        self.kept += len(new)
        self.first = self.first or next(iter(refused), None)
        if new:
            try:
                with self.path.open("ab") as file:
                    file.write(b"".join(orjson.dumps(_as_json(entry)) + b"\n" for entry in new))
            except OSError as error:
                text = f"--spool must be writable; got {error.strerror} for {str(self.path)!r}"
                raise LoglakeError(text) from error
        return len(new)

    def told(self) -> str:
        """Return how many lines are kept, where, and why the first of them is."""
        if not self.first:
            return ""
        lines = "1 line" if self.kept == 1 else f"{self.kept:,} lines"
        return f"{lines} in {str(self.path)!r}; the first, at byte {self.first.line.offset:,}: {self.first.reason}"

    def _known_places(self) -> set[tuple[str, int]]:
        """Return where the last lines came from: a kill may have come after they were kept and before all was."""
        if not self.path.exists():
            return set()
        with self.path.open("rb+") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4 * CHUNK_BYTES))
            tail = file.read()
            if tail and not tail.endswith(b"\n"):
                file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
        places = set()
        for text in tail.split(b"\n"):
            try:
                entry = orjson.loads(text)
                places.add((entry["source"], entry["offset"]))
            except (ValueError, KeyError, TypeError):
                continue
        return places


def _as_json(entry: Refused) -> dict[str, Any]:
    try:
        line = {"line": entry.line.data.decode("utf-8")}
    except UnicodeDecodeError:
        line = {"line_base64": base64.b64encode(entry.line.data).decode("ascii")}
    return {"source": entry.source, "offset": entry.line.offset, "reason": entry.reason, **line}
