"""Curating: the whole job against plain Spark that reads, drops duplicates and writes Parquet, in one JVM.

`python -m benchmarks.curation [events] [rounds]`; both ways read the same gzipped objects, 5 % of the events twice.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.schema import EVENT_COLUMNS, RECEIVED_AT
from glue_streaming.arguments import parse
from glue_streaming.run import curate
from localcloud.jobs.spark import LONG_LIFE
from producer.events import Generator, Stream
from tests.glue_streaming.lake import FolderLake

START_MS = 1_795_303_867_456
EVENTS = 2_000_000
ROUNDS = 2
EVENTS_PER_OBJECT = 50_000
DUPLICATES = 0.05
TARGET = 1.6
WARM_UP_EVENTS = 20_000
_SCHEMA = ", ".join(f"`{column.name}` {column.type}" for column in (*EVENT_COLUMNS, RECEIVED_AT))


def write_objects(raw: Path, events: int, events_per_object: int = EVENTS_PER_OBJECT) -> int:
    """Write real events as the delivery stream leaves them, one service folder for all; return their bytes."""
    stream = Stream(Generator(1, malformed=0.001), lambda running: START_MS + running * 5, START_MS, 300)
    draw, lines, size = random.Random(1), [], 0
    folder = raw / "all" / "year=2026" / "month=11" / "day=22"
    folder.mkdir(parents=True)
    for number in range(max(1, events // events_per_object)):
        while len(lines) < min(events_per_object, events):
            payloads = [payload.rstrip(b"\n") for payload in stream.next_block().payloads]
            lines += payloads + [payload for payload in payloads if draw.random() < DUPLICATES]
        content = b"\n".join(lines[:events_per_object]) + b"\n"
        lines, size = lines[events_per_object:], size + len(content)
        (folder / f"part-{number:05d}.json.gz").write_bytes(gzip.compress(content, 6))
    return size


def session(folder: Path, heap: str = "2g") -> Any:
    """Return a Spark session with the laptop's settings."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").appName("benchmark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": heap,
        "spark.local.dir": str(folder / "tmp"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError",
        **LONG_LIFE,
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def plain(spark: Any, raw: Path, folder: Path) -> None:
    """Read, drop duplicates, write: what one would write first."""
    events = spark.read.schema(_SCHEMA).json(f"file://{raw}/*/*/*/*")
    events.dropDuplicates(["event_id"]).write.option("compression", "zstd").parquet(f"file://{folder}/plain")


def job(spark: Any, raw: Path, folder: Path) -> None:
    """Run the whole job on a lake in a folder."""
    places = [f"--{name}-path=file://{folder}/{name}/" for name in ("checkpoint", "staging")]
    options = [f"--raw-path=file://{raw}/", "--lake-bucket=lake", "--database=app_logs_db"]
    curate(spark, parse([*places, *options]), FolderLake(folder / "lake"))  # type: ignore[arg-type]


def seconds_of(way: Callable[[Any, Path, Path], None], spark: Any, raw: Path, root: Path) -> float:
    """Return the wall-clock seconds of one run into a fresh folder."""
    folder = Path(tempfile.mkdtemp(dir=root))
    began = time.monotonic()
    way(spark, raw, folder)
    passed = time.monotonic() - began
    shutil.rmtree(folder)
    return passed


def peak_mb(spark: Any) -> float:
    """Return the driver JVM's peak resident memory."""
    pid = int(spark._jvm.java.lang.ProcessHandle.current().pid())
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curation")
    parser.add_argument("events", nargs="?", type=int, default=EVENTS)
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS)
    wanted = parser.parse_args()
    if wanted.events < 1 or wanted.rounds < 1:
        parser.error(f"events and rounds must be 1 or more; got {wanted.events} and {wanted.rounds}")
    events, rounds = wanted.events, wanted.rounds
    root = Path(tempfile.mkdtemp(prefix="curation-"))
    try:
        size = write_objects(root / "raw", events)
        write_objects(root / "small", WARM_UP_EVENTS)
        spark = session(root)
        ways = {"plain": plain, "loglake": job}
        for way in ways.values():
            seconds_of(way, spark, root / "small", root)
        times = {name: [] for name in ways}  # type: dict[str, list[float]]
        for _ in range(rounds):
            for name, way in ways.items():
                times[name].append(seconds_of(way, spark, root / "raw", root))
        memory = peak_mb(spark)
        spark.stop()
    finally:
        shutil.rmtree(root)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = statistics.median(ours / theirs for ours, theirs in zip(times["loglake"], times["plain"], strict=True))
    for name, value in medians.items():
        print(f"{name:<10}{value:>8.1f} s {events / value:>12,.0f} ev/s")
    print(f"loglake takes {ratio:.2f} x plain Spark, target {TARGET:g}; {size / 1e6:,.0f} MB; peak {memory:,.0f} MB")
    result = {"benchmark": "curation", "peer": "plain", "events": events, "seconds": medians, "ratio": round(ratio, 2)}
    print(json.dumps({**result, "peak_mb": round(memory), "met": ratio <= TARGET}))
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
