"""Crawling a prefix of a million objects: how often it is listed, what is read of it, and the memory it takes.

S3 and the catalog stand in this process: pages are made as they are asked for, and counted. The peer is holding the
listing, as `list()` of its pages does.
"""

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from localcloud.crawler.catalog import list_objects
from localcloud.crawler.configuration import Options, S3Target
from localcloud.crawler.crawl import Crawl
from localcloud.crawler.samples import Sample

KEYS = 1_000_000
FOLDERS = 600
PAGE = 1_000
MAX_MB = 24.0
BODY = json.dumps({"event_id": "1", "level": "INFO", "status_code": 200}).encode() + b"\n"
WHEN = datetime(2026, 11, 21, tzinfo=UTC)


class S3:
    """A bucket of `KEYS` small objects in `FOLDERS` day folders of six services."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def get_paginator(self, _operation: str) -> "S3":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        for first in range(0, KEYS, PAGE):
            self.calls["ListObjectsV2"] += 1
            yield {"Contents": [_object(n) for n in range(first, first + PAGE)]}

    def get_object(self, **_: str) -> dict[str, Any]:
        self.calls["GetObject"] += 1
        return {"Body": BytesIO(BODY)}


def _object(number: int) -> dict[str, Any]:
    folder = number * FOLDERS // KEYS
    key = f"logs/service-{folder % 6}/year=2026/month={folder // 60:02}/day={folder // 6:03}/{number:07}.json.gz"
    return {"Key": key, "Size": len(BODY), "LastModified": WHEN}


class Glue:
    """An empty catalog that counts what is written into it."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()

    def get_database(self, **_: str) -> None: ...

    def get_paginator(self, _operation: str) -> "Glue":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"TableList": [], "Partitions": []}]

    def create_table(self, **_: Any) -> None:
        self.written["tables"] += 1

    def batch_create_partition(self, PartitionInputList: list[Any], **_: Any) -> dict[str, Any]:
        self.written["partitions"] += len(PartitionInputList)
        return {}


class NoCache:
    """Remembers nothing: every folder is read, as by a first crawl."""

    def get(self, where: str) -> None:
        return None

    def put(self, where: str, fingerprint: str, sample: Sample) -> None: ...


def crawl(s3: S3, glue: Glue) -> None:
    """Crawl the whole prefix."""
    options = Options("c", "d", (S3Target("s3://bucket/logs/"),), table_level=3, partition_index=False)
    Crawl(options, s3, glue, NoCache(), lambda: False, lambda message: None).run()


def grown_mb(work: Callable[[], object]) -> float:
    """Return by how much the process's peak memory grows while `work` runs; larger work comes later."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> int:
    """Measure, print, and return 1 when the prefix is listed twice, more than samples are read, or memory grows."""
    s3, glue = S3(), Glue()
    began = time.process_time()
    peak = grown_mb(lambda: crawl(s3, glue))
    seconds = time.process_time() - began
    held = grown_mb(lambda: list(list_objects(S3(), ("bucket", "logs"))))
    pages, reads = s3.calls["ListObjectsV2"], s3.calls["GetObject"]
    print(
        f"{KEYS:,} objects, {FOLDERS} folders: {pages:,} pages listed, {reads:,} objects read, {seconds:.1f} s of CPU"
    )
    print(f"{dict(glue.written)}; peak memory {peak:.1f} MB, holding the listing {held:.0f} MB")
    met = pages == KEYS // PAGE and reads <= 2 * FOLDERS and peak < MAX_MB and glue.written["partitions"] == FOLDERS
    figures = {
        "pages": pages,
        "reads": reads,
        "cpu_s": round(seconds, 1),
        "peak_mb": round(peak, 1),
        "held_mb": round(held),
    }
    print(json.dumps({"benchmark": "listing", **figures, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
