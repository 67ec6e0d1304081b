"""What an outage costs: S3 that takes nothing for a minute under 10,000 events a second, and kill -9 again and again.

The delivery stream is the endpoint's own; its function and its bucket stand in this process, or in the one that is
killed. Every event is accounted for: delivered once, in the errors with its data, or dropped by the function.
"""

import base64
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from localcloud.delivery.record import Record
from localcloud.delivery.stream import DeliveryStream
from tests.localcloud.delivery.streams import LAMBDA_ARN, Bucket, configured, processor
from tests.localcloud.delivery.test_stream import run_and_kill

RATE_PER_S = 10_000
OUTAGE_SECONDS = 60
BATCH = 500
EVENT_BYTES = 500
KILLS = 100
MAX_GROWTH_MB = 50
MIN_RECOVERY = 0.8


class Outage(Bucket):
    """A bucket in a file system's folder that can be away; its function fails and drops one event in a hundred each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(answer)
        self.away = threading.Event()
        self.folder = folder
        folder.mkdir()

    def put_object(self, bucket: str, key: str, body: Path) -> None:
        if self.away.is_set():
            raise ConnectionError("away")
        (self.folder / key.replace("/", "_")).write_bytes(body.read_bytes())

    def seen(self) -> Counter[int]:
        """Return how often each event is in an object, by its number."""
        found: Counter[int] = Counter()
        for path in list(self.folder.iterdir()):
            for line in path.read_bytes().splitlines():
                data = base64.b64decode(json.loads(line)["rawData"]) if path.name.startswith("errors") else line
                found[int(data[:12])] += 1
        return found


def answer(record: dict[str, Any]) -> dict[str, Any]:
    """Answer as a function would: one event in a hundred fails, one is dropped."""
    number = int(base64.b64decode(record["data"])[:12])
    if number % 100 == 0:
        return {"result": "ProcessingFailed", "data": record["data"]}
    if number % 100 == 1:
        return {"result": "Dropped"}
    return {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": {"service": f"s{number % 6}"}}}


def put(stream: DeliveryStream, first: int, count: int, rate_per_s: float) -> None:
    """Put events numbered from `first` on, at most so many a second."""
    began = time.monotonic()
    for start in range(first, first + count, BATCH):
        time.sleep(max(0.0, began + (start - first) / rate_per_s - time.monotonic()))
        now_ms = int(time.time() * 1000)
        stream.put([Record(now_ms, b"%012d" % n + b"x" * (EVENT_BYTES - 12)) for n in range(start, start + BATCH)])


def wait_until_delivered(stream: DeliveryStream) -> None:
    """Wait until nothing is spooled and nothing buffered."""
    while (status := stream.status())["spooled_bytes"] or status["buffered_bytes"]:
        time.sleep(0.05)


def rss_mb() -> float:
    """Return this process's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def outage(folder: Path) -> dict[str, float]:
    """Measure a delivery stream before, in and after an outage of its bucket."""
    bucket = Outage(folder / "bucket")
    transform = processor("Lambda", LambdaArn=LAMBDA_ARN)
    hints = {"SizeInMBs": 64, "IntervalInSeconds": 1}
    configuration = configured(transform, processor("AppendDelimiterToRecord"), BufferingHints=hints)
    stream = DeliveryStream(folder / "d", configuration, "us-east-1", bucket, linger_seconds=0.0)  # type: ignore[arg-type]
    stream.start()
    count = RATE_PER_S * OUTAGE_SECONDS
    began = time.monotonic()
    put(stream, 0, count, float("inf"))
    wait_until_delivered(stream)
    normal = count / (time.monotonic() - began)
    before = rss_mb()
    bucket.away.set()
    began = time.monotonic()
    put(stream, count, count, RATE_PER_S)
    lasted = time.monotonic() - began
    growth = rss_mb() - before
    bucket.away.clear()
    began = time.monotonic()
    wait_until_delivered(stream)
    recovered = count / (time.monotonic() - began)
    stream.stop()
    kept = {number for number in range(2 * count) if number % 100 != 1}
    seen = bucket.seen()
    return {
        "put_per_s": count / lasted,
        "normal_per_s": normal,
        "recovery_per_s": recovered,
        "growth_mb": growth,
        "lost": len(kept - seen.keys()),
        "doubled": sum(times > 1 for times in seen.values()),
        "unexplained": len(seen.keys() - kept),
    }


def kills(folder: Path) -> dict[str, float]:
    """Kill a writing process again and again, let the last one deliver, and count."""
    source = random.Random(1)
    acknowledged = [name for turn in range(KILLS) for name in run_and_kill(folder, 1_000_000 * turn, source)]
    run_and_kill(folder, -1, source, seconds=10.0)
    seen = Counter(line for path in (folder / "bucket").iterdir() for line in path.read_text().splitlines())
    return {
        "kills": KILLS,
        "acknowledged": len(acknowledged),
        "lost": len(set(acknowledged) - seen.keys()),
        "doubled": sum(times > 1 for times in seen.values()),
    }


def main() -> int:
    """Measure, print, and return 1 when an event was lost or doubled, or the memory grew."""
    with tempfile.TemporaryDirectory() as folder:
        found = outage(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        killed = kills(Path(folder))
    met = not any(each[name] for each in (found, killed) for name in ("lost", "doubled")) and not found["unexplained"]
    met = met and found["growth_mb"] <= MAX_GROWTH_MB
    met = met and found["recovery_per_s"] >= MIN_RECOVERY * found["normal_per_s"]
    figures = {name: round(value) for name, value in found.items()}
    print(f"outage of {OUTAGE_SECONDS} s: {figures}")
    print(f"kill -9: {killed}")
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"benchmark": "outage", "outage": figures, "kills": killed, "load": load, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
