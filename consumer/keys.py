"""Single keys from a terminal, without waiting for Enter; none from anything else."""

import os
import select
import time
from typing import Any, TextIO


class Keys:
    """Reads keys from a terminal while it is entered, and puts the terminal back as it was."""

    def __init__(self, source: TextIO | None) -> None:
        self._source = source if source is not None and source.isatty() else None
        self._before: Any = None

    def __enter__(self) -> "Keys":
        if self._source is not None:
            import termios
            import tty

            self._before = termios.tcgetattr(self._source)
            tty.setcbreak(self._source)
        return self

    def wait(self, seconds: float) -> str:
        """Return the key pressed within some seconds, or an empty text after them."""
        if self._source is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([self._source], [], [], seconds)
        if not ready:
            return ""
        return os.read(self._source.fileno(), 1).decode("latin-1")  # unbuffered: `select` sees the rest

    def __exit__(self, *_: object) -> None:
        if self._source is not None:
            import termios

            termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)
