"""What one object is."""

import bz2
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from localcloud.crawler.folders import S3Object
from localcloud.crawler.glue_types import hive
from localcloud.crawler.samples import Sample, combine, sample_from_json, take_sample

LINES = b"".join(json.dumps({"id": index, "Name": "x" * 20, "price": 1.5}).encode() + b"\n" for index in range(100))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def sample(data: bytes) -> Sample | None:
    return take_sample(S3Object("key", len(data), 0.0), lambda key, start, length: data[start : start + length])


def types(found: Sample | None) -> dict[str, str]:
    assert found is not None
    return {name: hive(kind) for name, kind in found.schema.items()}


@pytest.mark.parametrize("compression", COMPRESS)
def test_json_lines_in_every_compression(compression: str) -> None:
    found = sample(COMPRESS[compression](LINES))

    assert found is not None
    assert (found.classification, found.compression, found.record_count) == ("json", compression, 100)
    assert types(found) == {"id": "int", "name": "string", "price": "double"}


def test_concatenated_gzip_members_are_read_on() -> None:
    found = sample(gzip.compress(LINES) + gzip.compress(LINES))

    assert found is not None and found.record_count == 200


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_records_of_a_large_object_are_estimated_from_its_head(compression: str) -> None:
    found = sample(COMPRESS[compression](LINES * 2000))

    assert found is not None
    assert found.record_count == pytest.approx(200_000, rel=0.2)


def test_cut_gzip_shows_what_can_be_read() -> None:
    data = gzip.compress(LINES)

    assert types(sample(data[: len(data) // 2])) == {"id": "int", "name": "string", "price": "double"}


def test_few_broken_lines_do_not_hide_the_table() -> None:
    found = sample(LINES + b'{"id": 1, "na\nnot json at all\n')

    assert types(found) == {"id": "int", "name": "string", "price": "double"}


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}{"a": 2}', '{\n  "a": 1\n}\n{\n  "a": 2\n}\n', '{"a": 1} {"a": 2}\n'],
)
def test_objects_need_not_stand_on_lines(text: str) -> None:
    found = sample(text.encode())

    assert found is not None
    assert (types(found), found.record_count) == ({"a": "int"}, 2)


def test_top_level_array_is_one_column() -> None:
    assert types(sample(b'[{"a": 1}, {"a": 2}]')) == {"array": "array<struct<a:int>>"}


@pytest.mark.parametrize(
    ("text", "expected", "header", "rows"),
    [
        ("name,count,rate\na,1,1.5\nb,2,2\n", {"name": "string", "count": "bigint", "rate": "double"}, "true", 2),
        ("a,1\nb,2\n", {"col0": "string", "col1": "bigint"}, "false", 2),
        ("name,city\nann,bonn\nbob,berlin\n", {"col0": "string", "col1": "string"}, "false", 3),
        ("id|note\n1|x, y\n2|z\n", {"id": "bigint", "note": "string"}, "true", 2),
        ('id\tnote\r\n1\t"a\tb"\r\n2\tz\r\n', {"id": "bigint", "note": "string"}, "true", 2),
        ("id,id\n1,2\n3,4\n", {"id": "bigint", "id_1": "bigint"}, "true", 2),
    ],
)
def test_csv(text: str, expected: dict[str, str], header: str, rows: int) -> None:
    found = sample(text.encode())

    assert found is not None
    assert (found.classification, types(found), found.record_count) == ("csv", expected, rows)
    assert found.details["header"] == header


def test_parquet_is_read_from_its_footer() -> None:
    table = pa.table(
        {
            "Id": pa.array([1], pa.int32()),
            "at": pa.array([0], pa.timestamp("ms", "UTC")),
            "tags": pa.array([["x"]]),
            "place": pa.array([{"lat": 1.5}]),
            "counts": pa.array([[(1, 2)]], pa.map_(pa.int32(), pa.int64())),
            "price": pa.array([None], pa.decimal128(10, 2)),
        }
    )
    packed = io.BytesIO()
    pq.write_table(table, packed)
    found = sample(packed.getvalue())

    assert found is not None
    assert (found.classification, found.record_count) == ("parquet", 1)
    assert types(found) == {
        "id": "int",
        "at": "timestamp",
        "tags": "array<string>",
        "place": "struct<lat:double>",
        "counts": "map<int,bigint>",
        "price": "decimal(10,2)",
    }


def test_broken_parquet_is_an_error_that_names_the_object() -> None:
    with pytest.raises(ValueError, match="Parquet footer of 'key' can't be read"):
        sample(b"PAR1 and nothing more")


@pytest.mark.parametrize("data", [b"\x00\x01\x02\xff" * 50, b"just a line of prose\n", b"", b"\x1f\x8b broken"])
def test_anything_else_is_nothing(data: bytes) -> None:
    assert sample(data) is None


def test_sample_survives_json() -> None:
    found: Any = sample(b'{"a": {"b": [1]}}\n')

    assert sample_from_json(json.loads(json.dumps(found.to_json()))) == found


def test_combine_merges_schemas_and_adds_counts() -> None:
    one, two = sample(b'{"a": 1}\n'), sample(b'{"a": 1.5, "b": 2}\n')
    assert one is not None and two is not None

    both = combine([one, two])

    assert (types(both), both.record_count) == ({"a": "double", "b": "int"}, 2)
