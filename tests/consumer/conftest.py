"""Streams, live tables and events for the consumer's tests."""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from catalog import kpl
from catalog.live import Counts, merged
from catalog.live_feed import Feed
from consumer.poll import PollEngine
from consumer.store import Store
from consumer.stream import Stream
from producer.aggregation import Aggregator
from tests.conftest import EndpointProcess

Wait = Callable[[Callable[[], Any]], None]


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a sound event of now."""
    return {
        "event_id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": "INFO",
        "service": "payment",
        "status_code": 200,
        "response_time_ms": 12.5,
        "message": f"GET /charges/{number} answered 200",
        **fields,
    }


def encoded(number: int = 0, **fields: Any) -> bytes:
    """Return a sound event as the producer sends it."""
    return orjson.dumps(event(number, **fields))


def until(fact: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.1)


def create_table(client: Any, name: str) -> None:
    """Create a live table as the stack does."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"})


class LivePath:
    """A stream and a live table of a test's own; `start` runs a poll engine over them."""

    def __init__(self, endpoint: EndpointProcess, name: str, shards: int) -> None:
        self.name = name
        self.kinesis, self.dynamodb = endpoint.client("kinesis"), endpoint.client("dynamodb")
        self.kinesis.create_stream(StreamName=name, ShardCount=shards)
        create_table(self.dynamodb, name)
        self.said: list[str] = []
        self.engines: list[tuple[PollEngine, threading.Event, threading.Thread]] = []
        self.failures: list[Exception] = []

    def put(self, datas: Sequence[bytes], aggregated: bool = False) -> None:
        """Put user records, each with a key of its own, or aggregates of ten with one key each."""
        records = [{"Data": data, "PartitionKey": str(uuid.uuid4())} for data in datas]
        if aggregated:
            records = [
                {"Data": aggregate(datas[place : place + 10], f"key-{place}"), "PartitionKey": f"key-{place}"}
                for place in range(0, len(datas), 10)
            ]
        for place in range(0, len(records), 400):
            answer = self.kinesis.put_records(StreamName=self.name, Records=records[place : place + 400])
            assert answer["FailedRecordCount"] == 0

    def start(self, start: str = "horizon") -> tuple[PollEngine, threading.Event, threading.Thread]:
        """Start an engine in a thread."""
        stop = threading.Event()
        store = Store(self.dynamodb, self.name, self.said.append, stop.wait)
        stream = Stream(self.kinesis, self.name, self.said.append, stop.wait)
        engine = PollEngine(stream, store, stop, self.said.append, start)

        def run() -> None:
            try:
                engine.run()
            except Exception as error:
                self.failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.engines.append((engine, stop, thread))
        return self.engines[-1]

    def stop(self) -> None:
        """Stop every engine and wait for it."""
        for engine, stop, thread in self.engines:
            stop.set()
            engine.wake()
            thread.join(timeout=60)
            assert not thread.is_alive()
        self.engines.clear()

    def feed(self) -> Feed:
        return Feed(self.dynamodb, self.name)

    def counted(self) -> Counts:
        """Return all that the table counts now."""
        return merged(self.feed().counts(0).values())


def aggregate(datas: Sequence[bytes], key: str) -> bytes:
    """Return a KPL aggregate."""
    explicit = str(int(hashlib.md5(key.encode()).hexdigest(), 16))
    return Aggregator().encode(datas, key, explicit)


def bad_index_aggregate(data: bytes) -> bytes:
    """Return a KPL aggregate, its MD5 right, whose one record names the eighth partition key of a table of one."""
    key = b"\x0a\x01k"
    record = b"\x08\x07\x1a" + _varint(len(data)) + data
    body = key + b"\x1a" + _varint(len(record)) + record
    return kpl.MAGIC + body + hashlib.md5(body).digest()


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


@pytest.fixture
def live_path(endpoint: EndpointProcess) -> Iterator[Callable[..., LivePath]]:
    """Yield a function that makes a stream of some shards and a live table."""
    made: list[LivePath] = []

    def make(shards: int = 2) -> LivePath:
        made.append(LivePath(endpoint, f"live-{uuid.uuid4().hex[:12]}", shards))
        return made[-1]

    yield make
    for path in made:
        path.stop()
