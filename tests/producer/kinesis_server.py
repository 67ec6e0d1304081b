"""A small Kinesis over HTTP that misbehaves as told, and remembers exactly what it stored."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from aws_kinesis_agg.deaggregator import deaggregate_records

MIDDLE = 1 << 127
SHARDS = [
    {
        "ShardId": f"shardId-{number:012}",
        "HashKeyRange": {"StartingHashKey": str(first), "EndingHashKey": str(last)},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    }
    for number, (first, last) in enumerate([(0, MIDDLE - 1), (MIDDLE, (1 << 128) - 1)])
]


class FaultyKinesis:
    """Two shards; fails a share of the entries, answers some calls with 503, and cuts some off after storing."""

    def __init__(self, entry_faults: float = 0.0, call_faults: float = 0.0, cuts: float = 0.0) -> None:
        self.entry_faults, self.call_faults, self.cuts = entry_faults, call_faults, cuts
        self.calls = 0
        self.stored: list[tuple[int, bytes]] = []
        self.random = Random(5)
        self.lock = threading.Lock()

    def put_records(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.calls += 1
            if self.random.random() < self.call_faults:
                return 503, {"__type": "ServiceUnavailable", "message": "try later"}
            entries = [self._entry(record) for record in request["Records"]]
            if self.random.random() < self.cuts:
                return 0, {}
        failed = sum("ErrorCode" in entry for entry in entries)
        return 200, {"FailedRecordCount": failed, "Records": entries}

    def _entry(self, record: dict[str, Any]) -> dict[str, Any]:
        if self.random.random() < self.entry_faults:
            return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
        self.stored.append((int(record["ExplicitHashKey"]), base64.b64decode(record["Data"])))
        return {"SequenceNumber": str(len(self.stored)), "ShardId": SHARDS[0]["ShardId"]}

    def events(self) -> list[bytes]:
        """Return every user record stored, aggregates taken apart by AWS's own reader."""
        return [event for _, data in self.stored for event in user_records(data)]


def user_records(data: bytes) -> list[bytes]:
    """Return the user records of one Kinesis record."""
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "loglake",
            "data": base64.b64encode(data).decode(),
        }
    }
    return [base64.b64decode(user["kinesis"]["data"]) for user in deaggregate_records([record])]


@contextmanager
def serving(kinesis: FaultyKinesis, port: int = 0) -> Iterator[str]:
    """Serve `kinesis` on loopback; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["X-Amz-Target"].endswith("ListShards"):
                status, answer = 200, {"Shards": SHARDS}
            else:
                status, answer = kinesis.put_records(request)
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
