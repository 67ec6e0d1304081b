"""The one module of this stage that talks to AWS: publishes a batch's files to the lake and registers partitions.

A file is published by one PUT or one copy, so a reader sees it whole or not at all, and a batch that is replayed puts
the same keys again. What a batch has published is written down in its manifest, `manifests/batch-<id>.json`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from catalog.errors import LoglakeError
from catalog.tables import Table

MANIFESTS = "manifests/"
EPOCHS = "manifests/epochs/"
REPORTS = "manifests/reports/"
THREADS = 8
SUFFIXES = (".parquet", ".csv.gz")
MAX_DELETES = 1000
"""Keys of one DeleteObjects call."""
MAX_PARTITIONS = 100
"""Partitions of one BatchCreatePartition call."""
MAX_PARTITIONS_READ = 1000
"""Partitions of one BatchGetPartition call."""


def connect(lake_bucket: str, database: str) -> "Storage":
    """Return the lake's storage, with clients of boto3's own settings."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 8}, max_pool_connections=THREADS)
    return Storage(boto3.client("s3", config=config), boto3.client("glue", config=config), lake_bucket, database)


class Storage:
    """The lake as the job writes it. Every method may be called again with the same arguments to the same effect."""

    def __init__(self, s3: Any, glue: Any, lake_bucket: str, database: str) -> None:
        self.lake_bucket = lake_bucket
        self._s3 = s3
        self._glue = glue
        self._database = database

    def list_files(self, folder: str) -> list[str]:
        """Return the data files below a `file://` or `s3://` folder, as paths relative to it, sorted."""
        parts = urlsplit(folder)
        if parts.scheme == "s3":
            prefix = parts.path.lstrip("/")
            names = [key.removeprefix(prefix) for key in self._list(parts.netloc, prefix)]
        else:
            root = Path(unquote(parts.path))
            names = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
        return sorted(name for name in names if name.endswith(SUFFIXES) and not _is_hidden(name))

    def publish(self, folder: str, keys: Mapping[str, str]) -> None:
        """Put the files of `folder` into the lake; `keys` says which relative path goes under which key."""
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda item: self._put(folder, *item), keys.items()):
                pass

    def delete(self, keys: Iterable[str]) -> None:
        """Delete keys of the lake; those that are not there are fine."""
        doomed = sorted(keys)
        for start in range(0, len(doomed), MAX_DELETES):
            chunk = [{"Key": key} for key in doomed[start : start + MAX_DELETES]]
            answer = self._s3.delete_objects(Bucket=self.lake_bucket, Delete={"Objects": chunk, "Quiet": True})
            if answer.get("Errors"):
                raise LoglakeError(f"s3://{self.lake_bucket} must let the job delete; got {answer['Errors'][0]}")

    def folders(self, table: Table, partitions: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
        """Return where those of the partitions that are registered have their files: prefixes of the lake's keys."""
        found: dict[tuple[str, ...], str] = {}
        for start in range(0, len(partitions), MAX_PARTITIONS_READ):
            asked = [{"Values": list(values)} for values in partitions[start : start + MAX_PARTITIONS_READ]]
            answer = self._glue.batch_get_partition(
                DatabaseName=self._database, TableName=table.name, PartitionsToGet=asked
            )
            unanswered = [self._partition(table, entry["Values"]) for entry in answer.get("UnprocessedKeys", [])]
            for partition in (*answer["Partitions"], *unanswered):
                if partition:
                    found[tuple(partition["Values"])] = self._folder_of(partition)
        return found

    def all_folders(self, table: Table) -> dict[tuple[str, ...], str]:
        """Return where every registered partition of a table has its files."""
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=table.name, ExcludeColumnSchema=True
        )
        return {tuple(found["Values"]): self._folder_of(found) for page in pages for found in page["Partitions"]}

    def register(self, table: Table, partitions: Mapping[tuple[str, ...], str]) -> None:
        """Register partitions whose files exist, at the folder given; existing ones stay as they are."""
        if not partitions:
            return
        descriptor = self._descriptor(table)
        inputs = [self._input(values, folder, descriptor) for values, folder in sorted(partitions.items())]
        for start in range(0, len(inputs), MAX_PARTITIONS):
            answer = self._glue.batch_create_partition(
                DatabaseName=self._database,
                TableName=table.name,
                PartitionInputList=inputs[start : start + MAX_PARTITIONS],
            )
            _raise_unless_existing(table, answer.get("Errors", []))

    def move(self, table: Table, values: tuple[str, ...], folder: str) -> None:
        """Move a registered partition to another folder; a query sees the old place or the new one."""
        entry = {
            "PartitionValueList": list(values),
            "PartitionInput": self._input(values, folder, self._descriptor(table)),
        }
        answer = self._glue.batch_update_partition(DatabaseName=self._database, TableName=table.name, Entries=[entry])
        if answer.get("Errors"):
            raise LoglakeError(f"partition {values} of {table.name!r} must be moved; got {answer['Errors'][0]}")

    def list_sizes(self, prefix: str) -> dict[str, int]:
        """Return the keys of the lake below a prefix with their sizes in bytes."""
        return dict(self._entries(self.lake_bucket, prefix))

    def fetch(self, keys: Sequence[str], folder: str) -> list[str]:
        """Return paths under which Spark opens keys of the lake; they are copied to `folder` where it is on a disk."""
        parts = urlsplit(folder)
        if parts.scheme == "s3":
            return [f"s3://{self.lake_bucket}/{key}" for key in keys]
        root = Path(unquote(parts.path))
        root.mkdir(parents=True, exist_ok=True)
        names = [f"{number:06d}.parquet" for number in range(len(keys))]
        with ThreadPoolExecutor(THREADS) as pool:
            pairs = zip(keys, names, strict=True)
            for _ in pool.map(
                lambda pair: self._s3.download_file(self.lake_bucket, pair[0], str(root / pair[1])), pairs
            ):
                pass
        return [folder + name for name in names]

    def read_json(self, key: str) -> dict[str, Any] | None:
        """Return a JSON object of the lake, or None if there is none."""
        try:
            body = self._s3.get_object(Bucket=self.lake_bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        document: dict[str, Any] = json.loads(body)
        return document

    def write_json(self, key: str, document: Mapping[str, Any]) -> None:
        """Write a JSON object to the lake, whole or not at all."""
        body = json.dumps(document, separators=(",", ":")).encode()
        self._s3.put_object(Bucket=self.lake_bucket, Key=key, Body=body, ContentType="application/json")

    def list_manifests(self) -> list[str]:
        """Return the keys of all batches' manifests, oldest first."""
        return sorted(self._list(self.lake_bucket, MANIFESTS + "batch-"))

    def _put(self, folder: str, name: str, key: str) -> None:
        parts = urlsplit(folder)
        if parts.scheme == "s3":
            source = {"Bucket": parts.netloc, "Key": parts.path.lstrip("/") + name}
            self._s3.copy(source, self.lake_bucket, key)
        else:
            self._s3.upload_file(str(Path(unquote(parts.path)) / name), self.lake_bucket, key)

    def _list(self, bucket: str, prefix: str) -> list[str]:
        return [key for key, _ in self._entries(bucket, prefix)]

    def _entries(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return ((entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", []))

    def _descriptor(self, table: Table) -> Mapping[str, Any]:
        found = self._glue.get_table(DatabaseName=self._database, Name=table.name)
        descriptor: Mapping[str, Any] = found["Table"]["StorageDescriptor"]
        return descriptor

    def _input(self, values: tuple[str, ...], folder: str, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        location = f"s3://{self.lake_bucket}/{folder}"
        return {"Values": list(values), "StorageDescriptor": {**descriptor, "Location": location}}

    def _partition(self, table: Table, values: Sequence[str]) -> Mapping[str, Any] | None:
        """Return a partition that a batch call left unanswered, which it does for those that do not exist too."""
        try:
            found = self._glue.get_partition(
                DatabaseName=self._database, TableName=table.name, PartitionValues=list(values)
            )
        except self._glue.exceptions.EntityNotFoundException:
            return None
        partition: Mapping[str, Any] = found["Partition"]
        return partition

    def _folder_of(self, partition: Mapping[str, Any]) -> str:
        location = str(partition["StorageDescriptor"]["Location"])
        root = f"s3://{self.lake_bucket}/"
        if not location.startswith(root):
            raise LoglakeError(f"a partition must lie in {root}; got {location!r}")
        return location.removeprefix(root).rstrip("/") + "/"


def manifest_key(batch_id: int) -> str:
    """Return the key of a batch's manifest; keys sort as batch ids do."""
    return f"{MANIFESTS}batch-{batch_id:08d}.json"


def batch_of(key: str) -> int:
    """Return the batch whose manifest has that key."""
    return int(key.removeprefix(f"{MANIFESTS}batch-").removesuffix(".json"))


def _raise_unless_existing(table: Table, errors: Sequence[Mapping[str, Any]]) -> None:
    for error in errors:
        if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
            raise LoglakeError(
                f"partition {error['PartitionValues']} of {table.name!r} must be registered; got {error['ErrorDetail']}"
            )


def _is_hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))
