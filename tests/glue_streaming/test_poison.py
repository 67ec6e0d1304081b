"""Poison lines: none stops the job, none vanishes, none becomes a row of nulls."""

import base64
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.tables import LOG_MINUTES, LOGS, REJECTS
from tests.glue_streaming.raw import line, put

pytestmark = pytest.mark.spark

GOOD_LINES = 20
POISON = {
    "truncated": line(1)[:-20],
    "no json": b"GET / 200",
    "two objects": line(1) + line(2),
    "objects without a newline": line(1) * 1000,
    "two objects and a comma": line(1) + b"," + line(2),
    "array": b"[" + line(1) + b"]",
    "scalar": b"42",
    "null": b"null",
    "string for int": line(1, status_code="200"),
    "float for int": line(1, status_code=200.5),
    "int overflow": line(1, status_code=2**31),
    "number for string": line(1, message=12),
    "object for string": line(1, host={"name": "a"}),
    "array for string": line(1, error_type=["a"]),
    "boolean for string": line(1, user_id=True),
    "string for double": line(1, response_time_ms="NaN"),
    "bad timestamp": line(1, timestamp="yesterday"),
    "time before any log": line(1, timestamp="1970-01-01T00:00:00Z"),
    "time ahead": line(1, timestamp="2027-11-21T12:00:00Z"),
    "bad utf-8": line(1, message="caf@").replace(b"@", b"\xe9"),
    "nan": line(1).replace(b"12.5", b"NaN"),
    "deep": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "missing field": line(1, service=...),
    "null field": line(1, level=None),
    "unknown level": line(1, level="LOUD"),
    "single quotes": line(1).replace(b'"', b"'"),
    "not json, with a carriage return": b"oops\r",
    "carriage returns only": line(1) + b"\r" + line(2),
    "utf-16": line(1).decode().encode("utf-16"),
    "byte-order mark": b"\xef\xbb\xbf" + line(1),
    "binary garbage": random.Random(1).randbytes(100_000).replace(b"\n", b"\0"),
    "20 MB event": line(1, message="y" * 20_000_000),
    "50 MB": b"x" * 50_000_000,
}
HARMLESS = {
    "carriage return": line(101) + b"\r",
    "duplicate key": line(102)[:-1] + b',"host":"twin"}',
    "nul": line(103, message="a\0b"),
    "extra key": line(104, region="eu"),
    "big line": line(105, message="x" * 9_000_000),
    "inner object with a known key": line(106, context={"message": 5, "level": 1}),
    "white space": b"  " + line(107).replace(b",", b" ,\t") + b"  ",
    "arrival beyond any calendar": line(109, datetime.now(UTC), received_at="+294247-01-01T00:00:00Z"),
    "many times the same key": line(110)[:-1] + b',"host":"twin"' * 20_000 + b"}",
    "escapes": line(108, message='"message": 5 \\ \u2028'),
}


TOO_LONG = ("20 MB event", "50 MB")
"""With one of these a batch is read as text; without, in Arrow."""


@pytest.fixture(scope="module", params=["text", "Arrow"])
def curated(spark: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    from tests.glue_streaming.conftest import Job

    kinds = [kind for kind in POISON if request.param == "text" or kind not in TOO_LONG]
    job = Job(spark, tmp_path_factory.mktemp("poison"))
    good = [line(1000 + number) for number in range(GOOD_LINES)]
    put(job.raw, "good.json.gz", *good, b"", b"   ", b"\r")
    put(job.raw, "empty.json.gz")
    put(job.raw, "nothing.json").write_bytes(b"")
    put(job.raw, "harmless.json.gz", *HARMLESS.values())
    put(job.raw, "marked.json.gz", b"\xef\xbb\xbf" + line(3000))
    for number, name in enumerate(kinds):
        put(job.raw, f"{name}.json.gz", b"", line(2000 + number), POISON[name])
    return job, job.run()["totals"], kinds


def test_lines_in_are_rows_rejects_and_nothing_else(curated: Any) -> None:
    job, totals, kinds = curated
    good = GOOD_LINES + len(HARMLESS) + len(["marked"]) + len(kinds)
    assert totals["input_rows"] == good + len(kinds)
    assert totals["log_rows"] == totals["counted_rows"] == len(job.lake.rows(LOGS)) == good
    assert totals["reject_rows"] == len(job.lake.rows(REJECTS)) == len(kinds)
    assert job.lake.rows(LOG_MINUTES, "sum(event_count)") == [(good,)]


@pytest.mark.parametrize("kind", POISON)
def test_a_poison_line_is_in_rejects_byte_for_byte_with_its_object_offset_and_reason(curated: Any, kind: str) -> None:
    job, _, kinds = curated
    if kind not in kinds:
        pytest.skip("its batch is read as text")
    columns = "reason, raw_line, source_object, source_offset"
    found = job.lake.rows(REJECTS, columns, f"source_object LIKE '%/{kind}.json.gz'")
    assert len(found) == 1
    reason, raw_line, source_object, source_offset = found[0]
    kept = base64.b64decode(raw_line) if reason.endswith("base64") else raw_line.encode()
    assert kept == POISON[kind]
    assert source_object == f"logs/payment/year=2026/month=11/day=21/{kind}.json.gz"
    assert source_offset == len(b"\n" + line(2000) + b"\n")
    assert "; got " in reason or "nested" in reason


def test_harmless_lines_keep_their_values(curated: Any) -> None:
    job, _, _ = curated
    rows = {row[0]: row[1:] for row in job.lake.rows(LOGS, "event_id, message, extra, host")}
    assert rows["0193-00000102"][2] == "twin"
    assert rows["0193-00000103"][0] == "a\0b"
    assert json.loads(rows["0193-00000104"][1]) == {"region": "eu"}
    assert len(rows["0193-00000105"][0]) == 9_000_000
    assert json.loads(rows["0193-00000106"][1]) == {"context": {"message": 5, "level": 1}}
    assert rows["0193-00000108"][0] == '"message": 5 \\ \u2028'
