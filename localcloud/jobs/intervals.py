"""What fires every so many seconds, counted from when it is first seen."""

from collections.abc import Iterable


class Intervals:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[str, float] = {}

    def due(self, names: Iterable[str], now: float) -> list[str]:
        """Return those of `names` that fire now and count them on from now; names not given are forgotten."""
        self._due = {name: self._due.get(name, now + self._seconds) for name in names}
        fired = [name for name, moment in self._due.items() if moment <= now]
        self._due.update(dict.fromkeys(fired, now + self._seconds))
        return fired
