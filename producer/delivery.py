"""Delivery of batches: several calls in flight, only failed records sent again, bounded memory, true counts.

At least once: a record is counted acknowledged when an answer says that it was stored, and failed when it is in the
dead-letter file; never both, never neither.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from catalog.errors import LoglakeError
from producer.concurrency import Concurrency
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.ledger import Ledger
from producer.record import Pace, Put, PutError, Record, Unpaced

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 4.0
WORKERS = 8
"""The most calls in flight; how many there are follows the sink, see `producer.concurrency`."""
QUEUED_BATCHES = 6
LAST_MOMENT_S = 0.5
"""How long a stopped delivery still waits for answers after it gave up sending again."""
_EXPIRED = "ttl: not sent in --max-age"
_STOPPED = "the run was stopped before an answer came"


@dataclass(frozen=True, slots=True)
class Patience:
    """When to give up: a failing call after `retry_for_s` without progress, any event after `max_age_s`."""

    retry_for_s: float
    max_age_s: float = float("inf")


class _Batch:
    """A batch on its way: what is left of it, and how it went so far."""

    def __init__(self, records: list[Record], patience: Patience) -> None:
        self.pending = records
        self.size = len(records)
        self.never_sent = {id(record) for record in records}
        self.attempt = 0
        self.in_doubt = False
        self.call = 0
        self.reason = ""
        self.abandoned = False
        self.expires = min(record.born for record in records) + patience.max_age_s
        self.deadline = time.monotonic() + patience.retry_for_s


class Delivery:
    """Sends batches from worker threads; `submit` blocks while all are busy, which is the producer's backpressure.

    A call that fails is tried again for `retry_for_s` since its batch last made progress. An error that nobody foresaw
    stops the delivery at once, and so does, before anything has ever been acknowledged, one that no retry mends (no
    such stream, no permission): `check` then raises it. `on_trouble` is called when records were refused, so that a
    shard map can be refreshed.
    """

    def __init__(
        self,
        put: Put,
        counts: Counts,
        dead_letters: DeadLetters,
        ledger: Ledger | None,
        patience: Patience,
        on_trouble: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
        workers: int = WORKERS,
    ) -> None:
        self._put = put
        self._counts = counts
        self._dead_letters = dead_letters
        self._ledger = ledger
        self._patience = patience
        self._on_trouble = on_trouble
        self._pace = pace or Unpaced()
        self._concurrency = Concurrency(workers)
        self._state = threading.Condition()  # of an RLock: a signal handler may come while its holder is at work
        self._waiting: deque[list[Record]] = deque()
        self._busy: set[_Batch] = set()
        self._closing = False
        self._hurried = False
        self._give_up_at = self._abandon_at = float("inf")
        self._error: LoglakeError | None = None
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    def submit(self, batch: list[Record]) -> None:
        """Hand over a batch, waiting for room; once the delivery has stopped, its events fail."""
        with self._state:
            while not self._error and not self._lost_patience() and len(self._waiting) >= QUEUED_BATCHES:
                self._state.wait(0.2)
            if not self._error and not self._lost_patience():
                self._waiting.append(batch)
                self._state.notify_all()
                return
        self._fail(batch, str(self._error or _STOPPED))

    def check(self) -> None:
        """Raise the `LoglakeError` that stopped the delivery, if one did."""
        if self._error:
            raise self._error

    def refuse(self, payloads: Sequence[bytes], reason: str) -> None:
        """Count events as failed without sending them: they can't be sent."""
        self._put_aside(self._dead_letters.add, payloads, reason)

    def _put_aside(self, take: Callable[[Sequence[bytes], str], int], payloads: Sequence[bytes], reason: str) -> None:
        try:
            self._counts.add(failed=take(payloads, reason))
        except Exception as error:
            self._counts.add(failed=len(payloads))
            self._error = self._error or _explained(error)

    def drain(self) -> None:
        """Return when all that was submitted is acknowledged or failed."""
        with self._state:
            while (self._waiting or self._busy) and not self._lost_patience():
                self._state.wait(0.2)
            if self._waiting or self._busy:
                self._abandon()

    def close(self, grace_s: float) -> None:
        """Return when all is acknowledged or failed; give up what still fails after `grace_s`. Raises as `check`."""
        self._give_up_at = min(self._give_up_at, time.monotonic() + grace_s)
        self.drain()
        with self._state:
            self._closing = True
            self._state.notify_all()
        self.check()

    def hurry(self, grace_s: float) -> None:
        """Be done soon after `grace_s` from now on: what has no answer then counts as failed."""
        with self._state:
            self._give_up_at = min(self._give_up_at, time.monotonic() + grace_s)
            self._abandon_at = self._give_up_at + LAST_MOMENT_S
            self._hurried = True
            self._state.notify_all()

    def _lost_patience(self) -> bool:
        return time.monotonic() > self._abandon_at

    def _abandon(self) -> None:
        for batch in self._busy:
            batch.abandoned = True
            if self._ledger and batch.call:
                self._ledger.abandoned(batch.call)
            self._fail(batch.pending, _STOPPED)
        for records in self._waiting:
            self._fail(records, _STOPPED)
        self._busy.clear()
        self._waiting.clear()

    def _work(self) -> None:
        random = Random()
        while (batch := self._next()) is not None:
            try:
                self._check_and_deliver(batch, random)
            finally:
                with self._state:
                    self._busy.discard(batch)
                    self._state.notify_all()

    def _next(self) -> _Batch | None:
        with self._state:
            self._state.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            batch = _Batch(self._waiting.popleft(), self._patience)
            self._busy.add(batch)
            self._state.notify_all()
            return batch

    def _check_and_deliver(self, batch: _Batch, random: Random) -> None:
        try:
            self.check()
            self._deliver(batch, random)
        except Exception as error:  # a worker that died of it would leave its batch counted neither way
            explained = _explained(error)
            with self._state:
                self._error = self._error or explained
                if not batch.abandoned:
                    self._fail(batch.pending, str(explained))

    def _deliver(self, batch: _Batch, random: Random) -> None:
        if self._ledger:
            batch.call = self._ledger.sent([record.keys for record in batch.pending])
        while batch.pending and not batch.abandoned:
            if self._given_up(batch):
                return
            if batch.attempt:
                self._back_off(batch.attempt, random)
            self._send_admitted(batch)

    def _given_up(self, batch: _Batch) -> bool:
        now = time.monotonic()
        if now > batch.expires:
            batch.reason = _EXPIRED
        elif not batch.attempt or now <= min(batch.deadline, self._give_up_at):
            return False
        with self._state:
            if not batch.abandoned:
                self._settle_failed(batch)
        return True

    def _settle_failed(self, batch: _Batch) -> None:
        if self._ledger and batch.in_doubt:
            self._ledger.abandoned(batch.call)
        elif self._ledger:
            self._ledger.refused(batch.call)
        self._fail(batch.pending, batch.reason)

    def _send_admitted(self, batch: _Batch) -> None:
        """Send what the pace admits, once."""
        admitted, wait_s = self._pace.admit(batch.pending)
        if not admitted:
            with self._state:
                self._state.wait_for(lambda: batch.abandoned, wait_s)
            return
        failed = self._attempt(batch, admitted)
        with self._state:
            if not batch.abandoned:
                self._settle(batch, admitted, failed)

    def _attempt(self, batch: _Batch, records: list[Record]) -> list[Record]:
        """Send once; return what was not acknowledged."""
        with self._concurrency.call() as call:
            began = time.monotonic()
            call.comparable = len(records) == batch.size
            self._count_sent(batch, records)
            try:
                codes = self._put(records)
            except PutError as error:
                call.refused = True
                self._counts.add(calls=1, failed_calls=1)
                if not error.retryable and not self._counts.acknowledged:
                    raise LoglakeError(str(error)) from error
                batch.in_doubt = batch.in_doubt or error.in_doubt
                batch.reason = str(error)
                return records
            self._counts.waited(time.monotonic() - began)
        self._counts.add(calls=1, failed_calls=int(any(codes)))
        self._pace.answered(records, codes)
        failed = [record for record, code in zip(records, codes, strict=True) if code]
        if failed:
            batch.reason = next(filter(None, codes)) or ""
            self._on_trouble()
        return failed

    def _count_sent(self, batch: _Batch, records: list[Record]) -> None:
        if batch.never_sent:
            new = [record for record in records if id(record) in batch.never_sent]
            batch.never_sent.difference_update(map(id, new))
            self._counts.add(sent=sum(len(record.payloads) for record in new))

    def _settle(self, batch: _Batch, sent: list[Record], failed: list[Record]) -> None:
        refused = {id(record) for record in failed}
        stored = {id(record): record for record in sent if id(record) not in refused}
        batch.pending = [record for record in batch.pending if id(record) not in stored]
        batch.attempt = batch.attempt + 1 if failed else 0
        self._counts.add(retried_records=len(failed))
        if stored:
            batch.attempt = min(batch.attempt, 1)
            batch.deadline = time.monotonic() + self._patience.retry_for_s
            self._acknowledge(batch, list(stored.values()))

    def _acknowledge(self, batch: _Batch, stored: list[Record]) -> None:
        """Count what was stored, then write it down: should that fail, the counts are true all the same."""
        self._counts.add(
            acknowledged=sum(len(record.payloads) for record in stored),
            records=len(stored),
            event_bytes=sum(sum(map(len, record.payloads)) for record in stored),
            bytes=sum(len(record.data) for record in stored),
        )
        if self._ledger:
            self._ledger.acknowledged(batch.call, [record.keys for record in stored] if batch.pending else None)

    def _fail(self, records: Sequence[Record], reason: str) -> None:
        take = self._dead_letters.add if reason == _EXPIRED else self._dead_letters.give_up
        self._put_aside(take, [payload for record in records for payload in record.payloads], reason)

    def _back_off(self, attempt: int, random: Random) -> None:
        """Sleep a random part of an exponentially growing time (full jitter); a delivery that ends sleeps little."""
        longest = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 10))
        pause = random.uniform(0, longest)
        with self._state:
            hurried = self._state.wait_for(lambda: self._hurried, pause)
        if hurried:
            time.sleep(min(pause, 0.2))


def _explained(error: Exception) -> LoglakeError:
    if isinstance(error, LoglakeError):
        return error
    return LoglakeError(f"a call must end with an answer or with an error of the service; got {error!r}")
