"""A lake in a folder: what `glue_streaming.storage.Storage` does, without S3; it can break down at a chosen call."""

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from catalog.tables import Table
from glue_streaming.storage import MANIFESTS, Storage


class Crash(Exception):
    """Stands for the end of the process."""


class FolderLake:
    """`crash_at`: the number of the writing call, from 1, before which the lake breaks down; `watch` sees each call."""

    def __init__(self, root: Path, crash_at: int = 0, watch: Callable[[], None] = lambda: None) -> None:
        self.root = root
        self.partitions: dict[tuple[str, tuple[str, ...]], str] = {}
        self.crash_at = crash_at
        self.calls = 0
        self.watch = watch
        self.before_manifest_read: Callable[[], object] = lambda: None
        self._is_down = False
        self._lock = threading.Lock()
        self._disk = Storage(None, None, "lake", "app_logs_db")

    def list_files(self, folder: str) -> list[str]:
        return self._disk.list_files(folder)

    def publish(self, folder: str, keys: Mapping[str, str]) -> None:
        for name, key in keys.items():
            self._step()
            self._path(key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(folder.removeprefix("file://")) / name, self._path(key))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._step()
            self._path(key).unlink(missing_ok=True)

    def folders(self, table: Table, partitions: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
        return {values: folder for values, folder in self.all_folders(table).items() if values in partitions}

    def all_folders(self, table: Table) -> dict[tuple[str, ...], str]:
        return {values: folder for (name, values), folder in self.partitions.items() if name == table.name}

    def register(self, table: Table, partitions: Mapping[tuple[str, ...], str]) -> None:
        self._step()
        self.partitions = {**{(table.name, values): folder for values, folder in partitions.items()}, **self.partitions}

    def move(self, table: Table, values: tuple[str, ...], folder: str) -> None:
        self._step()
        self.partitions[table.name, values] = folder

    def list_sizes(self, prefix: str) -> dict[str, int]:
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        sizes = {path.relative_to(self.root).as_posix(): path.stat().st_size for path in paths}
        return {key: size for key, size in sorted(sizes.items()) if key.startswith(prefix)}

    def fetch(self, keys: Sequence[str], folder: str) -> list[str]:
        return [f"file://{self._path(key)}" for key in keys]

    def read_json(self, key: str) -> dict[str, Any] | None:
        if key.startswith(f"{MANIFESTS}batch-"):
            self.before_manifest_read()
        path = self._path(key)
        return json.loads(path.read_text()) if path.exists() else None

    def write_json(self, key: str, document: Mapping[str, Any]) -> None:
        self._step()
        self._path(key).parent.mkdir(parents=True, exist_ok=True)
        self._path(key).write_text(json.dumps(document))

    def list_manifests(self) -> list[str]:
        return sorted(f"{MANIFESTS}{path.name}" for path in self._path(MANIFESTS).glob("batch-*.json"))

    def rows(self, table: Table, columns: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
        """Return what Athena would see: the files at the locations of the partitions registered now."""
        folders = self.all_folders(table) if table.partition_keys else {(): table.prefix}
        sources = [
            f"SELECT *{self._values(table, values)} FROM read_parquet('{self.root}/{folder}*.parquet', "
            "union_by_name=true, hive_partitioning=false)"
            for values, folder in folders.items()
            if list((self.root / folder).glob("*.parquet"))
        ]
        if not sources:
            return []
        with duckdb.connect() as connection:
            return connection.sql(
                f"SELECT {columns} FROM ({' UNION ALL BY NAME '.join(sources)}) WHERE {where}"
            ).fetchall()

    @staticmethod
    def _values(table: Table, values: tuple[str, ...]) -> str:
        return "".join(f", '{value}' AS {key}" for key, value in zip(table.partition_keys, values, strict=True))

    def all_keys(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.parquet"))

    def _path(self, key: str) -> Path:
        return self.root / key

    def restart(self) -> None:
        """Let it work again: after a crash nothing does, whatever thread asks."""
        self.crash_at, self._is_down = 0, False

    def _step(self) -> None:
        with self._lock:
            self.watch()
            self.calls += 1
            self._is_down = self._is_down or self.calls == self.crash_at
            if self._is_down:
                raise Crash
