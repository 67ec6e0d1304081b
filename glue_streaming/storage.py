"""The one module of this stage that talks to AWS: publishes a batch's files to the lake and registers partitions.

A file is published by one PUT or one copy, so a reader sees it whole or not at all, and a batch that is replayed puts
the same keys again. What a batch has published is written down in its manifest, `manifests/batch-<id>.json`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
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
MAX_DELETES = 1000
"""Keys of one DeleteObjects call."""
MAX_PARTITIONS = 100
"""Partitions of one BatchCreatePartition call."""


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
        """Return the Parquet files below a `file://` or `s3://` folder, as paths relative to it, sorted."""
        parts = urlsplit(folder)
        if parts.scheme == "s3":
            prefix = parts.path.lstrip("/")
            names = [key.removeprefix(prefix) for key in self._list(parts.netloc, prefix)]
        else:
            root = Path(unquote(parts.path))
            names = [path.relative_to(root).as_posix() for path in root.rglob("*.parquet")]
        return sorted(name for name in names if name.endswith(".parquet") and not _is_hidden(name))

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

    def register(self, table: Table, partitions: Sequence[tuple[str, ...]]) -> None:
        """Register partitions whose files exist, at their folder under the table's location; existing ones stay."""
        if not partitions:
            return
        descriptor = self._glue.get_table(DatabaseName=self._database, Name=table.name)["Table"]["StorageDescriptor"]
        inputs = [self._partition(table, values, descriptor) for values in partitions]
        for start in range(0, len(inputs), MAX_PARTITIONS):
            answer = self._glue.batch_create_partition(
                DatabaseName=self._database, TableName=table.name, PartitionInputList=inputs[start : start + 100]
            )
            _raise_unless_existing(table, answer.get("Errors", []))

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
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _partition(self, table: Table, values: tuple[str, ...], descriptor: Mapping[str, Any]) -> dict[str, Any]:
        folder = "/".join(f"{key}={value}" for key, value in zip(table.partition_keys, values, strict=True))
        location = f"s3://{self.lake_bucket}/{table.prefix}{folder}/"
        return {"Values": list(values), "StorageDescriptor": {**descriptor, "Location": location}}


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
