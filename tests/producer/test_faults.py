"""What is promised when the service at the other end misbehaves, each with its figure."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import orjson
import psutil
import pytest

from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.delivery import QUEUED_BATCHES, WORKERS, Delivery, Patience
from producer.events import Generator, Stream
from producer.record import Put, Record
from producer.shards import ShardMap
from producer.sinks.kinesis import LIMITS, kinesis_sink
from tests.producer.kinesis_server import FaultyKinesis, even_shards, opened, serving, user_records
from tests.producer.processes import NOWHERE, environment, produce, started, wait_for

START = "2026-11-01T00:00:00Z"
START_MS = 1_795_303_867_456


def ids(events: Sequence[bytes]) -> Counter[bytes]:
    return Counter(event[13:49] for event in events)


def letters(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line] if path.exists() else []


def batches(count: int, size: int) -> list[list[Record]]:
    nobody = np.zeros(1, dtype=np.int64)
    return [
        [Record(b"%d" % (batch * size + place), "0", [b"%d" % (batch * size + place)], nobody) for place in range(size)]
        for batch in range(count)
    ]


def failing(share: float, stored: list[bytes], calls: list[int]) -> Put:
    random = Random(7)
    lock = threading.Lock()

    def put(records: Sequence[Record]) -> list[str | None]:
        with lock:
            calls.append(len(records))
            codes = ["InternalFailure" if random.random() < share else None for _ in records]
            stored.extend(record.data for record, code in zip(records, codes, strict=True) if not code)
            return codes

    return put


@pytest.mark.parametrize(("share", "calls_at_most"), [(0.001, 1.6), (0.01, 2.5), (0.1, 4.0)])
def test_only_failed_entries_are_sent_again(tmp_path: Path, share: float, calls_at_most: float) -> None:
    stored: list[bytes] = []
    calls: list[int] = []
    counts = Counts()
    delivery = Delivery(failing(share, stored, calls), counts, DeadLetters(tmp_path / "dead"), None, Patience(60))
    for batch in batches(40, 500):
        delivery.submit(batch)
    delivery.close(60)
    assert Counter(stored) == Counter(record.data for batch in batches(40, 500) for record in batch)
    assert counts.acknowledged == 20_000
    assert len(calls) <= calls_at_most * 40
    whole_batches: list[bytes] = []
    put = failing(share, whole_batches, [])
    for batch in batches(40, 500):  # what most peers do: send all of it again, at most five times
        for _ in range(5):
            if not any(put(batch)):
                break
    assert len(whole_batches) > len(stored)


FAULTS: dict[str, Callable[[FaultyKinesis], None]] = {
    "throttles a tenth": lambda kinesis: setattr(kinesis, "entry_faults", 0.1),
    "answers 5xx": lambda kinesis: setattr(kinesis, "call_faults", 0.3),
    "cuts after the send": lambda kinesis: setattr(kinesis, "cuts", 0.3),
    "is slow": lambda kinesis: setattr(kinesis, "delay_s", 2.0),
    "answers 400 for a while": lambda kinesis: kinesis.scripted.extend(
        [None, *[(400, {"__type": "ValidationException", "message": "no"})] * 4]
    ),
    "answers 413 for a while": lambda kinesis: kinesis.scripted.extend(
        [None, *[(413, {"__type": "RequestEntityTooLargeException", "message": "no"})] * 4]
    ),
}


MADE = ("--rate", "2000", "--start", START, "--count", "6000", "--seed", "3")


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> Counter[bytes]:
    """What the same flags give without a service."""
    lines = produce("--to", "stdout", *MADE, cwd=tmp_path_factory.mktemp("produced")).stdout
    return ids(lines.split(b"\n")[:-1])


@pytest.mark.parametrize("fault", FAULTS)
def test_produced_is_delivered_plus_dead_lettered_id_for_id(
    tmp_path: Path, fault: str, produced: Counter[bytes]
) -> None:
    kinesis = FaultyKinesis()
    FAULTS[fault](kinesis)
    with serving(kinesis) as url:
        flags = ("--to", "kinesis", "--json", "--dead-letters", "dead", "--retry-for", "20s")
        done = produce(*flags, *MADE, cwd=tmp_path, url=url)
    counts = orjson.loads(done.stdout)
    failed = ids(letters(tmp_path / "dead"))
    assert (counts["generated"], counts["acknowledged"] + counts["failed"]) == (6000, 6000)
    assert failed.total() == counts["failed"]
    assert set(ids(kinesis.events())) | set(failed) == set(produced)
    if fault != "cuts after the send":
        assert max(ids(kinesis.events()).values()) == 1


def test_a_call_that_is_refused_twice_is_made_three_times_and_stored_once(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    kinesis.scripted = [(503, {"__type": "ServiceUnavailable", "message": "later"})] * 2
    with serving(kinesis) as url:
        done = produce("--to", "kinesis", "--rate", "max", "--count", "100", "--json", cwd=tmp_path, url=url)
    assert done.returncode == 0
    assert (kinesis.calls, len(kinesis.events())) == (3, 100)


def test_an_event_that_got_too_old_is_a_dead_letter(tmp_path: Path) -> None:
    counts, dead_letters = Counts(), DeadLetters(tmp_path / "dead")
    delivery = Delivery(failing(1.0, [], []), counts, dead_letters, None, Patience(60, max_age_s=0.3))
    began = time.monotonic()
    delivery.submit(batches(1, 10)[0])
    delivery.close(60)
    assert time.monotonic() - began < 2
    assert (counts.failed, dead_letters.reasons) == (10, {"ttl: not sent in --max-age": 10})


def buffered(folder: Path) -> float:
    """Return how long, in seconds, records waited at the 99th percentile, at 5,000 events a second."""
    waits: list[float] = []

    def put(records: Sequence[Record]) -> list[str | None]:
        waits.extend(time.monotonic() - record.born for record in records)
        return [None] * len(records)

    delivery = Delivery(put, Counts(), DeadLetters(folder / "dead"), None, Patience(60))
    sink = kinesis_sink(delivery, ShardMap((), Random(1)))
    stream = Stream(Generator(1), lambda running: START_MS + running, START_MS, 30)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        sink.write(stream.next_block())
        time.sleep(0.018)
        sink.tick()
    sink.close(10)
    return float(np.quantile(waits, 0.99))


@pytest.mark.slow
def test_no_event_waits_long_for_company(tmp_path: Path) -> None:
    assert any(buffered(tmp_path) <= 0.11 for _ in range(6))  # another process may hold a round up


def test_a_hundred_thousand_queued_events_are_drained_within_five_seconds(tmp_path: Path) -> None:
    stored: list[bytes] = []
    flowing = threading.Event()

    def put(records: Sequence[Record]) -> list[str | None]:
        flowing.wait(60)
        time.sleep(0.02)
        stored.extend(payload for record in records for payload in record.payloads)
        return [None] * len(records)

    counts = Counts()
    delivery = Delivery(put, counts, DeadLetters(tmp_path / "dead"), None, Patience(60))
    sink = kinesis_sink(delivery, ShardMap((), Random(1)))
    stream = Stream(Generator(1), lambda running: START_MS + running, START_MS, 1_000)
    queued = 0
    while queued < 100_000:
        block = stream.next_block()
        queued += len(block.payloads)
        sink.write(block)
    began = time.monotonic()
    sink.hurry(20)
    flowing.set()
    sink.close(20)
    assert time.monotonic() - began <= 5
    assert (counts.acknowledged, counts.failed) == (queued, 0)
    assert len(ids(stored)) == len(stored) == queued


def test_a_signal_drains_what_the_service_held_up(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(delay_s=0.02)
    kinesis.flowing.clear()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "max")
        wait_for(lambda: kinesis.arrived and _waits(process))
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        kinesis.flowing.set()
        out, err = process.communicate(timeout=30)
    counts = orjson.loads(out)
    assert (process.returncode, counts["failed"]) == (0, 0), err
    assert time.monotonic() - began <= 5
    assert ids(kinesis.events()).total() == len(ids(kinesis.events())) == counts["generated"] > 20_000


def _waits(process: subprocess.Popen[bytes]) -> bool:
    """Return whether the producer has waited for a second, all its room being taken."""
    running = psutil.Process(process.pid)
    before = running.cpu_times().user
    time.sleep(1)
    return running.cpu_times().user - before < 0.2


def test_a_second_signal_ends_at_once_and_keeps_what_was_not_answered(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    kinesis.flowing.clear()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "2000", "--dead-letters", "dead")
        wait_for(lambda: kinesis.arrived)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        out, err = process.communicate(timeout=30)
        passed = time.monotonic() - began
        kinesis.flowing.set()
    counts = orjson.loads(out)
    assert process.returncode == 1, err
    assert passed <= 2
    assert counts["generated"] == counts["failed"] == len(letters(tmp_path / "dead")) > 0


def _rate(kinesis: FaultyKinesis, seconds: float) -> float:
    """Return how many bytes a second are stored from now on."""
    first, began = len(kinesis.records), time.monotonic()
    time.sleep(seconds)
    return sum(len(record.data) for record in kinesis.records[first:]) / (time.monotonic() - began)


@pytest.mark.slow
def test_a_stalled_service_does_not_make_the_producer_grow(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "10000")
        wait_for(lambda: len(kinesis.records) > 100)
        usual_rate = _rate(kinesis, 4)
        running = psutil.Process(process.pid)
        usual = running.memory_info().rss
        kinesis.flowing.clear()
        grown = 0
        for _ in range(12):
            time.sleep(1)
            grown = max(grown, running.memory_info().rss - usual)
        kinesis.flowing.set()
        drained = _rate(kinesis, 5)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    counts = orjson.loads(out)
    room = (WORKERS + QUEUED_BATCHES + 1) * LIMITS.call_bytes * 2  # events, and the records made of them
    assert grown <= room + 50e6
    assert drained >= 0.8 * usual_rate
    assert (counts["failed"], counts["acknowledged"]) == (0, counts["generated"]), err
    assert ids(kinesis.events()).total() == len(ids(kinesis.events())) == counts["generated"]


@pytest.mark.slow
def test_goodput_is_what_the_shards_take_and_few_entries_are_throttled(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(shards=4, limited=True)
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "max")
        wait_for(lambda: kinesis.throttled)
        time.sleep(3)
        began, before, refused = time.monotonic(), len(kinesis.records), kinesis.throttled
        time.sleep(12)
        seconds, after = time.monotonic() - began, len(kinesis.records)
        refused = kinesis.throttled - refused
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    measured = kinesis.records[before:after]
    stored = sum(len(record.data) + 7 for record in measured)
    assert stored / seconds >= 0.95 * 4 * 1024 * 1024
    assert refused <= 0.05 * len(measured)
    user_bytes = sum(len(event) for record in measured for event in user_records(record.data))
    assert user_bytes / seconds / 4 / 350 >= 2_800  # events of 350 bytes a second and shard
    assert orjson.loads(out)["failed"] == 0, err


@pytest.mark.slow
def test_a_service_that_was_away_is_at_full_rate_within_five_seconds(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "2000")
        wait_for(lambda: len(kinesis.records) > 20)
        usual = _rate(kinesis, 3)
        kinesis.call_faults = 1.0
        time.sleep(10)
        kinesis.call_faults = 0.0
        time.sleep(5)
        rate = _rate(kinesis, 3)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert rate >= 0.9 * usual
    assert orjson.loads(out)["failed"] == 0, err


@pytest.mark.parametrize("change", ["split", "merge"])
def test_every_aggregate_stays_in_its_shard_before_and_after_resharding(tmp_path: Path, change: str) -> None:
    kinesis = FaultyKinesis(shards=2 if change == "split" else 3)
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "4000", "--count", "16000")
        wait_for(lambda: len(kinesis.records) >= 20)
        kinesis.split(0) if change == "split" else kinesis.merge()
        out, err = process.communicate(timeout=60)
    assert orjson.loads(out)["acknowledged"] == 16_000, err
    assert ids(kinesis.events()).total() == len(ids(kinesis.events())) == 16_000
    for record in kinesis.records:  # KCL's rule: a sub-record whose key is another shard's is dropped
        assert all(record.first <= int(user["explicitHashKey"]) <= record.last for user in _with_keys(record))
    assert kinesis.listings >= 2
    open_ids = {entry["ShardId"] for entry in kinesis._open()}
    last = Counter(record.shard_id for record in kinesis.records[-12:])
    assert set(last) == open_ids
    assert max(last.values()) - min(last.values()) <= 2


def _with_keys(record: object) -> list[dict[str, str]]:
    return [{"explicitHashKey": str(record.hash_key), **user} for user in opened(record.data, record.hash_key)]  # type: ignore[attr-defined]


def test_shards_of_the_test_server_cover_every_key() -> None:
    shards = even_shards(4)
    assert shards[0]["HashKeyRange"]["StartingHashKey"] == "0"
    assert shards[-1]["HashKeyRange"]["EndingHashKey"] == str((1 << 128) - 1)


def test_a_full_disk_is_one_error(tmp_path: Path) -> None:
    full_disk = Path("/dev/full")
    if not full_disk.exists():
        pytest.skip("no /dev/full here")
    with full_disk.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "producer", "--to", "stdout", "--rate", "max", "--count", "100"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert b"standard output must be writable; got No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def limited(megabytes: float, *flags: str, cwd: Path, url: str) -> subprocess.CompletedProcess[bytes]:
    """Run the producer where no file may grow beyond so much, as on a disk that fills."""
    size = int(megabytes * 1e6)
    program = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
    program += "import runpy; runpy.run_module('producer', run_name='__main__')"
    command = [sys.executable, "-c", program, *flags]
    return subprocess.run(command, cwd=cwd, env=environment(url), capture_output=True, timeout=120, check=False)


def test_days_that_are_whole_stay_when_the_disk_fills(tmp_path: Path) -> None:
    flags = ("--days", "2", "--start", START, "--seed", "1", "--json")
    assert produce(*flags, "--entries", "300", cwd=tmp_path).returncode == 0
    whole = sorted(tmp_path.rglob("*.json"))
    done = limited(0.3, *flags, "--entries", "3000", cwd=tmp_path, url=NOWHERE)
    counts = orjson.loads(done.stdout)
    assert (done.returncode, done.stderr.count(b"must be writable; got File too large for 'logs'")) == (1, 1)
    assert (counts["generated"], counts["acknowledged"]) == (counts["failed"], 0)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == whole
    assert all(path.read_bytes().count(b"\n") == 300 for path in whole)


def test_a_ledger_that_can_no_longer_be_written_stops_the_run_with_true_counts(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        flags = ("--to", "kinesis", "--rate", "2000", "--count", "20000", "--ledger", "ledger", "--json")
        done = limited(0.02, *flags, "--dead-letters", "/dev/null", cwd=tmp_path, url=url)
    counts = orjson.loads(done.stdout)
    assert done.returncode == 1
    assert b"LoglakeError: the ledger must be writable; got " in done.stderr
    assert b"Traceback" not in done.stderr
    assert counts["generated"] == counts["acknowledged"] + counts["failed"]
    assert 0 < counts["acknowledged"] <= len(ids(kinesis.events()))


def test_an_answer_that_is_none_ends_the_run_with_true_counts(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    kinesis.scripted = [None, None, (200, {})]
    with serving(kinesis) as url:
        flags = (
            "--to",
            "kinesis",
            "--rate",
            "2000",
            "--count",
            "20000",
            "--seed",
            "1",
            "--dead-letters",
            "dead",
            "--json",
        )
        done = produce(*flags, cwd=tmp_path, url=url)
    counts = orjson.loads(done.stdout)
    assert done.returncode == 1
    assert b"a call must end with an answer or with an error of the service; got KeyError('Records')" in done.stderr
    assert counts["generated"] == counts["acknowledged"] + counts["failed"]
    assert counts["acknowledged"] == len(kinesis.events()) > 0
    assert len(letters(tmp_path / "dead")) == counts["failed"] > 0
