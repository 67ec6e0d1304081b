"""Standard input as a source of lines."""

import os
import select
import threading
import uuid
from collections.abc import Iterator

from producer.shipping.lines import CHUNK_BYTES, Lines, Splitter
from producer.shipping.reading import splitter_of

_POLL_S = 0.2


class StandardInput:
    """The lines of an open file that can't be read twice. What was read is kept by the spool alone."""

    def __init__(self, file: int, stopping: threading.Event, read_as: str = "auto") -> None:
        self._file = file
        self._read_as = read_as
        self._stopping = stopping
        self._source = f"stdin:{uuid.uuid4().hex}"

    def read(self) -> Iterator[Lines]:
        """Yield lines until the end or until stopped."""
        held, offset, torn, first_line, splitter = b"", 0, False, b"", Splitter()
        ended = False
        while not ended and not self._stopping.is_set():
            if not select.select([self._file], [], [], _POLL_S)[0]:
                continue
            data = os.read(self._file, CHUNK_BYTES)
            ended = not data
            held += data
            if not first_line and (b"\n" in held or ended):
                first_line = held.split(b"\n", 1)[0].removesuffix(b"\r")
                splitter = splitter_of(self._read_as, first_line)
            lines, size, torn = splitter.split(held, offset, torn, whole=ended)
            if lines:
                yield Lines(lines, self._source, first_line, None)
            held, offset = held[size:], offset + size
