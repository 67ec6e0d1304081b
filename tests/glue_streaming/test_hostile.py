"""All hostile records in one raw object: the job ends, and each line is a row or a reject with its reason."""

from typing import Any

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS
from tests import hostile
from tests.glue_streaming.conftest import Job
from tests.glue_streaming.raw import line, put

GOOD_LINES = 5


def hostile_lines() -> list[bytes]:
    """Return the hostile records on a line each, those that are events with ids of their own; no blank ones."""
    lines = [each.replace(b"\n", b" ") for each in hostile.HOSTILE.values()]
    known = b'"0193-hostile"'
    return [each.replace(known, b'"0193-%08d"' % number) for number, each in enumerate(lines) if each.strip(b" \t\r")]


@pytest.mark.spark
@pytest.mark.parametrize("name", ["hostile.json", "hostile.json.gz"])
def test_every_hostile_line_is_a_row_or_a_reject(job: Job, name: str) -> None:
    lines = hostile_lines()
    put(job.raw, name, *lines, *(line(10_000 + number) for number in range(GOOD_LINES)))
    totals: dict[str, Any] = job.run("--arrow-from-mb=0")["totals"]
    assert totals["input_rows"] == len(lines) + GOOD_LINES
    assert totals["log_rows"] + totals["reject_rows"] == totals["input_rows"]
    assert totals["log_rows"] == totals["counted_rows"] == len(job.lake.rows(LOGS))
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(totals["log_rows"],)]
    assert job.lake.rows(REJECTS, "count(*), count(reason)") == [(totals["reject_rows"],) * 2]
    assert len(job.lake.rows(LOGS, "event_id", "event_id LIKE '0193-0001000%'")) == GOOD_LINES
