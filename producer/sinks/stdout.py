"""To standard output, one event a line."""

import time
from typing import BinaryIO

from catalog.errors import LoglakeError
from producer.counts import Counts
from producer.events import Block


class StdoutSink:
    """Writes lines to `stream`. A reader that goes away ends the run by `BrokenPipeError`."""

    def __init__(self, stream: BinaryIO, counts: Counts) -> None:
        self._stream = stream
        self._counts = counts

    def write(self, block: Block) -> None:
        if not block.payloads:
            return
        data = b"\n".join(block.payloads) + b"\n"
        began = time.monotonic()
        try:
            self._stream.write(data)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise LoglakeError(f"standard output must be writable; got {error.strerror}") from error
        self._counts.waited(time.monotonic() - began)
        events = len(block.payloads)
        self._counts.add(sent=events, acknowledged=events, event_bytes=len(data) - events, bytes=len(data))

    def tick(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def hurry(self, grace_s: float) -> None:
        pass

    def close(self, grace_s: float) -> None:
        self._stream.flush()
