"""Shipping: one thread reads lines into the spool, another sends it, so that reading goes on while a sink is away."""

import threading
from collections.abc import Callable, Sequence

from catalog.errors import LoglakeError
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.ledger import Ledger
from producer.produce import Run
from producer.replay import ServiceNumbers, block_of
from producer.shipping.lines import Source
from producer.shipping.parsing import LineParser
from producer.shipping.spool import Mark, Spool
from producer.shipping.unparsable import UnparsableLines

WINDOW_BYTES = 8 * 1024 * 1024
"""How much is sent before the acknowledgement of all of it is noted; so much is sent again after a kill, at most."""
_IDLE_S = 0.1


class Reader(threading.Thread):
    """Reads a source into the spool until it ends or is told to stop. An error ends it and is kept."""

    def __init__(
        self,
        source: Source,
        parser: LineParser,
        spool: Spool,
        unparsable: UnparsableLines,
        counts: Counts,
        stopping: threading.Event,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`say` is told at once of the first line that can't be understood; `told` tells the others at the end."""
        super().__init__(daemon=True)
        self._source = source
        self._parser = parser
        self._spool = spool
        self._unparsable = unparsable
        self._counts = counts
        self._stopping = stopping
        self._say = say
        self._parsed = 0
        self.error: LoglakeError | None = None

    def run(self) -> None:
        try:
            for lines in self._source.read():
                events, refused = self._parser.events(lines)
                self._parsed += len(events)
                if refused and not self._unparsable.first:
                    self._say(
                        f"unparsable: a line, kept as all such in {str(self._unparsable.path)!r}: {refused[0].reason}"
                    )
                self._counts.add(unparsable=self._unparsable.keep(refused))
                if not self._spool.append(events, lines.position, self._stopping):
                    return
        except LoglakeError as error:
            self.error = error
        except Exception as error:  # a thread that died of it would look like the end of the file
            self.error = LoglakeError(f"--from must have lines that can be read; got {error!r}")

    def told(self) -> str:
        """Return what is to say of lines that could not be read; raise `LoglakeError` when no line could."""
        if self._parsed or not self._unparsable.first:
            return self._unparsable.told()
        raise LoglakeError(
            f"--from must have lines that are events; got {self._unparsable.told()}; "
            "say which of their fields is which with --mapping FILE, see docs/producer.md"
        )


class SpoolKept(DeadLetters):
    """Dead letters of a run that leaves in the spool what could not be sent: only refused events are letters."""

    def __init__(self, letters: DeadLetters, counts: Counts) -> None:
        super().__init__(letters.path)
        self._counts = counts

    def give_up(self, payloads: Sequence[bytes], reason: str) -> int:
        """Leave the events to the next run; none of them failed."""
        self._counts.add(spooled=len(payloads))
        return 0


class Shipper:
    """Sends what the spool holds, in order, and settles it when it is acknowledged."""

    def __init__(self, spool: Spool, run: Run, ledger: Ledger | None, services: ServiceNumbers) -> None:
        self._spool = spool
        self._run = run
        self._ledger = ledger
        self._services = services
        self._mark = spool.settled
        self._recovered = spool.end

    def send(self, reader: Reader) -> None:
        """Send until the reader has ended and all is settled, or until stopped; raise what ended the reader."""
        reader.start()
        while not self._run.stopping.is_set():
            ended = not reader.is_alive()
            if self._send_window():
                continue
            if ended:
                break
            self._spool.wait(self._mark, _IDLE_S)
            self._run.sink.tick()
        reader.join(5)
        if reader.error:
            raise reader.error
        if told := reader.told():
            self._run.say(f"unparsable: {told}")

    def _send_window(self) -> bool:
        """Send some of what is accepted and wait until it is acknowledged; return whether there was any."""
        size, mark, kept = 0, self._mark, self._run.counts.spooled
        if self._ledger:  # whether a killed run's events had arrived, nobody knows
            self._ledger.doubting = mark < self._recovered
        for accepted in self._spool.read(mark):
            if accepted.events:
                self._run.write(block_of(accepted.events, self._services))
            mark = accepted.end
            size += sum(map(len, accepted.events))
            if size >= WINDOW_BYTES or mark == self._recovered or self._run.stopping.is_set():
                break
        if mark == self._mark:
            return False
        self._run.sink.drain()
        if self._run.counts.spooled == kept:
            self._settle(mark)
        return True

    def _settle(self, mark: Mark) -> None:
        self._spool.settle(mark)
        self._mark = mark
