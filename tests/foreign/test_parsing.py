"""The logs of other software, shipped as they are: no mapping, no option."""

import re
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from catalog.schema import validate
from producer.shipping.lines import Line, Lines
from producer.shipping.mapping import FieldMapping
from producer.shipping.parsing import LineParser
from tests.foreign.fresh import write_fresh
from tests.foreign.samples import FOLDER, SAMPLES, Sample
from tests.producer.processes import produce


def shipped(path: Path, tmp_path: Path, *flags: str) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[bytes]]:
    """Return the events that a file becomes, and the run."""
    done = produce("--to", "stdout", "--from", str(path), "--spool", "spool", *flags, cwd=tmp_path)
    return [orjson.loads(line) for line in done.stdout.split(b"\n") if line], done


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_file_arrives_with_its_levels_its_service_and_its_times(sample: Sample, tmp_path: Path) -> None:
    events, done = shipped(sample.path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert Counter(event["level"] for event in events) == sample.levels
    assert {event["service"] for event in events} == {sample.service}
    moments = sorted(event["timestamp"] for event in events)
    assert (moments[0], moments[-1]) == (f"2026-11-28T{sample.first}Z", f"2026-11-28T{sample.last}Z")
    assert len({event["event_id"] for event in events}) == sample.events
    assert (f"unparsable: {sample.unparsable} line".encode() in done.stderr) == bool(sample.unparsable)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_file_made_fresh_is_the_same_but_for_its_times(sample: Sample, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    events, done = shipped(write_fresh(sample.path, tmp_path, now), tmp_path)
    assert Counter(event["level"] for event in events) == sample.levels, done.stderr
    moments = sorted(datetime.fromisoformat(event["timestamp"]) for event in events)
    assert now - timedelta(hours=1) <= moments[0] <= moments[-1] <= now
    lasted = datetime.fromisoformat(f"2026-11-28T{sample.last}Z") - datetime.fromisoformat(
        f"2026-11-28T{sample.first}Z"
    )
    assert moments[-1] - moments[0] == lasted


def test_every_sample_is_listed() -> None:
    assert {sample.name for sample in SAMPLES} == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize(
    ("name", "message", "expected"),
    [
        (
            "web.access.log",
            "GET /search?q=\\x22caf\\xC3\\xA9\\x22 HTTP/1.1 200",
            {"endpoint": "/search", "http_method": "GET"},
        ),
        ("web.access.log", "\\x16\\x03\\x01\\x00\\xEE\\x01\\x00 400", {"endpoint": None, "http_method": None}),
        ("web.access.log", " 408", {"status_code": 408, "level": "WARNING"}),
        ("edge.nginx.json", "POST /checkout 502", {"level": "ERROR", "endpoint": "/checkout", "status_code": 502}),
        ("edge.nginx.json", "400", {"level": "WARNING", "status_code": 400}),
        (
            "checkout.python.json",
            "could not charge order 12",
            {"level": "ERROR", "error_type": "KeyError", "order_id": "o-12"},
        ),
        (
            "billing.structlog.json",
            "invoice_failed",
            {"level": "ERROR", "error_type": "ValueError", "invoice": "in-40"},
        ),
        ("cart.pino.json", "request errored", {"http_method": "POST", "status_code": 502, "error_type": "Error"}),
        ("ledger.logback.json", "posting failed", {"error_type": "java.lang.IllegalStateException"}),
        (
            "resize.lambda.json",
            "cannot identify image file",
            {"level": "ERROR", "error_type": "UnidentifiedImageError"},
        ),
        ("resize.lambda.json", "sharp is not defined", {"level": "ERROR", "error_type": "ReferenceError"}),
        ("resize.lambda.json", '{"queue":"thumbs","depth":812}', {"level": "WARNING"}),
        ("otel-collector.otlp.json", "index refreshed", {"environment": "staging", "host": "search-2"}),
        ("otel-collector.otlp.json", "42", {"service": "search-api", "http_method": "GET"}),
        ("orders-2026-11-28.insights.csv", 'retry 3, "soon"', {"level": "WARNING", "order": 3}),
        ("till.export.csv", 'sold 3 "items"; paid', {"branch": "Köln", "logger": "till.0"}),
    ],
)
def test_an_event_has_what_its_line_says(name: str, message: str, expected: dict[str, Any], tmp_path: Path) -> None:
    events, _ = shipped(FOLDER / name, tmp_path)
    found = [event for event in events if event["message"] == message]
    assert found
    assert {key: found[0].get(key) for key in expected} == expected


def test_a_stack_trace_survives_whole(tmp_path: Path) -> None:
    events, _ = shipped(FOLDER / "ledger.logback.json", tmp_path)
    traces = [event["stack_trace"] for event in events if "stack_trace" in event]
    assert {trace.count("\n\tat ") for trace in traces} == {3}
    rows, _ = shipped(FOLDER / "orders-2026-11-28.insights.csv", tmp_path)
    failed = [row["message"] for row in rows if row["level"] == "ERROR"]
    assert [message.count("\n") for message in failed] == [3, 3]


def test_a_byte_that_is_no_text_is_kept_readable(tmp_path: Path) -> None:
    events, _ = shipped(FOLDER / "edge.nginx.json", tmp_path)
    assert [event["http_referrer"] for event in events if event["http_referrer"]] == ["http://caf\\xE9.example/"]


ODD = [*(b"null", b"[]", b"{}", b"1e400", b"-1", b"9" * 25, b'""', b'"\\ud800"', b"true", b'"' + b"9" * 5000 + b'"')]
ODD += [b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-14:00"', '"\u00b2"'.encode(), b'{"name":{"a":1}}']


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_line_whose_values_and_bytes_are_any_is_an_event_or_is_refused(sample: Sample) -> None:
    random = Random(sample.name)
    whole = sample.path.read_bytes().split(b"\n")
    parser = LineParser(FieldMapping(), sample.service)
    for _ in range(20):
        changed = [damaged(line, random) for line in whole[1:]]
        lines = [Line(data, place + 1) for place, data in enumerate(changed) if data.strip()]
        events, refused = parser.events(Lines(lines, "source", whole[0], None))
        assert len(events) + len(refused) >= len(lines)
        for event in events:
            validate(orjson.loads(event))


def damaged(line: bytes, random: Random) -> bytes:
    """Return a line with some values that are odd, or some bytes that are others."""
    if random.random() < 0.5:
        return re.sub(
            rb'(?<=:)("[^"]*"|[\d.]+)', lambda value: random.choice((value[0], value[0], random.choice(ODD))), line
        )
    changed = bytearray(line)
    for _ in range(3 if line else 0):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)
