"""The driver killed with SIGKILL between its steps, on the real endpoint, while a reader asks Athena.

Here between write, publish, register and checkpoint. `python -m tests.glue_streaming.every_kill` kills at every step.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.glue_streaming.killing import Driver, Reader, create_tables, files_of_no_partition
from tests.glue_streaming.raw import line, put

pytestmark = [pytest.mark.local, pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(3600)]

OLD = datetime.now(UTC) - timedelta(days=2)
NEVER = "none:0"
COMPACT = ("--task=compact", "--before-days=0", "--grace-hours=0")
REPROCESS = ("--task=reprocess", f"--from={OLD:%Y-%m-%d}", f"--to={OLD:%Y-%m-%d}", "--grace-hours=0")


def test_a_driver_killed_between_its_steps_shows_no_event_twice_nor_hides_any(
    own_endpoint: Any, tmp_path: Path
) -> None:
    endpoint = own_endpoint()
    create_tables(endpoint)
    driver, raw = Driver(endpoint, tmp_path), tmp_path / "raw"
    folder = f"payment/year={OLD:%Y}/month={OLD:%m}/day={OLD:%d}"
    put(raw, "a.json.gz", line(1, OLD), line(2, OLD, level="INFO"), b"broken", folder=folder)
    assert not driver.run(NEVER)
    reader = Reader(endpoint)
    reader.look()
    reader.start()
    put(raw, "b.json.gz", line(1, OLD), line(3, OLD), line(4, OLD, service="inventory"), b"broken", folder=folder)

    for step in ("publishing:1", "put:3", "register:1", "published:1", "report:1"):
        assert driver.run(step), step
    assert not driver.run(NEVER)
    assert driver.run("move:1", *COMPACT)
    assert not driver.run(NEVER, *COMPACT)
    assert driver.run("move:2", *REPROCESS)
    assert not driver.run(NEVER, *REPROCESS)
    assert not driver.run(NEVER, *COMPACT)

    reader.stop()
    reader.look()
    assert reader.wrong == []
    assert sorted(reader.seen) == [f"0193-0000000{number}" for number in (1, 3, 4)]
    assert reader.counted == 4
    assert len(reader.rows("SELECT raw_line FROM rejects")) == 2
    assert sorted(reader.rows("SELECT batch_id, input_rows FROM runs")) == [["0", "3"], ["1", "4"]]
    assert files_of_no_partition(endpoint) == []
    assert not list((tmp_path / "staging").iterdir())
