import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import LoglakeError
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.delivery import QUEUED_BATCHES, Delivery, Patience
from producer.ledger import Ledger, read_ledgers
from producer.record import Put, PutError, Record

SERVICES = ("payment",)


def record(name: str) -> Record:
    return Record(name.encode(), "0", [name.encode()], np.zeros(1, dtype=np.int64))


class Deliveries:
    """A delivery with one worker, so that calls come in order, and what it leaves behind."""

    def __init__(self, put: Put, folder: Path, retry_for_s: float = 60.0) -> None:
        self.counts = Counts()
        self.dead_letters = DeadLetters(folder / "dead.jsonl")
        self.folder = folder / "ledger"
        self.delivery = Delivery(
            put, self.counts, self.dead_letters, Ledger(self.folder, SERVICES), Patience(retry_for_s), workers=1
        )


def test_only_failed_records_are_sent_again(tmp_path: Path) -> None:
    calls: list[list[bytes]] = []

    def put(records: Sequence[Record]) -> list[str | None]:
        calls.append([record.data for record in records])
        return ["Throttled" if record.data == b"b" and len(calls) < 3 else None for record in records]

    deliveries = Deliveries(put, tmp_path)
    deliveries.delivery.submit([record("a"), record("b"), record("c")])
    deliveries.delivery.close(30)
    assert calls == [[b"a", b"b", b"c"], [b"b"], [b"b"]]
    assert deliveries.counts.acknowledged == 3
    assert deliveries.counts.retried_records == 2
    assert read_ledgers([deliveries.folder]).acknowledged.total == 3
    assert read_ledgers([deliveries.folder]).in_doubt.total == 0


def test_what_finally_fails_is_counted_and_kept(tmp_path: Path) -> None:
    deliveries = Deliveries(lambda records: ["Throttled"] * len(records), tmp_path, retry_for_s=0.2)
    deliveries.delivery.submit([record("a"), record("b")])
    deliveries.delivery.close(30)
    assert (deliveries.counts.acknowledged, deliveries.counts.failed) == (0, 2)
    assert deliveries.dead_letters.path.read_bytes() == b"a\nb\n"
    assert read_ledgers([deliveries.folder]).in_doubt.total == 0


def test_what_is_stored_counts_as_acknowledged_though_the_ledger_cannot_say_so(tmp_path: Path) -> None:
    def put(records: Sequence[Record]) -> list[str | None]:
        ledger._file = os.open("/dev/full", os.O_WRONLY)
        return [None, "Throttled"][: len(records)]

    ledger = Ledger(tmp_path / "ledger", SERVICES)
    counts = Counts()
    dead_letters = DeadLetters(tmp_path / "dead.jsonl")
    delivery = Delivery(put, counts, dead_letters, ledger, Patience(60.0), workers=1)
    delivery.submit([record("a"), record("b")])
    with pytest.raises(LoglakeError, match="the ledger must be writable; got No space left on device"):
        delivery.close(30)
    assert (counts.acknowledged, counts.failed) == (1, 1)
    assert dead_letters.path.read_bytes() == b"b\n"


def test_a_call_without_an_answer_stays_in_doubt_when_it_is_given_up(tmp_path: Path) -> None:
    def put(_: Sequence[Record]) -> list[str | None]:
        raise PutError("cut", retryable=True, in_doubt=True)

    deliveries = Deliveries(put, tmp_path, retry_for_s=0.1)
    deliveries.delivery.submit([record("a")])
    deliveries.delivery.close(30)
    assert deliveries.counts.failed == 1
    assert read_ledgers([deliveries.folder]).in_doubt.total == 1


def test_an_endpoint_that_comes_back_gets_everything(tmp_path: Path) -> None:
    away = threading.Event()
    away.set()

    def put(records: Sequence[Record]) -> list[str | None]:
        if away.is_set():
            raise PutError("refused", retryable=True, in_doubt=False)
        return [None] * len(records)

    deliveries = Deliveries(put, tmp_path)
    deliveries.delivery.submit([record("a")])
    threading.Timer(0.3, away.clear).start()
    deliveries.delivery.close(30)
    assert (deliveries.counts.acknowledged, deliveries.counts.failed) == (1, 0)


def test_an_error_that_no_retry_mends_stops_at_once_with_every_event_counted(tmp_path: Path) -> None:
    def put(_: Sequence[Record]) -> list[str | None]:
        raise PutError("no such stream", retryable=False, in_doubt=False)

    deliveries = Deliveries(put, tmp_path)
    for number in range(20):
        deliveries.delivery.submit([record(f"{number}")])
    with pytest.raises(LoglakeError, match=r"^no such stream$"):
        deliveries.delivery.close(30)
    assert deliveries.counts.failed == 20
    assert len(deliveries.dead_letters.path.read_bytes().split(b"\n")) == 21


def test_a_hurried_delivery_gives_up_soon(tmp_path: Path) -> None:
    deliveries = Deliveries(lambda records: ["Throttled"] * len(records), tmp_path, retry_for_s=600)
    deliveries.delivery.submit([record("a")])
    deliveries.delivery.hurry(0.2)
    deliveries.delivery.close(600)
    assert deliveries.counts.failed == 1


def test_a_full_queue_makes_the_producer_wait(tmp_path: Path) -> None:
    gate, submitted = threading.Event(), []

    def put(records: Sequence[Record]) -> list[str | None]:
        gate.wait(30)
        return [None] * len(records)

    deliveries = Deliveries(put, tmp_path)

    def submit_many() -> None:
        for number in range(30):
            deliveries.delivery.submit([record(f"{number}")])
            submitted.append(number)

    thread = threading.Thread(target=submit_many, daemon=True)
    thread.start()
    thread.join(0.6)
    assert len(submitted) <= QUEUED_BATCHES + 1  # one worker holds a batch, the others queue
    gate.set()
    thread.join(30)
    deliveries.delivery.close(30)
    assert deliveries.counts.acknowledged == 30


@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError(5, "boom"), MemoryError("boom"), KeyError("boom")])
def test_an_error_nobody_foresaw_leaves_no_batch_uncounted(tmp_path: Path, error: Exception) -> None:
    calls = 0

    def put(records: Sequence[Record]) -> list[str | None]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise error
        return [None] * len(records)

    deliveries = Deliveries(put, tmp_path)
    for number in range(6):
        deliveries.delivery.submit([record(f"{number}a"), record(f"{number}b")])
    with pytest.raises(LoglakeError, match=r"^a call must end with an answer .*; got .*boom"):
        deliveries.delivery.close(30)
    assert (deliveries.counts.acknowledged, deliveries.counts.failed) == (4, 8)
    assert deliveries.dead_letters.path.read_bytes().count(b"\n") == 8
    assert read_ledgers([deliveries.folder]).acknowledged.total == 4
    assert read_ledgers([deliveries.folder]).in_doubt.total == 2
