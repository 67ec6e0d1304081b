"""One crawl: list, sample, detect, plan, write."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from localcloud.crawler import catalog
from localcloud.crawler.configuration import Options
from localcloud.crawler.folders import Folder, Folders, include_path, location
from localcloud.crawler.globs import exclusion
from localcloud.crawler.plan import Plan, home, include_paths, plan
from localcloud.crawler.samples import RangeReader, Sample, combine, take_sample
from localcloud.crawler.tables import Leaf, Table, detect_tables

READERS = 4


class Cancelled(Exception):
    """StopCrawler was called; nothing more is written."""


class CrawlError(Exception):
    """The crawl can't go on; the text says why and what mends it."""


class SampleCache(Protocol):
    """Remembers what a folder held, so that a folder without new objects is not read again."""

    def get(self, where: str) -> tuple[str, Sample] | None: ...

    def put(self, where: str, fingerprint: str, sample: Sample) -> None: ...


@dataclass(slots=True)
class Summary:
    """What a crawl saw and changed."""

    plan: Plan = field(default_factory=Plan)
    object_count: int = 0
    folder_count: int = 0
    table_count: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        return {
            "tables_created": len(self.plan.create_tables),
            "tables_updated": len(self.plan.update_tables),
            "tables_deleted": len(self.plan.delete_tables) + len(self.plan.deprecate_tables),
        }

    def to_json(self) -> str:
        """Return `ListCrawls`' Summary: tables and partitions added, updated and deleted, and what was ignored."""
        partitions = {"ADD": self.plan.create_partitions, "UPDATE": self.plan.update_partitions}
        tables = {
            "ADD": self.plan.create_tables,
            "UPDATE": self.plan.update_tables,
            "DELETE": self.plan.deprecate_tables,
        }
        named = {action: [item["Name"] for item in items] for action, items in tables.items()}
        named["DELETE"] += self.plan.delete_tables
        counted = {action: {name: len(items) for name, items in found.items()} for action, found in partitions.items()}
        counted["DELETE"] = {name: len(items) for name, items in self.plan.delete_partitions.items()}
        return json.dumps(
            {
                "TABLE": named,
                "PARTITION": counted,
                "COLUMN": {"ADD": self.plan.columns_added},
                "OBJECTS": self.object_count,
                "IGNORED": dict(self.ignored),
            }
        )


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl's surroundings: clients, the cache, whether it was cancelled, and where its log lines go."""

    options: Options
    s3: Any
    glue: Any
    cache: SampleCache
    cancelled: Callable[[], bool]
    log: Callable[[str], None]

    def run(self) -> Summary:
        """Do the crawl; raise `Cancelled`, `CrawlError` or the client's error, if it can before anything is written."""
        summary = Summary()
        leaves = self._leaves(self._list(summary), summary)
        detected = detect_tables(leaves, include_paths(self.options), self.options)
        summary.ignored.update(detected.ignored)
        summary.table_count = len(detected.tables)
        self._check_threshold(detected.tables)
        summary.plan = self._plan(detected.tables)
        self._check_cancelled()
        catalog.apply(self.glue, self.options.database, summary.plan, self.options.partition_index)
        for message in summary.plan.messages:
            self.log(message)
        for reason, count in sorted(summary.ignored.items()):
            self.log(f"Ignored {count} objects: {reason}")
        return summary

    def _check_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled

    def _list(self, summary: Summary) -> list[Folder]:
        found: dict[tuple[str, ...], Folder] = {}
        for target in self.options.targets:
            include = include_path(target.path)
            if not include:
                raise CrawlError(f"an S3 target must be s3://bucket/…; got {target.path!r}")
            folders = Folders(include, exclusion(target.exclusions), target.sample_size)
            for page in catalog.list_objects(self.s3, include):
                self._check_cancelled()
                folders.add_all(page)
                summary.object_count += len(page)
            summary.ignored.update(folders.ignored)
            found.update(folders.by_path)
            self.log(f"Listed {location(include)}: {len(folders.by_path)} folders with objects")
        summary.folder_count = len(found)
        return [found[path] for path in sorted(found)]

    def _leaves(self, folders: Iterable[Folder], summary: Summary) -> list[Leaf]:
        """Sample the folders on a few threads; a folder that is nothing we know is counted as ignored."""
        ordered = list(folders)
        with ThreadPoolExecutor(READERS, thread_name_prefix="crawler-sample") as pool:
            samples = list(pool.map(self._sample, ordered))
        self._check_cancelled()
        leaves = []
        for folder, sample in zip(ordered, samples, strict=True):
            if sample is None:
                summary.ignored[f"not JSON, CSV or Parquet: {folder.location}"] += folder.object_count
            else:
                leaves.append(Leaf(folder, sample))
        return leaves

    def _sample(self, folder: Folder) -> Sample | None:
        if self.cancelled():
            return None
        cached = self.cache.get(folder.location)
        if cached and (self.options.new_folders_only or cached[0] == folder.fingerprint):
            return cached[1]
        read = catalog.range_reader(self.s3, folder.path[0])
        sample = _sample_of(folder, read, self.log)
        if sample:
            self.cache.put(folder.location, folder.fingerprint, sample)
        return sample

    def _check_threshold(self, tables: Iterable[Table]) -> None:
        names = [table.name for table in tables]
        limit = self.options.table_threshold
        if limit and len(names) > limit:
            raise CrawlError(
                f"The number of tables detected by crawler: {len(names)} is greater than the table threshold value "
                f"provided: {limit}"
            )

    def _plan(self, tables: tuple[Table, ...]) -> Plan:
        catalog.ensure_database(self.glue, self.options.database)
        known = catalog.existing_tables(self.glue, self.options.database)
        homes = [home(table, known, self.options.crawler) for table in tables]
        known = catalog.with_partitions(self.glue, self.options.database, known, homes)
        return plan(tables, known, self.options, time.time())


def _sample_of(folder: Folder, read: RangeReader, log: Callable[[str], None]) -> Sample | None:
    found = []
    for item in folder.samples:
        try:
            sample = take_sample(item, read)
        except ValueError as error:
            log(f"Can't read {item.key}: {error}")
            continue
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            continue
        if sample:
            found.append(sample)
    if not found:
        return None
    usual = Counter(sample.classification for sample in found).most_common(1)[0][0]
    return combine([sample for sample in found if sample.classification == usual])
