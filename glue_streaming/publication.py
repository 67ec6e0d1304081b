"""How a batch's staged files become the lake's, so that a reader never sees a row twice and a replay changes nothing.

The steps, and what a crash between any two of them leaves:

1. The manifest is written, `publishing`, with every key that this try or an earlier one puts. Nothing is visible yet.
2. The files are put, table by table, each whole, into the folder where its partition is now (see `generations`) and
   under a key that a replay puts again; `runs` is not among them.
3. Keys that only an earlier try put are deleted.
4. The partitions are registered: their files exist.
5. The row of `runs` is put, and the manifest says `published`. A replay of a published batch does nothing at all.

A crash before 5 leaves part of the batch visible until the replay, which reads the same objects, takes its clock from
the manifest and so puts the same rows under the same keys.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, TABLES, Table
from glue_streaming.storage import SUFFIXES, THREADS, Storage, manifest_key

PUBLISHED = "published"
PUBLISHING = "publishing"
WITHDRAWN = "withdrawn"

LOGS_CSV = Table("logs_csv", "csv/logs/", LOGS.columns, LOGS.partition_keys, "`logs` once more, for `--format csv`")
"""Files beside the tables: Glue says that `logs` is Parquet, so CSV can't lie in it."""


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
        names = {table: self.storage.list_files(self._folder(table)) for table in (*TABLES, LOGS_CSV)}
        places = {table: self._places(table, names[table]) for table in names}
        files = {table: self._keys(names[table], places[table].folders) for table in names}
        keys = sorted(key for table in files for key in files[table].values())
        stale = set(self._earlier.get("keys", ())) - set(keys)
        manifest = {
            "state": PUBLISHING,
            "batch_id": self.batch_id,
            "started_at": run["started_at"].isoformat(),
            "objects": list(objects),
            "keys": sorted({*keys, *stale}),
        }
        self.storage.write_json(manifest_key(self.batch_id), manifest)
        for table in (LOGS, LOG_MINUTES, REJECTS, LOGS_CSV):
            self.storage.publish(self._folder(table), files[table])
        self.storage.delete(stale)
        for table in (LOGS, LOG_MINUTES, REJECTS):
            self.storage.register(table, places[table].new)
        self.storage.publish(self._folder(RUNS), files[RUNS])
        done = {**manifest, "state": PUBLISHED, "keys": keys, "run": as_json(run)}
        self.storage.write_json(manifest_key(self.batch_id), done)

    def _places(self, table: Table, names: Sequence[str]) -> "_Places":
        """Return where a table's staged files belong: where their partitions are now, else where new ones begin."""
        partitions = {_values(name): _folder_of(name) for name in names}
        defaults = {values: f"{table.prefix}{folder}" for values, folder in partitions.items()}
        is_registered = table in TABLES and table.partition_keys
        known = self.storage.folders(table, sorted(defaults)) if is_registered and defaults else {}
        places = {**defaults, **known}
        folders = {folder: places[values] for values, folder in partitions.items()}
        return _Places(folders, {values: folder for values, folder in defaults.items() if values not in known})

    def _keys(self, names: Sequence[str], folders: Mapping[str, str]) -> dict[str, str]:
        """Return the key in the lake of every staged file of a table; files are numbered within their partition."""
        keys: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for name in names:
            folder = _folder_of(name)
            number = numbers[folder] = numbers.get(folder, -1) + 1
            suffix = next(suffix for suffix in SUFFIXES if name.endswith(suffix))
            keys[name] = f"{folders[folder]}batch-{self.batch_id:08d}-{number}{suffix}"
        return keys

    def _folder(self, table: Table) -> str:
        return f"{self.staging}{table.name}/"


@dataclass(frozen=True, slots=True)
class _Places:
    """Staged folder -> folder in the lake; and the partitions among them that are not registered yet."""

    folders: Mapping[str, str]
    new: Mapping[tuple[str, ...], str]


def withdraw(storage: Storage, key: str) -> None:
    """Take back what a batch published that will never be replayed, because its checkpoint is lost."""
    manifest = storage.read_json(key) or {}
    if manifest.get("state") == PUBLISHING:
        storage.delete(manifest["keys"])
        storage.write_json(key, {**manifest, "state": WITHDRAWN, "keys": [], "objects": []})


def as_json(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `runs` with its moments in ISO-8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in run.items()}


def unfinished_keys(storage: Storage) -> frozenset[str]:
    """Return the keys of a batch that is half published. Only the newest can be: a run goes on with it first."""
    manifests = storage.list_manifests()
    newest = (storage.read_json(manifests[-1]) or {}) if manifests else {}
    return frozenset(newest["keys"]) if newest.get("state") == PUBLISHING else frozenset()


def published_objects(storage: Storage) -> list[str]:
    """Return the names of the objects that published batches have read, sorted."""
    with ThreadPoolExecutor(THREADS) as pool:
        manifests = pool.map(storage.read_json, storage.list_manifests())
    published = [manifest for manifest in manifests if manifest and manifest["state"] == PUBLISHED]
    return sorted({name for manifest in published for name in manifest["objects"]})


def _folder_of(name: str) -> str:
    folder = name.rpartition("/")[0]
    return f"{folder}/" if folder else ""


def _values(name: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[2] for part in name.split("/")[:-1])
