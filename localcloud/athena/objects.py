"""The objects under a table's locations, and the footers of the Parquet ones."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import Memory

FOOTERS_KEPT = 20_000
_TAIL_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class DataObject:
    """One object of a table."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file says of itself: compressed bytes per top-level column, lower case."""

    column_bytes: dict[str, int]


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` URI (or Hadoop's `s3a://`)."""
    parts = urlsplit(uri)
    if parts.scheme not in {"s3", "s3a", "s3n"} or not parts.netloc:
        raise QueryFailure("HIVE_METASTORE_ERROR", f"a location must be an s3:// URI; got {uri!r}")
    return parts.netloc, uri.split("://", 1)[1][len(parts.netloc) + 1 :]


def is_data(key: str) -> bool:
    """Tell whether Athena reads the object: hidden ones (`_SUCCESS`, `.part`) and folder markers it does not."""
    name = key.rpartition("/")[2]
    return bool(name) and not name.startswith(("_", "."))


class ObjectStore:
    """Lists objects and reads Parquet footers; a footer is remembered as long as the object's ETag."""

    def __init__(self, s3: Callable[[], Any], memory: Memory) -> None:
        self._s3 = s3
        self.memory = memory
        self._footers: OrderedDict[tuple[str, str, str], Footer] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="athena-list")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def under(self, locations: Sequence[str]) -> list[list[DataObject]]:
        """Return the data objects under each location, sorted by key; a location with none has an empty list."""
        if len(locations) == 1:
            return [self._list(locations[0])]
        return list(self._pool.map(self._list, locations))

    def _list(self, location: str) -> list[DataObject]:
        return self.memory.get(("objects", location), lambda: self._listed(location))

    def _listed(self, location: str) -> list[DataObject]:
        bucket, prefix = split_uri(location)
        folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        return [
            DataObject(bucket, found["Key"], found["Size"], found["ETag"])
            for page in pages
            for found in page.get("Contents", [])
            if found["Size"] > 0 and is_data(found["Key"])
        ]

    def footers(self, objects: Iterable[DataObject]) -> list[Footer]:
        """Return the footer of each Parquet object."""
        return list(self._pool.map(self._footer, objects))

    def _footer(self, found: DataObject) -> Footer:
        name = (found.bucket, found.key, found.etag)
        with self._lock:
            if name in self._footers:
                self._footers.move_to_end(name)
                return self._footers[name]
        footer = self._read_footer(found)
        with self._lock:
            self._footers[name] = footer
            while len(self._footers) > FOOTERS_KEPT:
                self._footers.popitem(last=False)
        return footer

    def _read_footer(self, found: DataObject) -> Footer:
        import pyarrow.parquet

        tail = self._tail(found, min(found.size, _TAIL_BYTES))
        needed = int.from_bytes(tail[-8:-4], "little") + 8
        if tail[-4:] != b"PAR1":
            raise QueryFailure("HIVE_BAD_DATA", f"Not valid Parquet file: {found.uri}")
        if needed > len(tail):
            tail = self._tail(found, needed)
        metadata = pyarrow.parquet.read_metadata(io.BytesIO(b"PAR1" + tail[-needed:]))
        sizes: dict[str, int] = {}
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                column = metadata.row_group(group).column(index)
                top = column.path_in_schema.split(".")[0].lower()
                sizes[top] = sizes.get(top, 0) + column.total_compressed_size
        if not metadata.num_row_groups:
            sizes = {
                metadata.schema.column(index).path.split(".")[0].lower(): 0 for index in range(metadata.num_columns)
            }
        return Footer(sizes)

    def _tail(self, found: DataObject, length: int) -> bytes:
        answer = self._s3().get_object(
            Bucket=found.bucket, Key=found.key, Range=f"bytes={found.size - length}-{found.size - 1}"
        )
        return answer["Body"].read()  # type: ignore[no-any-return]
