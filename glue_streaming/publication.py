"""How a batch's staged files become the lake's, so that a reader never sees a row twice and a replay changes nothing.

The steps, and what a crash between any two of them leaves:

1. The manifest is written, `publishing`, with every key that this try or an earlier one puts. Nothing is visible yet.
2. The files are put, table by table, each whole and under a key that a replay puts again; `runs` is not among them.
3. Keys that only an earlier try put are deleted.
4. The partitions are registered: their files exist.
5. The row of `runs` is put, and the manifest says `published`. A replay of a published batch does nothing at all.

A crash before 5 leaves part of the batch visible until the replay, which reads the same objects, takes its clock from
the manifest and so puts the same rows under the same keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, Table
from glue_streaming.storage import Storage, manifest_key

PUBLISHED = "published"
PUBLISHING = "publishing"
WITHDRAWN = "withdrawn"


@dataclass(slots=True)
class Publication:
    """The publication of one batch, whose files lie in `staging/<table>/<partition>/*.parquet`."""

    storage: Storage
    batch_id: int
    staging: str
    _earlier: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._earlier = self.storage.read_json(manifest_key(self.batch_id)) or {}

    @property
    def published_run(self) -> dict[str, Any] | None:
        """The batch's row of `runs` if it has been published, else None."""
        return dict(self._earlier["run"]) if self._earlier.get("state") == PUBLISHED else None

    def started_at(self) -> datetime:
        """Return when the batch was first tried: now, or when an earlier try was."""
        return datetime.fromisoformat(self._earlier["started_at"]) if self._earlier else datetime.now(UTC)

    def publish(self, run: Mapping[str, Any], objects: Sequence[str]) -> None:
        """Publish the staged files; `run` is the row of `runs` among them, `objects` names what the batch has read."""
        files = {table: self._keys(table) for table in (LOGS, LOG_MINUTES, REJECTS, RUNS)}
        keys = sorted(key for names in files.values() for key in names.values())
        stale = set(self._earlier.get("keys", ())) - set(keys)
        manifest = {
            "state": PUBLISHING,
            "batch_id": self.batch_id,
            "started_at": run["started_at"].isoformat(),
            "objects": list(objects),
            "keys": sorted({*keys, *stale}),
        }
        self.storage.write_json(manifest_key(self.batch_id), manifest)
        for table in (LOGS, LOG_MINUTES, REJECTS):
            self.storage.publish(self._folder(table), files[table])
        self.storage.delete(stale)
        for table in (LOGS, LOG_MINUTES, REJECTS):
            self.storage.register(table, sorted({_values(name) for name in files[table]}))
        self.storage.publish(self._folder(RUNS), files[RUNS])
        done = {**manifest, "state": PUBLISHED, "keys": keys, "run": as_json(run)}
        self.storage.write_json(manifest_key(self.batch_id), done)

    def _keys(self, table: Table) -> dict[str, str]:
        """Return the key in the lake of every staged file of a table; files are numbered within their partition."""
        keys: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for name in self.storage.list_files(self._folder(table)):
            folder = name.rpartition("/")[0]
            number = numbers[folder] = numbers.get(folder, -1) + 1
            keys[name] = f"{table.prefix}{folder + '/' if folder else ''}batch-{self.batch_id:08d}-{number}.parquet"
        return keys

    def _folder(self, table: Table) -> str:
        return f"{self.staging}{table.name}/"


def withdraw(storage: Storage, key: str) -> None:
    """Take back what a batch published that will never be replayed, because its checkpoint is lost."""
    manifest = storage.read_json(key) or {}
    if manifest.get("state") == PUBLISHING:
        storage.delete(manifest["keys"])
        storage.write_json(key, {**manifest, "state": WITHDRAWN, "keys": [], "objects": []})


def as_json(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `runs` with its moments in ISO-8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in run.items()}


def _values(name: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[2] for part in name.split("/")[:-1])
