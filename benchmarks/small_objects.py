"""Memory: a day of small objects against an hour of them, each curated by a driver of its own.

`python -m benchmarks.small_objects [events per object]`; with 2,000 a day has 17 million events. Java fills what heap
it is given, so its peak tells little: what is compared is the smallest heap that is enough.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.curation import job, peak_mb, session, write_objects

OBJECTS_AN_HOUR = 360
HOURS = {"hour": 1, "day": 24}
EVENTS_PER_OBJECT = 100
HEAPS_MB = (480, 600, 750, 940, 1175, 1470, 1840)
"""From the smallest that Spark starts with, each a quarter more."""
TARGET = 1.25
"""The day may need one step more: a batch that just fits does not fit every time."""
MAX_MB = 2500


def write_hours(raw: Path, hours: int, events_per_object: int) -> None:
    """Write the objects of one hour, and for each hour more the same lines with ids and arrivals of their own."""
    folder = raw / "all" / "year=2026" / "month=11" / "day=22"
    write_objects(raw, OBJECTS_AN_HOUR * events_per_object, events_per_object)
    began = time.time() - hours * 3600
    for number, path in enumerate(sorted(folder.iterdir())):
        content = gzip.decompress(path.read_bytes())
        for hour in range(hours):
            copy = path if hour == 0 else folder / f"hour-{hour:02d}-{path.name}"
            if hour:
                lines = content.replace(b'"event_id":"01', b'"event_id":"%02x' % (hour + 1))
                copy.write_bytes(gzip.compress(lines, 1))
            arrived = began + hour * 3600 + number * 3600 / OBJECTS_AN_HOUR
            os.utime(copy, (arrived, arrived))


def curate_hours(hours: int, events_per_object: int, heap_mb: int) -> float:
    """Curate so many hours and return the driver's peak."""
    with tempfile.TemporaryDirectory(prefix="small-") as name:
        root = Path(name)
        write_hours(root / "raw", hours, events_per_object)
        spark = session(root, f"{heap_mb}m")
        job(spark, root / "raw", root)
        peak = peak_mb(spark)
        spark.stop()
    return peak


def peak_of(hours: int, events_per_object: int, heap_mb: int) -> int | None:
    """Return the peak, in MB, of a driver of its own with that heap; None if it was not enough."""
    words = ["--hours", str(hours), "--heap-mb", str(heap_mb), str(events_per_object)]
    command = [sys.executable, "-m", "benchmarks.small_objects", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return None if done.returncode else round(float(done.stdout.split()[-1]))


def smallest(hours: int, events_per_object: int, heaps_mb: Sequence[int]) -> tuple[int, int]:
    """Return the smallest heap that is enough, in MB, and the driver's peak with it."""
    for heap_mb in heaps_mb:
        peak = peak_of(hours, events_per_object, heap_mb)
        if peak is not None:
            return heap_mb, peak
    raise SystemExit(f"{heaps_mb[-1]} MB of heap are not enough for {hours} h")


def main() -> int:
    """Find the smallest heaps, print them, and return 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_objects")
    parser.add_argument("events", nargs="?", type=int, default=EVENTS_PER_OBJECT, help="events per object")
    parser.add_argument("--hours", type=int, help="curate so many hours and print the driver's peak in MB")
    parser.add_argument("--heap-mb", type=int, default=HEAPS_MB[0])
    wanted = parser.parse_args()
    if wanted.events < 1:
        parser.error(f"argument events: must be 1 or more; got {wanted.events}")
    if wanted.hours:
        print(curate_hours(wanted.hours, wanted.events, wanted.heap_mb))
        return 0
    heaps, peaks = {}, {}
    for name, hours in HOURS.items():
        enough = [heap for heap in HEAPS_MB if heap >= heaps.get("hour", 0)]
        heaps[name], peaks[name] = smallest(hours, wanted.events, enough)
        objects = hours * OBJECTS_AN_HOUR
        told = f"heap {heaps[name]:,} MB, driver's peak {peaks[name]:,} MB"
        print(f"{name:<6}{objects:>7,} objects {objects * wanted.events:>12,} events   {told}", flush=True)
    ratio = heaps["day"] / heaps["hour"]
    print(f"a day needs {ratio:g} x the heap of an hour, target {TARGET:g}; the driver may take {MAX_MB:,} MB in all")
    met = ratio <= TARGET and max(peaks.values()) <= MAX_MB
    facts = {"heaps_mb": heaps, "peaks_mb": peaks, "ratio": ratio, "met": met}
    print(json.dumps({"benchmark": "small_objects", "peer": "hour", "events_per_object": wanted.events, **facts}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
