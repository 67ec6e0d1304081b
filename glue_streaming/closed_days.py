"""Which partitions are worth rewriting: those of closed days with several small files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, Table
from glue_streaming.publication import unfinished_keys
from glue_streaming.storage import Storage

SMALL_BYTES = 128 * 1024 * 1024
"""A file of fewer bytes is small: its opening costs a query more than its reading."""
TARGET_BYTES = 256 * 1024 * 1024
"""What rewritten files aim at, so that they have between 128 and 512 MB."""
COMPACTED: tuple[Table, ...] = (LOGS, LOG_MINUTES, REJECTS)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A partition, the folder it is in, and its files with their bytes."""

    table: Table
    values: tuple[str, ...]
    folder: str
    files: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        return sum(self.files.values())

    @property
    def target_files(self) -> int:
        """Return how many files it should have."""
        return max(1, math.ceil(self.size_bytes / TARGET_BYTES))

    @property
    def name(self) -> str:
        return self.table.name + "/" + self.table.partition_folder(self.values).rstrip("/")


def find(storage: Storage, today: date, before_days: int) -> tuple[list[Rewriting], list[str]]:
    """Return the partitions of days `before_days` before `today` and earlier that are worth rewriting.

    Then the names of those that are not touched because a batch is half published into them.
    """
    newest = today - timedelta(days=before_days)
    unfinished = unfinished_keys(storage)
    found, skipped = [], []
    for table in COMPACTED:
        for values, folder in sorted(storage.all_folders(table).items()):
            if not is_closed(values, newest):
                continue
            rewriting = Rewriting(table, values, folder, storage.list_sizes(folder))
            if is_touched(folder, unfinished):
                skipped.append(rewriting.name)
            elif sum(size < SMALL_BYTES for size in rewriting.files.values()) > 1:
                found.append(rewriting)
    return found, skipped


def is_touched(folder: str, unfinished: frozenset[str]) -> bool:
    """Return whether a half published batch puts files into `folder`."""
    return any(key.startswith(folder) for key in unfinished)


def is_closed(values: Sequence[str], newest: date) -> bool:
    """Return whether a partition's day is `newest` or earlier."""
    day = day_of(values)
    return day is not None and day <= newest


def day_of(values: Sequence[str]) -> date | None:
    """Return the day of a partition whose last keys are year, month and day; None when they name none."""
    try:
        year, month, day = (int(value) for value in values[-3:])
        return date(year, month, day)
    except ValueError:
        return None


def preview(storage: Storage, today: date, before_days: int) -> dict[str, Any]:
    """Return what a run would rewrite; the files after are those aimed at, the bytes at most those before."""
    found, skipped = find(storage, today, before_days)
    partitions = [entry(rewriting, rewriting.target_files, rewriting.size_bytes) for rewriting in found]
    return {"partitions": partitions, "skipped": skipped, "totals": totals(partitions)}


def entry(found: Rewriting, files_after: int, bytes_after: int) -> dict[str, Any]:
    """Return what a report says of a partition."""
    return {
        "partition": found.name,
        "files_before": len(found.files),
        "bytes_before": found.size_bytes,
        "files_after": files_after,
        "bytes_after": bytes_after,
    }


def totals(partitions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums over a report's partitions."""
    names = ("files_before", "bytes_before", "files_after", "bytes_after")
    return {name: sum(entry[name] for entry in partitions) for name in names}
