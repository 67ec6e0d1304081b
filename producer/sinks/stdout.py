"""To standard output, one event a line."""

from typing import BinaryIO

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
        self._stream.write(data)
        self._stream.flush()
        self._counts.add(acknowledged=len(block.payloads), bytes=len(data))

    def tick(self) -> None:
        pass

    def hurry(self, grace_s: float) -> None:
        pass

    def close(self, grace_s: float) -> None:
        self._stream.flush()
