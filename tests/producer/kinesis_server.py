"""A small Kinesis over HTTP that misbehaves as told, and remembers exactly what it stored."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from aws_kinesis_agg.deaggregator import deaggregate_records

MIDDLE = 1 << 127
Answer = tuple[int, dict[str, Any]]


def even_shards(count: int) -> list[dict[str, Any]]:
    """Return descriptions of open shards of equal size."""
    width = (1 << 128) // count
    return [shard(number, number * width, (number + 1) * width - 1) for number in range(count)]


def shard(number: int, first: int, last: int) -> dict[str, Any]:
    """Return the description of one open shard."""
    return {
        "ShardId": f"shardId-{number:012}",
        "HashKeyRange": {"StartingHashKey": str(first), "EndingHashKey": str(last)},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    }


SHARDS = even_shards(2)


@dataclass
class Limit:
    """What a shard of AWS takes: 1,000 records and 1 MiB a second, after a second's worth at once."""

    records: float = 1000.0
    bytes: float = 1024.0 * 1024.0
    filled_at: float = field(default_factory=time.monotonic)

    def admits(self, size: int) -> bool:
        """Take a record if there is room for it."""
        now = time.monotonic()
        passed, self.filled_at = now - self.filled_at, now
        self.records = min(1000.0, self.records + 1000 * passed)
        self.bytes = min(1024.0 * 1024.0, self.bytes + 1024 * 1024 * passed)
        if self.records < 1 or self.bytes < size:
            return False
        self.records -= 1
        self.bytes -= size
        return True


@dataclass(frozen=True)
class Stored:
    """A record, the shard it is in and that shard's hash keys at the time, and when it came."""

    hash_key: int
    data: bytes
    shard_id: str
    first: int
    last: int
    at: float


class FaultyKinesis:
    """Shards; fails a share of the entries, answers some calls with 503, and cuts some off after storing."""

    def __init__(
        self,
        entry_faults: float = 0.0,
        call_faults: float = 0.0,
        cuts: float = 0.0,
        delay_s: float = 0.0,
        shards: int = 2,
        limited: bool = False,
    ) -> None:
        self.entry_faults, self.call_faults, self.cuts, self.delay_s = entry_faults, call_faults, cuts, delay_s
        self.arrived = self.calls = 0
        self.listings = 0
        self.throttled = 0
        self.denied: set[str] = set()
        self.access_keys: list[str] = []
        self.scripted: list[Answer | None] = []
        self.records: list[Stored] = []
        self.descriptions = even_shards(shards)
        self.limits = {entry["ShardId"]: Limit() for entry in self.descriptions} if limited else {}
        self.flowing = threading.Event()
        self.flowing.set()
        self.random = Random(5)
        self.lock = threading.Lock()

    @property
    def stored(self) -> list[tuple[int, bytes]]:
        """Hash key and data of every record."""
        return [(record.hash_key, record.data) for record in self.records]

    def split(self, place: int) -> None:
        """Split the open shard at `place` in the middle."""
        with self.lock:
            parent = self._open()[place]
            first, last = _range(parent)
            parent["SequenceNumberRange"]["EndingSequenceNumber"] = "9"
            number = len(self.descriptions)
            middle = (first + last) // 2
            self.descriptions += [shard(number, first, middle), shard(number + 1, middle + 1, last)]

    def merge(self) -> None:
        """Merge the two lowest open shards."""
        with self.lock:
            lower, upper = sorted(self._open(), key=lambda entry: _range(entry)[0])[:2]
            for parent in (lower, upper):
                parent["SequenceNumberRange"]["EndingSequenceNumber"] = "9"
            self.descriptions.append(shard(len(self.descriptions), _range(lower)[0], _range(upper)[1]))

    def answer(self, operation: str, request: dict[str, Any]) -> Answer:
        """Return status and body; status 0 cuts the connection."""
        if operation in self.denied:
            return 400, {"__type": "AccessDeniedException", "message": f"not authorized to perform kinesis:{operation}"}
        if operation == "ListShards":
            self.listings += 1
            with self.lock:
                return 200, {"Shards": json.loads(json.dumps(self.descriptions))}
        self.arrived += 1
        self.flowing.wait(120)
        time.sleep(self.delay_s)
        return self.put_records(request)

    def put_records(self, request: dict[str, Any]) -> Answer:
        with self.lock:
            self.calls += 1
            scripted = self.scripted.pop(0) if self.scripted else None
            if scripted:
                return scripted
            if self.random.random() < self.call_faults:
                return 503, {"__type": "ServiceUnavailable", "message": "try later"}
            entries = [self._entry(record) for record in request["Records"]]
            if self.random.random() < self.cuts:
                return 0, {}
        failed = sum("ErrorCode" in entry for entry in entries)
        return 200, {"FailedRecordCount": failed, "Records": entries}

    def _entry(self, record: dict[str, Any]) -> dict[str, Any]:
        hash_key, data = int(record["ExplicitHashKey"]), base64.b64decode(record["Data"])
        owner = next(entry for entry in self._open() if _range(entry)[0] <= hash_key <= _range(entry)[1])
        limit = self.limits.get(owner["ShardId"])
        if self.random.random() < self.entry_faults or (limit and not limit.admits(len(data) + 7)):
            self.throttled += 1
            return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
        self.records.append(Stored(hash_key, data, owner["ShardId"], *_range(owner), time.monotonic()))
        return {"SequenceNumber": str(len(self.records)), "ShardId": owner["ShardId"]}

    def _open(self) -> list[dict[str, Any]]:
        return [entry for entry in self.descriptions if "EndingSequenceNumber" not in entry["SequenceNumberRange"]]

    def events(self) -> list[bytes]:
        """Return every user record stored, aggregates taken apart by AWS's own reader."""
        return [event for _, data in self.stored for event in user_records(data)]


def _range(description: dict[str, Any]) -> tuple[int, int]:
    keys = description["HashKeyRange"]
    return int(keys["StartingHashKey"]), int(keys["EndingHashKey"])


def opened(data: bytes, hash_key: int = 0) -> list[dict[str, Any]]:
    """Return the user records of one Kinesis record as AWS's reader gives them."""
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "loglake",
            "explicitHashKey": str(hash_key),
            "data": base64.b64encode(data).decode(),
        }
    }
    users: list[dict[str, Any]] = [user["kinesis"] for user in deaggregate_records([record])]
    return users


def user_records(data: bytes) -> list[bytes]:
    """Return the data of the user records of one Kinesis record."""
    return [base64.b64decode(user["data"]) for user in opened(data)]


@contextmanager
def serving(kinesis: FaultyKinesis, port: int = 0) -> Iterator[str]:
    """Serve `kinesis` on loopback; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kinesis.access_keys.append(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            status, answer = kinesis.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
            if not status:
                self.close_connection = True
                return
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
