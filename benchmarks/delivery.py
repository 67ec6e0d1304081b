"""Delivering through the real endpoint: put, Lambda, partition, gzip, S3; events a second of wall time, two cores.

The function is the stack's own code, warm after a first batch that is not measured. The clock stops when the last
object is in S3; then all are read back, and one event lost makes the run fail.
"""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from producer.events import Generator, Stream

ROOT = Path(__file__).parents[1]
EVENTS = 182_000
WARM_UP = 2_000
TARGET_PER_S = 10_000
BATCH = 500
ROLE = "arn:aws:iam::000000000000:role/any"
KEYS = "/".join(f"!{{partitionKeyFromLambda:{name}}}" for name in ("service", "year", "month", "day"))


def client(service: str, url: str) -> Any:
    """Return a client of the endpoint."""
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def start(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start an endpoint on a free port and return it with its URL."""
    command = [sys.executable, "-m", "localcloud", "--port", "0", "--data-dir", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while not (folder / "endpoint.json").exists():
        if process.poll() is not None:
            raise SystemExit("the endpoint did not start")
        time.sleep(0.1)
    return process, str(json.loads((folder / "endpoint.json").read_text())["url"])


def make_function(url: str) -> str:
    """Make the transformation function of the checkout and return its ARN."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for package in ("firehose", "catalog"):
            for path in (ROOT / package).glob("*.py"):
                archive.write(path, path.relative_to(ROOT))
    made = client("lambda", url).create_function(
        FunctionName="transform",
        Runtime="python3.13",
        Role=ROLE,
        Handler="firehose.transform.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
        MemorySize=512,
    )
    return str(made["FunctionArn"])


def make_stream(url: str, arn: str) -> None:
    """Make the bucket and the delivery stream."""
    parameters = [{"ParameterName": "LambdaArn", "ParameterValue": arn}]
    processors = [{"Type": "Lambda", "Parameters": parameters}, {"Type": "AppendDelimiterToRecord", "Parameters": []}]
    client("s3", url).create_bucket(Bucket="raw")
    client("firehose", url).create_delivery_stream(
        DeliveryStreamName="d",
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::raw",
            "RoleARN": ROLE,
            "Prefix": f"logs/{KEYS}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
            "CompressionFormat": "GZIP",
            "DynamicPartitioningConfiguration": {"Enabled": True},
            "ProcessingConfiguration": {"Enabled": True, "Processors": processors},
        },
    )


def events() -> list[bytes]:
    """Return real events of the present time."""
    now_ms = int(time.time() * 1000)
    stream = Stream(Generator(1), lambda running: now_ms + running, now_ms, 2048)
    found: list[bytes] = []
    while len(found) < EVENTS:
        found += stream.next_block().payloads
    return found[:EVENTS]


def put(url: str, payloads: list[bytes]) -> None:
    """Put all events in full batches, two of them in flight."""
    firehose = client("firehose", url)

    def put_from(first: int) -> None:
        records = [{"Data": payload} for payload in payloads[first : first + BATCH]]
        firehose.put_record_batch(DeliveryStreamName="d", Records=records)

    with ThreadPoolExecutor(2) as senders:
        list(senders.map(put_from, range(0, len(payloads), BATCH)))


def delivered(url: str) -> int:
    """Return how many events can be read back from the bucket."""
    s3 = client("s3", url)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="raw", Prefix="logs/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return sum(gzip.decompress(s3.get_object(Bucket="raw", Key=key)["Body"].read()).count(b"\n") for key in keys)


def stream_status(url: str) -> dict[str, Any]:
    """Return the delivery stream's figures; none once it was deleted and has delivered everything."""
    import urllib.request

    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/_loglake/health") as answer:
        return dict(json.load(answer)["engines"]["delivery"].get("d", {}))


def wait_until_buffered(url: str) -> None:
    """Wait until all that was acknowledged is in its partition's buffer."""
    while stream_status(url)["spooled_bytes"]:
        time.sleep(0.05)


def measure(url: str, payloads: list[bytes]) -> dict[str, float]:
    """Return events a second until acknowledged, until partitioned, and with the objects' upload added."""
    put(url, payloads[:WARM_UP])
    wait_until_buffered(url)
    began = time.monotonic()
    put(url, payloads[WARM_UP:])
    acknowledged = time.monotonic() - began
    wait_until_buffered(url)
    partitioned = time.monotonic() - began
    client("firehose", url).delete_delivery_stream(DeliveryStreamName="d")  # seals all buffers at once
    while stream_status(url).get("delivered_records", len(payloads)) < len(payloads):
        time.sleep(0.02)
    whole = time.monotonic() - began
    if delivered(url) != len(payloads):
        raise SystemExit(f"{len(payloads)} events were acknowledged; got {delivered(url)} in the bucket")
    stages = {"acknowledged": acknowledged, "partitioned": partitioned, "delivered": whole}
    return {name: (len(payloads) - WARM_UP) / seconds for name, seconds in stages.items()}


def peak_mb(process: subprocess.Popen[bytes]) -> int:
    """Return the endpoint's peak memory; 0 where /proc is not."""
    status = Path(f"/proc/{process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    os.environ.update({"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    with tempfile.TemporaryDirectory() as folder:
        process, url = start(Path(folder))
        try:
            make_stream(url, make_function(url))
            rates = measure(url, events())
            memory_mb = peak_mb(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    for name, rate in rates.items():
        print(f"{name:<16}{rate:>12,.0f} ev/s {rate / TARGET_PER_S:>8.2f} x target {TARGET_PER_S:,}")
    met = rates["delivered"] >= TARGET_PER_S
    rounded = {name: round(rate) for name, rate in rates.items()}
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"benchmark": "delivery", "rates": rounded, "peak_mb": memory_mb, "load": load, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
