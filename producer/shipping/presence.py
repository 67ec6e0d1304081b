"""What a reader of a file tells its user about the file's coming and going, as `tail -F` does: each thing once."""

import os
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str], None]


class Presence:
    """Knows whether the file at `path` was last seen there."""

    def __init__(self, path: Path, say: Say) -> None:
        self._path = str(path)
        self._say = say
        self._away = False

    def away(self, error: OSError) -> None:
        """Note that it can't be opened."""
        if not self._away:
            self._say(f"cannot open {self._path!r}: {os.strerror(error.errno or 0)}; waiting for it")
        self._away = True

    def there(self) -> None:
        """Note that it is open."""
        if self._away:
            self._say(f"{self._path!r} has appeared; reading it")
        self._away = False

    def replaced(self) -> None:
        """Note that another file has its name."""
        self._say(f"{self._path!r} was replaced; reading the new file")
        self._away = False

    def truncated(self) -> None:
        """Note that it begins anew."""
        self._say(f"{self._path!r} was truncated; reading it from its beginning")
