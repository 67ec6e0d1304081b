"""Memory: a day of small objects against an hour of them, each curated by a driver of its own with a laptop's heap.

`python -m benchmarks.small_objects [events per object]`; with 2,000 a day has 17 million events.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.curation import job, peak_mb, session, write_objects

OBJECTS_AN_HOUR = 360
HOURS = {"hour": 1, "day": 24}
EVENTS_PER_OBJECT = 100
MAX_MB = 2500
MAX_RATIO = 1.25


def write_hours(raw: Path, hours: int, events_per_object: int) -> None:
    """Write the objects of one hour, and for each hour more the same lines with ids of their own."""
    folder = raw / "all" / "year=2026" / "month=11" / "day=22"
    write_objects(raw, OBJECTS_AN_HOUR * events_per_object, events_per_object)
    for path in sorted(folder.iterdir()):
        content = gzip.decompress(path.read_bytes())
        for hour in range(1, hours):
            lines = content.replace(b'"event_id":"01', b'"event_id":"%02x' % (hour + 1))
            (folder / f"hour-{hour:02d}-{path.name}").write_bytes(gzip.compress(lines, 1))


def measure(hours: int, events_per_object: int) -> float:
    """Return the peak of a driver that curates so many hours."""
    with tempfile.TemporaryDirectory(prefix="small-") as name:
        root = Path(name)
        write_hours(root / "raw", hours, events_per_object)
        spark = session(root, heap="1g")
        job(spark, root / "raw", root)
        peak = peak_mb(spark)
        spark.stop()
    return peak


def main() -> int:
    """Measure each in a process of its own, print, and return 1 when the target is missed."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--hours"]:
        print(measure(int(arguments[1]), int(arguments[2])))
        return 0
    events = int(arguments[0]) if arguments else EVENTS_PER_OBJECT
    peaks = {}
    for name, hours in HOURS.items():
        command = [sys.executable, "-m", "benchmarks.small_objects", "--hours", str(hours), str(events)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        peaks[name] = round(float(done.stdout.split()[-1]))
        print(f"{name:<6}{hours * OBJECTS_AN_HOUR:>7,} objects {hours * OBJECTS_AN_HOUR * events:>12,} events"
              f"{peaks[name]:>8,} MB")  # fmt: skip
    ratio = peaks["day"] / peaks["hour"]
    met = ratio <= MAX_RATIO and peaks["day"] <= MAX_MB
    print(f"a day takes {ratio:.2f} x an hour's memory, target {MAX_RATIO:g}, and at most {MAX_MB:,} MB")
    result = {"benchmark": "small_objects", "peer": "hour", "peaks_mb": peaks, "ratio": round(ratio, 2), "met": met}
    print(json.dumps(result))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
