"""Delivery of batches: several calls in flight, only failed records sent again, bounded memory, true counts.

At least once: a record is counted acknowledged when an answer says that it was stored, and failed when it is in the
dead-letter file; never both, never neither.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, Full, Queue
from random import Random

from catalog.errors import LoglakeError
from producer.counting import Integers
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.ledger import Ledger

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 5.0
WORKERS = 3
QUEUED_BATCHES = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream, and the events in it. `hash_key` is empty where the service knows none."""

    data: bytes
    hash_key: str
    payloads: list[bytes]
    keys: Integers


class PutError(Exception):
    """A whole call failed. `retryable`: it may go better later; `in_doubt`: it may have been stored all the same."""

    def __init__(self, reason: str, retryable: bool, in_doubt: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.in_doubt = in_doubt


Put = Callable[[Sequence[Record]], Sequence[str | None]]
"""Sends one call; answers None for each record that was stored, else its error code. Raises `PutError`."""


class Delivery:
    """Sends batches from worker threads; `submit` blocks while all are busy, which is the producer's backpressure.

    A call that fails is tried again for `retry_for_s` since its batch last made progress. Before anything has ever been
    acknowledged, an error that no retry mends (no such stream, no permission) stops the delivery at once: `check` then
    raises it. `on_trouble` is called when records were refused, so that a shard map can be refreshed.
    """

    def __init__(
        self,
        put: Put,
        counts: Counts,
        dead_letters: DeadLetters,
        ledger: Ledger | None,
        retry_for_s: float,
        on_trouble: Callable[[], None] = lambda: None,
        workers: int = WORKERS,
    ) -> None:
        self._put = put
        self._counts = counts
        self._dead_letters = dead_letters
        self._ledger = ledger
        self._retry_for_s = retry_for_s
        self._on_trouble = on_trouble
        self._queue: Queue[list[Record] | None] = Queue(QUEUED_BATCHES)
        self._give_up_at = float("inf")
        self._ending = threading.Event()
        self._error: LoglakeError | None = None
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    def submit(self, batch: list[Record]) -> None:
        """Hand over a batch, waiting for room; once the delivery has stopped, its events fail."""
        while not self._error:
            try:
                self._queue.put(batch, timeout=0.2)
                return
            except Full:
                continue
        self._fail(batch, str(self._error))

    def check(self) -> None:
        """Raise the `LoglakeError` that stopped the delivery, if one did."""
        if self._error:
            raise self._error

    def refuse(self, payloads: Sequence[bytes], reason: str) -> None:
        """Count events as failed without sending them: they can't be sent."""
        self._counts.add(failed=self._dead_letters.add(payloads, reason))

    def close(self, grace_s: float) -> None:
        """Return when all is acknowledged or failed; give up what still fails after `grace_s`. Raises as `check`."""
        self.hurry(grace_s)
        for _ in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            worker.join()
        self.check()

    def hurry(self, grace_s: float) -> None:
        """Give up failing calls after `grace_s` from now on, without waiting for them."""
        self._give_up_at = min(self._give_up_at, time.monotonic() + grace_s)
        self._ending.set()

    def _work(self) -> None:
        random = Random()
        while (batch := self._next()) is not None:
            if self._error:
                self._fail(batch, str(self._error))
                continue
            try:
                self._deliver(batch, random)
            except LoglakeError as error:
                self._error = self._error or error
                self._fail(batch, str(error))

    def _next(self) -> list[Record] | None:
        while True:
            try:
                return self._queue.get(timeout=5)
            except Empty:
                continue

    def _deliver(self, batch: list[Record], random: Random) -> None:
        call = self._ledger.sent([record.keys for record in batch]) if self._ledger else 0
        attempt, in_doubt, pending, reason = 0, False, batch, ""
        deadline = time.monotonic() + self._retry_for_s
        while pending:
            if attempt:
                if time.monotonic() > min(deadline, self._give_up_at):
                    self._give_up(call, pending, reason, in_doubt)
                    return
                self._back_off(attempt, random)
            failed, reason, doubted = self._attempt(pending)
            in_doubt = in_doubt or doubted
            if len(failed) < len(pending):
                self._acknowledge(call, pending, failed)
                attempt, deadline = 0, time.monotonic() + self._retry_for_s
            self._counts.add(retried_records=len(failed))
            attempt, pending = attempt + 1, failed

    def _attempt(self, pending: list[Record]) -> tuple[list[Record], str, bool]:
        """Send once; return what was not acknowledged, why, and whether it may be stored all the same."""
        try:
            codes = self._put(pending)
        except PutError as error:
            self._counts.add(calls=1, failed_calls=1)
            if not error.retryable and not self._counts.acknowledged:
                raise LoglakeError(str(error)) from error
            return pending, str(error), error.in_doubt
        self._counts.add(calls=1, failed_calls=int(any(codes)))
        failed = [record for record, code in zip(pending, codes, strict=True) if code]
        if failed:
            self._on_trouble()
        return failed, next(filter(None, codes), ""), False

    def _acknowledge(self, call: int, pending: list[Record], failed: list[Record]) -> None:
        refused = {id(record) for record in failed}
        stored = [record for record in pending if id(record) not in refused]
        if self._ledger:
            self._ledger.acknowledged(call, [record.keys for record in stored] if failed else None)
        self._counts.add(
            acknowledged=sum(len(record.payloads) for record in stored),
            records=len(stored),
            bytes=sum(len(record.data) for record in stored),
        )

    def _give_up(self, call: int, pending: list[Record], reason: str, in_doubt: bool) -> None:
        if self._ledger and in_doubt:
            self._ledger.abandoned(call)
        elif self._ledger:
            self._ledger.refused(call)
        self._fail(pending, reason)

    def _fail(self, records: Sequence[Record], reason: str) -> None:
        self.refuse([payload for record in records for payload in record.payloads], reason)

    def _back_off(self, attempt: int, random: Random) -> None:
        """Sleep a random part of an exponentially growing time (full jitter); a delivery that ends sleeps little."""
        longest = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 10))
        pause = random.uniform(0, longest)
        if self._ending.wait(pause):
            time.sleep(min(pause, 0.2))
