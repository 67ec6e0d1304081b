"""The mirror of real objects on the endpoint."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from localcloud.jobs.arguments import Place
from localcloud.jobs.mirror import Cancelled, Mirror

pytestmark = pytest.mark.local


@pytest.fixture
def s3(endpoint: Any) -> Any:
    return endpoint.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"mirror-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def never() -> bool:
    return False


def test_fetch_brings_what_is_new_or_changed_and_nothing_twice(s3: Any, bucket: str, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path, lambda: s3)
    place = Place(bucket, "logs/")
    s3.put_object(Bucket=bucket, Key="logs/a/1.json", Body=b"one")
    s3.put_object(Bucket=bucket, Key="logs/a/2.json", Body=b"two")
    s3.put_object(Bucket=bucket, Key="logs-other/3.json", Body=b"no")

    assert mirror.fetch(place, never) == 2
    assert mirror.fetch(place, never) == 0
    s3.put_object(Bucket=bucket, Key="logs/a/2.json", Body=b"two, longer")
    assert mirror.fetch(place, never) == 1
    assert files(tmp_path) == {f"{bucket}/logs/a/1.json": b"one", f"{bucket}/logs/a/2.json": b"two, longer"}
    modified = s3.head_object(Bucket=bucket, Key="logs/a/1.json")["LastModified"].timestamp()
    assert abs((tmp_path / bucket / "logs/a/1.json").stat().st_mtime - modified) < 1


def test_fetch_keeps_what_only_the_mirror_has(s3: Any, bucket: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / bucket / "checkpoints" / "offsets" / "0"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"mine")

    assert Mirror(tmp_path, lambda: s3).fetch(Place(bucket, "checkpoints/"), never) == 0
    assert checkpoint.read_bytes() == b"mine"


def test_empty_place_exists_afterwards(s3: Any, bucket: str, tmp_path: Path) -> None:
    Mirror(tmp_path, lambda: s3).fetch(Place(bucket, "staging/new/"), never)

    assert (tmp_path / bucket / "staging" / "new").is_dir()


def test_object_without_slash_is_fetched_alone(s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="conf/a.yaml", Body=b"a")
    s3.put_object(Bucket=bucket, Key="conf/a.yaml.bak", Body=b"b")

    assert Mirror(tmp_path, lambda: s3).fetch(Place(bucket, "conf/a.yaml"), never) == 1
    assert files(tmp_path) == {f"{bucket}/conf/a.yaml": b"a"}


def test_cancelled_fetch_leaves_no_half_file(s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="logs/1.json", Body=b"one")

    with pytest.raises(Cancelled):
        Mirror(tmp_path, lambda: s3).fetch(Place(bucket, "logs/"), lambda: True)
    assert files(tmp_path) == {}
