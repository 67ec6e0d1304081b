"""Kill the driver before every step of a curation, a compaction and a reprocessing, while a reader asks Athena.

`python -m tests.glue_streaming.every_kill`: some forty starts of a JVM, and a line for each kind of run.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.conftest import EndpointProcess
from tests.glue_streaming.killing import Driver, Reader, create_tables, files_of_no_partition
from tests.glue_streaming.raw import line, put

OLD = datetime.now(UTC) - timedelta(days=2)
FOLDER = f"payment/year={OLD:%Y}/month={OLD:%m}/day={OLD:%d}"
TASKS = {
    "curate": (),
    "compact": ("--task=compact", "--before-days=0", "--grace-hours=0"),
    "reprocess": ("--task=reprocess", f"--from={OLD:%Y-%m-%d}", f"--to={OLD:%Y-%m-%d}", "--grace-hours=0"),
}


def kill_at_every_step(driver: Driver, *options: str) -> int:
    """Run until a run gets through, each killed one step later than the one before; return how many were killed."""
    kills = 0
    while driver.run(f"any:{kills + 1}", *options):
        kills += 1
    return kills


def main() -> int:
    """Return 0 if no look of the reader saw an event twice or missed one."""
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        root = Path(name)
        endpoint = EndpointProcess(root / "data").start()
        create_tables(endpoint)
        driver, reader = Driver(endpoint, root), Reader(endpoint)
        put(root / "raw", "a.json.gz", line(1, OLD), line(2, OLD, level="INFO"), b"broken", folder=FOLDER)
        driver.run("none:0")
        reader.look()
        reader.start()
        lines = (line(1, OLD), line(3, OLD), line(4, OLD, service="inventory"), b"broken too")
        put(root / "raw", "b.json.gz", *lines, folder=FOLDER)
        for task, options in TASKS.items():
            began = time.monotonic()
            print(f"{task:<10}{kill_at_every_step(driver, *options):>3} kills, {time.monotonic() - began:.0f} s")
        driver.run("none:0", *TASKS["compact"])
        reader.stop()
        reader.look()
        left = files_of_no_partition(endpoint)
        endpoint.stop()
    is_right = (len(reader.seen), reader.counted, reader.wrong, left) == (3, 4, [], [])
    print(f"{reader.looks} looks, {len(reader.wrong)} wrong; {len(reader.seen)} rows, {reader.counted} counted; {left}")
    print(*reader.wrong[:5], sep="\n")
    return int(not is_right)


if __name__ == "__main__":
    sys.exit(main())
