"""A partition's generations: each is a folder, and the partition's location in Glue says which one readers see.

Generation 0 is the folder below the table's location that a first batch writes to. Whoever rewrites a partition writes
a new folder, `generations/<table>/<number>/<partition>/`, outside of every location that is registered, and then moves
the partition's location: one change in Glue, so that a query sees the old files or the new ones, never both or none.

The steps, and what a crash between any two of them leaves:

1. A record of the generation is written, `rewriting`. A later run deletes what lies in its folder, and the record.
2. The new files are put. They are in no partition yet.
3. The location is moved. A crash before 4 is told by the location: it is the record's new folder.
4. The record says `current`. The old files stay for queries that began before; a run after the grace period deletes
   them, and then the record.

Batches are published into the location that is registered, so one that comes later adds to the new generation.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.tables import TABLES, Table
from glue_streaming.storage import Storage

FOLDER = "generations/"
RECORDS = "manifests/generations/"
REWRITING = "rewriting"
CURRENT = "current"
_NUMBER = re.compile(rf"{FOLDER}[^/]+/(\d+)/")


@dataclass(frozen=True, slots=True)
class Generation:
    """A partition about to move from the folder `old` to the folder `new`; both are prefixes of keys in the lake."""

    table: Table
    values: tuple[str, ...]
    old: str

    @property
    def new(self) -> str:
        return f"{FOLDER}{self.table.name}/{self._number:08d}/{self.table.partition_folder(self.values)}"

    @property
    def record(self) -> str:
        return f"{RECORDS}{self.table.name}-{self._number:08d}-{'-'.join(self.values)}.json"

    @property
    def _number(self) -> int:
        found = _NUMBER.match(self.old)
        return int(found[1]) + 1 if found else 1

    def replace(self, storage: Storage, folder: str, names: Sequence[str], now: datetime) -> None:
        """Make the files `names` of `folder` the partition's only ones."""
        self._note(storage, REWRITING, now)
        keys = {name: f"{self.new}part-{number:05d}.parquet" for number, name in enumerate(names)}
        storage.publish(folder, keys)
        storage.move(self.table, self.values, self.new)
        self._note(storage, CURRENT, now)

    def _note(self, storage: Storage, state: str, now: datetime) -> None:
        document = {"state": state, "table": self.table.name, "values": list(self.values), "old": self.old}
        storage.write_json(self.record, {**document, "new": self.new, "at": now.isoformat()})


def clean_up(storage: Storage, grace: timedelta, now: datetime) -> int:
    """Delete what interrupted rewriting left and old files whose grace period is over; return how many files."""
    deleted = 0
    for key, document in list(_records(storage)):
        table = next(table for table in TABLES if table.name == document["table"])
        generation = Generation(table, tuple(document["values"]), document["old"])
        is_current = storage.folders(table, [generation.values]).get(generation.values) == document["new"]
        if document["state"] == REWRITING and is_current:
            generation._note(storage, CURRENT, now)
        elif document["state"] == REWRITING:
            deleted += _delete(storage, document["new"], key)
        elif datetime.fromisoformat(document["at"]) + grace <= now:
            deleted += _delete(storage, document["old"], key)
    return deleted


def _records(storage: Storage) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in sorted(storage.list_sizes(RECORDS)):
        document = storage.read_json(key)
        if document is not None:
            yield key, document


def _delete(storage: Storage, folder: str, record: str) -> int:
    keys = storage.list_sizes(folder)
    storage.delete(keys)
    storage.delete([record])
    return len(keys)


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)
