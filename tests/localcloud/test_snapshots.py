import json
from pathlib import Path

import pytest

from catalog.errors import LoglakeError
from localcloud.snapshots import Snapshots, changes_state, recover


def test_a_snapshot_keeps_the_earlier_generation(tmp_path: Path) -> None:
    states = {"glue": b'{"n": 1}'}
    snapshots = Snapshots(tmp_path, lambda: states)
    assert snapshots.write() == 0  # a first generation has nothing before it
    states["glue"] = b'{"n": 2}'
    assert snapshots.write() == 1
    assert snapshots.write() == 0
    assert json.loads((tmp_path / "glue.json").read_bytes()) == {"n": 2}
    assert json.loads((tmp_path / "glue.json.previous").read_bytes()) == {"n": 1}


@pytest.mark.parametrize("cut", range(8))
def test_a_file_torn_at_any_byte_is_taken_from_its_earlier_generation(tmp_path: Path, cut: int) -> None:
    (tmp_path / "glue.json").write_bytes(b'{"n": 2}'[:cut])
    (tmp_path / "glue.json.previous").write_bytes(b'{"n": 1}')
    (tmp_path / "s3.json").write_bytes(b'{"whole": 1}')
    assert recover(tmp_path) == ["glue.json"]
    assert json.loads((tmp_path / "glue.json").read_bytes()) == {"n": 1}
    assert json.loads((tmp_path / "s3.json").read_bytes()) == {"whole": 1}


def test_a_torn_file_without_an_earlier_generation_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "glue.json").write_bytes(b"{")
    with pytest.raises(LoglakeError, match="got 1 bytes that are not JSON"):
        recover(tmp_path)


S3 = {b"authorization": b"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "expected"),
    [
        ("POST", "/", b"", {b"x-amz-target": b"AWSGlue.CreateTable"}, True),
        ("POST", "/", b"", {b"x-amz-target": b"AWSGlue.GetTable"}, False),
        ("POST", "/", b"", {b"x-amz-target": b"Kinesis_20131202.PutRecords"}, False),
        ("POST", "/", b"", {b"x-amz-target": b"Firehose_20150804.PutRecordBatch"}, False),
        ("POST", "/", b"", {}, True),
        ("GET", "/bucket", b"", S3, False),
        ("PUT", "/bucket", b"", S3, True),
        ("PUT", "/bucket", b"policy=", S3, True),
        ("PUT", "/bucket/key/of", b"x-id=PutObject", S3, False),
        ("PUT", "/bucket/key", b"partNumber=1&uploadId=2", S3, False),
        ("PUT", "/bucket/key", b"tagging=", S3, True),
        ("POST", "/2015-03-31/functions/f/invocations", b"", {}, False),
    ],
)
def test_requests_that_change_the_control_plane_are_told_from_the_others(
    method: str, path: str, query: bytes, headers: dict[bytes, bytes], expected: bool
) -> None:
    scope = {"type": "http", "method": method, "path": path, "query_string": query}
    assert changes_state(scope, headers) is expected
