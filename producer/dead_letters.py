"""Events that finally failed: one line each, as they were generated, so that they can be sent again."""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock


class DeadLetters:
    """A file that appears with its first event."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: dict[str, int] = {}
        self._lock = Lock()

    def add(self, payloads: Iterable[bytes], reason: str) -> int:
        """Append the events, flushed; return how many."""
        lines = list(payloads)
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(b"".join(line + b"\n" for line in lines))
            self.reasons[reason] = self.reasons.get(reason, 0) + len(lines)
        return len(lines)
