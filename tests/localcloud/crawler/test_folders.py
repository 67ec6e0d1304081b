import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from localcloud.crawler.catalog import list_objects
from localcloud.crawler.folders import Folders, S3Object, include_path
from localcloud.crawler.globs import exclusion


def folders(*keys: str, include: str = "s3://bucket/logs/", exclusions: tuple[str, ...] = ()) -> Folders:
    found = Folders(include_path(include), exclusion(exclusions), 2)
    found.add_all(S3Object(key, 10, float(index)) for index, key in enumerate(keys))
    return found


def test_folder_keeps_counts_and_only_its_oldest_and_newest_objects() -> None:
    found = folders(*(f"logs/a/{index}.json" for index in range(100)))

    (folder,) = found.by_path.values()
    assert (folder.path, folder.object_count, folder.total_bytes) == (("bucket", "logs", "a"), 100, 1000)
    assert [item.key for item in folder.samples] == ["logs/a/0.json", "logs/a/99.json"]


def test_include_path_without_slash_is_a_folder_not_a_name_prefix() -> None:
    found = folders("logs/a/1", "logs-other/a/1", include="s3://bucket/logs")

    assert list(found.by_path) == [("bucket", "logs", "a")]


def test_whole_bucket_may_be_included() -> None:
    assert list(folders("1.json", include="s3://bucket").by_path) == [("bucket",)]


def test_ignored_objects_are_counted_by_reason() -> None:
    found = Folders(include_path("s3://bucket/logs/"), exclusion(["tmp/**"]), 2)
    keys = ["logs/a/_SUCCESS", "logs/.hidden/1", "logs/tmp/x/1", "logs/a/"]
    found.add_all(S3Object(key, 10, 0.0) for key in keys)
    found.add_all([S3Object("logs/a/empty", 0, 0.0)])

    assert found.ignored == {"hidden": 2, "excluded": 1, "folder marker": 1, "empty": 1}
    assert found.by_path == {}


def test_underscores_of_the_include_path_itself_do_not_hide() -> None:
    assert list(folders("_raw/a/1", include="s3://bucket/_raw/").by_path) == [("bucket", "_raw", "a")]


def test_fingerprint_changes_with_every_new_object() -> None:
    one, two = folders("logs/a/1"), folders("logs/a/1", "logs/a/2")
    path = ("bucket", "logs", "a")

    assert one.by_path[path].fingerprint != two.by_path[path].fingerprint


KEYS = 300_000
FOLDERS = 60
WHEN = datetime(2026, 11, 21, tzinfo=UTC)


class Pager:
    """Stands for S3: pages of a thousand keys, made as they are asked for and counted."""

    def __init__(self) -> None:
        self.pages = 0

    def get_paginator(self, _operation: str) -> "Pager":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        for first in range(0, KEYS, 1000):
            self.pages += 1
            yield {
                "Contents": [
                    {"Key": f"logs/payment/day={n % FOLDERS:02}/{n:07}.json.gz", "Size": 100, "LastModified": WHEN}
                    for n in range(first, first + 1000)
                ]
            }


def test_a_large_prefix_is_listed_once_in_pages_and_only_its_folders_are_kept() -> None:
    """The folders of 300,000 keys; what is kept does not depend on how many keys a folder has."""
    s3, found = Pager(), Folders(include_path("s3://bucket/logs/"), exclusion(()), 2)
    tracemalloc.start()
    for page in list_objects(s3, include_path("s3://bucket/logs/")):
        found.add_all(page)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert s3.pages == KEYS // 1000
    assert [folder.object_count for folder in found.by_path.values()] == [KEYS // FOLDERS] * FOLDERS
    assert peak < 4_000_000, (kept, peak)
