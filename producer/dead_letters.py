"""Events that finally failed: one line each, as they were generated, so that they can be sent again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

from catalog.errors import LoglakeError


class DeadLetters:
    """A file that appears with its first event."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: dict[str, int] = {}
        self._lock = Lock()

    def add(self, payloads: Iterable[bytes], reason: str) -> int:
        """Append the events, flushed; return how many. Raises `LoglakeError` if the file can't be written."""
        lines = list(payloads)
        with self._lock:
            self.reasons[reason] = self.reasons.get(reason, 0) + len(lines)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("ab") as file:
                    file.write(b"".join(line + b"\n" for line in lines))
            except OSError as error:
                text = f"--dead-letters must be writable; got {error.strerror} for {str(self.path)!r}"
                raise LoglakeError(text) from error
        return len(lines)

    def give_up(self, payloads: Sequence[bytes], reason: str) -> int:
        """Take events that could have been sent but were not; return how many of them failed."""
        return self.add(payloads, reason)
