"""How much memory each running query may take, so that all of them together keep to one budget."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryBudget:
    """Shares memory among at most `queries` queries: nobody waits, nobody gets less than `least_mb`.

    The one that comes first gets up to `most_mb`, but never what the others need for their least; beyond its share a
    query spills to disk. The shares never add up to more than `total_mb`.
    """

    def __init__(self, queries: int, least_mb: int = 120, most_mb: int = 300) -> None:
        self._least_mb = least_mb
        self._most_mb = most_mb
        self._idle = queries
        self.total_mb = most_mb + (queries - 1) * least_mb
        self._free_mb = self.total_mb
        self._lock = threading.Lock()

    @contextmanager
    def share(self) -> Iterator[int]:
        """Take a share while the block runs; yields its megabytes."""
        with self._lock:
            self._idle -= 1
            granted = max(self._least_mb, min(self._most_mb, self._free_mb - self._idle * self._least_mb))
            self._free_mb -= granted
        try:
            yield granted
        finally:
            with self._lock:
                self._idle += 1
                self._free_mb += granted
