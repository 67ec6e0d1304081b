"""Memory: a day of small objects against an hour of them, each curated by a driver of its own.

`python -m benchmarks.small_objects [events per object]`; with 2,000 a day has 17 million events. Java fills what heap
it is given, so its peak tells little: the smallest heap that is enough for an hour must be enough for a day.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.curation import job, peak_mb, session, write_objects

OBJECTS_AN_HOUR = 360
HOURS = {"hour": 1, "day": 24}
EVENTS_PER_OBJECT = 100
HEAPS = ("480m", "512m", "640m", "768m", "1g", "1536m", "2g")
"""From the smallest that Spark starts with."""
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


def curate_hours(hours: int, events_per_object: int, heap: str) -> float:
    """Curate so many hours and return the driver's peak."""
    with tempfile.TemporaryDirectory(prefix="small-") as name:
        root = Path(name)
        write_hours(root / "raw", hours, events_per_object)
        spark = session(root, heap)
        job(spark, root / "raw", root)
        peak = peak_mb(spark)
        spark.stop()
    return peak


def peak_of(hours: int, events_per_object: int, heap: str) -> int | None:
    """Return the peak, in MB, of a driver of its own with that heap; None if it was not enough."""
    words = ["--hours", str(hours), str(events_per_object), heap]
    command = [sys.executable, "-m", "benchmarks.small_objects", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return None if done.returncode else round(float(done.stdout.split()[-1]))


def main() -> int:
    """Find the smallest heap for an hour, try it on a day, print, and return 1 when the target is missed."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--hours"]:
        print(curate_hours(int(arguments[1]), int(arguments[2]), arguments[3]))
        return 0
    events = int(arguments[0]) if arguments else EVENTS_PER_OBJECT
    for heap in HEAPS:
        peaks = {"hour": peak_of(HOURS["hour"], events, heap)}
        if peaks["hour"] is not None:
            break
    peaks["day"] = peak_of(HOURS["day"], events, heap)
    for name, hours in HOURS.items():
        peak = "not enough" if peaks[name] is None else f"peak {peaks[name]:,} MB"
        objects = hours * OBJECTS_AN_HOUR
        print(f"{name:<6}{objects:>7,} objects {objects * events:>12,} events   heap {heap}: {peak}")
    met = None not in peaks.values() and max(peak or 0 for peak in peaks.values()) <= MAX_MB
    print(f"a day must do with the heap of an hour, {heap}, and the driver with {MAX_MB:,} MB in all")
    print(json.dumps({"benchmark": "small_objects", "peer": "hour", "heap": heap, "peaks_mb": peaks, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
