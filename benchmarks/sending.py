"""Aggregating and sending until acknowledged, to a null server on loopback: ours against aws-kinesis-agg with boto3.

Wall time, since waiting is part of the work; once with a server that answers at once, once with one that takes 20 ms.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator

from producer import aws
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.delivery import Delivery, Patience
from producer.events import Block, Generator, Stream
from producer.shards import ShardMap
from producer.sinks.kinesis import kinesis_sink

START_MS = 1_795_303_867_456
SECONDS = 4.0
TARGET = 2.5
_SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        records = self.rfile.read(int(self.headers["Content-Length"])).count(b'"PartitionKey"')
        time.sleep(float(sys.argv[1]))
        entry = b'{"SequenceNumber":"1","ShardId":"shardId-000000000000"}'
        body = b'{"FailedRecordCount":0,"Records":[' + b",".join([entry] * records) + b"]}"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def null_server(delay_s: float) -> Iterator[None]:
    """Point boto3 at a server that stores nothing and acknowledges everything after `delay_s`."""
    command = [sys.executable, "-c", _SERVER, str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            yield
        finally:
            server.kill()


def by_aws_kinesis_agg(block: Block) -> float:
    """Return events a second of AWS Labs' aggregator and boto3, one call after the other."""
    kinesis: Any = boto3.client("kinesis")
    aggregator = RecordAggregator(51_200)
    acknowledged, began = 0, time.monotonic()
    records: list[dict[str, Any]] = []
    while time.monotonic() - began < SECONDS:
        for payload in block.payloads:
            full = aggregator.add_user_record("loglake", payload, "7")
            if full:
                records.append({"Data": full.get_contents()[2], "PartitionKey": "loglake", "ExplicitHashKey": "7"})
        kinesis.put_records(StreamName="logs", Records=records)
        acknowledged, records = acknowledged + len(block.payloads), []
    return acknowledged / (time.monotonic() - began)


def by_us(block: Block) -> float:
    """Return events a second of the Kinesis sink, every answer read."""
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder:
        delivery = Delivery(
            aws.kinesis_put(aws.client("kinesis"), "logs"),
            counts,
            DeadLetters(Path(folder) / "dead"),
            None,
            Patience(60),
        )
        sink = kinesis_sink(delivery, ShardMap((), Random(1)))
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            sink.write(block)
        sink.close(60)
    return counts.acknowledged / (time.monotonic() - began)


def measure(delay_s: float, block: Block) -> dict[str, float]:
    """Return the rate of each way against a server that takes `delay_s`."""
    ways: dict[str, Callable[[Block], float]] = {"aws-kinesis-agg + boto3": by_aws_kinesis_agg, "loglake": by_us}
    with null_server(delay_s):
        return {name: way(block) for name, way in ways.items()}


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        os.environ[name] = "us-east-1" if name.endswith("REGION") else "test"
    block = Stream(Generator(1), lambda running: START_MS + running, START_MS, 2048).next_block()
    results: dict[str, dict[str, float]] = {}
    for delay_s in (0.0, 0.02):
        rates = measure(delay_s, block)
        peer, ours = rates.values()
        results[f"{delay_s * 1000:g} ms"] = {**{name: round(rate) for name, rate in rates.items()}, "x": ours / peer}
        print(f"{delay_s * 1000:>3g} ms: peer {peer:>10,.0f} ev/s, loglake {ours:>10,.0f} ev/s, {ours / peer:.2f} x")
    met = all(result["x"] >= TARGET for result in results.values())
    print(json.dumps({"benchmark": "sending", "peer": "aws-kinesis-agg + boto3", "results": results, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
