"""The two ways to read an object say the same of every line."""

import gzip
import json
import os
import random
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from glue_streaming.arrow_lines import parse_objects, read_events
from glue_streaming.duplicates import ROW
from glue_streaming.levels import Levels
from glue_streaming.lines import MAX_LINE_BYTES
from glue_streaming.reading import RawObject, Reader
from glue_streaming.sessions import own_session
from producer.events import Generator, Stream
from tests.glue_streaming.raw import line, put

WRITTEN = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
START_MS = 1_795_303_867_456


def objects(*contents: bytes) -> list[pa.RecordBatch]:
    names = [f"file:///raw/{number}.json.gz" for number in range(len(contents))]
    times = pa.array([WRITTEN] * len(contents), pa.timestamp("us", "UTC"))
    columns = [pa.array(contents, pa.binary()), pa.array(range(len(contents))), pa.array(names), times]
    return [pa.record_batch(columns, ["content", "object_hash", "object_path", "object_time"])]


def lines_of(*contents: bytes) -> list[dict[str, Any]]:
    found = [row for batch in parse_objects(objects(*contents)) for row in batch.to_pylist()]
    return sorted(found, key=lambda row: (row["object_hash"], row["event_id"] or "", row["source_offset"]))


def test_an_event_comes_as_columns_and_another_line_as_it_is() -> None:
    good, bad = line(1, message="took 12 ms"), line(2, message=12)
    other, event = lines_of(gzip.compress(good + b"\n" + bad + b"\n"))
    assert event["raw_line"] is None and event["pattern"] == "took <*> ms"
    assert event["timestamp"] == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert (event["status_code"], event["response_time_ms"]) == (500, 12.5)
    assert (other["raw_line"], other["event_id"], other["source_offset"]) == (bad.decode(), None, len(good) + 1)
    assert (other["object_path"], other["object_time"]) == ("file:///raw/0.json.gz", WRITTEN)
    assert event["object_hash"] == other["object_hash"] == 0


@pytest.mark.parametrize("text", [b"a\n\nb\r\nc", b"a\n\nb\r\nc\n", b"\xef\xbb\xbfa\n\nb\r\nc"])
def test_an_offset_is_where_a_line_begins(text: bytes) -> None:
    found = lines_of(gzip.compress(text))
    assert [row["raw_line"] for row in found] == ["a", "", "b\r", "c"]
    start = 3 if text.startswith(b"\xef") else 0
    assert [row["source_offset"] - start for row in found] == [0, 2, 3, 6]


def test_lines_longer_than_a_piece_of_text_keep_their_place() -> None:
    texts = [b"x" * 3_000_000, b"y" * 7_000_000, b"z", b"w" * 2_000_000]
    found = lines_of(gzip.compress(b"\n".join(texts), 1))
    assert [row["raw_line"].encode() for row in found] == texts
    assert [row["source_offset"] for row in found] == [0, 3_000_001, 10_000_002, 10_000_004]


def test_small_objects_are_parsed_together_and_empty_ones_have_no_lines() -> None:
    contents = [gzip.compress(line(number) + b"\n") for number in range(50)]
    batches = list(parse_objects(objects(*contents, b"", gzip.compress(b""))))
    assert len(batches) == 1
    ids = {row["object_hash"]: row["event_id"] for row in batches[0].to_pylist()}
    assert ids == {number: f"0193-{number:08d}" for number in range(50)}


def test_one_line_that_arrow_refuses_takes_no_other_with_it() -> None:
    twice = line(5)[:-1] + b',"host":"twin"}'
    impossible = line(6, timestamp="2026-02-31T00:00:00.000Z")
    found = lines_of(gzip.compress(b"\n".join([*map(line, range(5)), twice, impossible, *map(line, range(7, 20))])))
    assert [row["raw_line"] for row in found[:2]] == [twice.decode(), impossible.decode()]
    others = [number for number in range(20) if number not in (5, 6)]
    assert [row["event_id"] for row in found[2:]] == [f"0193-{number:08d}" for number in others]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(line(1))[:-9],
        b"hello",
        gzip.compress(b"x" * (MAX_LINE_BYTES + 1)),
        gzip.compress(b"x" * (MAX_LINE_BYTES + 1) + b"\na\n"),
    ],
)
def test_an_object_for_the_other_way_raises(content: bytes) -> None:
    with pytest.raises((EOFError, ValueError, zlib.error), match=r"gzip|header|member|at most"):
        lines_of(content)


def spoiled(draw: random.Random) -> bytes:
    """Return an event with a byte or a value that is not quite right, or is right in an unusual way."""
    text = line(draw.randrange(10**6))
    kind = draw.randrange(4)
    if kind == 0:
        place = draw.randrange(len(text))
        return text[:place] + draw.randbytes(1) + text[place + draw.randrange(2) :]
    number = draw.choice(
        ["0", "-0", "00", "1.0", "1e3", "-1", "1E400", "9" * 9, "9" * 10, "9" * 19, ".5", "5.", "+5", '"5"']
    )
    if kind == 1:
        key = draw.choice(["status_code", "response_time_ms", "request_bytes"])
        whole = json.loads(text)
        return text.replace(f'"{key}":{json.dumps(whole[key])}'.encode(), f'"{key}":{number}'.encode())
    moments = ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00.1Z", "2026-11-21T12:00:00.123456Z", "2026-11-21 12:00:00"]
    moments += ["2026-11-21T12:00:00.1234567Z", "2026-11-21T12:00:00+01:00", "2026-11-21", "2026-02-31T00:00:00Z"]
    moments += [
        "2025-10-17T12:00:02.000Z",
        "2025-10-17T12:00:01.999Z",
        "2026-11-22T12:00:02.001Z",
        "2026-11-21T24:00:00Z",
    ]
    if kind == 2:
        return line(draw.randrange(10**6), **{draw.choice(["timestamp", "received_at"]): draw.choice(moments)})
    if draw.random() < 0.3:
        names = ["Payment", "pay ment", "-pay", "pay_", "logs", "log-minutes", "rejects", "x" * 64, "x" * 65, "", "é"]
        return line(draw.randrange(10**6), service=draw.choice(names))
    words = [
        "café",
        "it's",
        "'quoted' x",
        "a@b.de",
        "0xBEEF",
        "deadbeef",
        "cdabffcf-1",
        "facade",
        "x-12:",
        "12.",
        "/v1/a",
        "naïve1",
        "\u2028",
        "\\",
        "a\tb",
        '"q"',
        "ß1",
    ]
    return line(draw.randrange(10**6), message=" ".join(draw.choices(words, k=4)))


@pytest.mark.spark
def test_both_ways_say_the_same_of_every_line(spark: Any, tmp_path: Path) -> None:
    stream = Stream(Generator(1, malformed=0.01), lambda running: START_MS + running * 5, START_MS, 300)
    real = [payload.rstrip(b"\n") for payload in stream.next_block().payloads]
    draw = random.Random(7)
    odd = [text.replace(b"\n", b" ") for text in (spoiled(draw) for _ in range(4000))]
    texts = [*real, b"", *odd, b" \t\r"]
    zipped, plain = (put(tmp_path, name, *texts) for name in ("one.json.gz", "one.json"))
    for path in (zipped, plain):
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    with ExitStack() as cleanup:
        reader = Reader(own_session(spark), Levels(sample={"DEBUG": 0.5}), 0, cleanup)
        in_arrow, counts = reader.read([RawObject(f"file://{zipped}", zipped.stat().st_size)])
        as_text, same_counts = reader.read([RawObject(f"file://{plain}", plain.stat().st_size)])
        assert counts == same_counts
        shown = sorted({*as_text.columns} - {"object_hash", "object_path", ROW})
        for one, other in ((in_arrow, as_text), (as_text, in_arrow)):
            is_event = one.where("NOT is_reject").select(shown)
            assert is_event.exceptAll(other.where("NOT is_reject").select(shown)).take(3) == []
        rejects = in_arrow.where("is_reject").select(F.col("raw_line").cast("binary"), "source_offset").collect()
        expected = as_text.where("is_reject").select(F.col("raw_line").cast("binary")).collect()
        assert sorted(bytes(row.raw_line) for row in rejects) == sorted(bytes(row.raw_line) for row in expected)
        text = b"\n".join(texts)
        for row in rejects:
            assert text[row.source_offset :].split(b"\n", 1)[0] == bytes(row.raw_line)
        taken = read_events(reader.spark, [f"file://{zipped}"]).where("raw_line IS NULL").count()
    assert taken > 0.97 * len(real)
