"""The objects under a table's locations, and the footers of the Parquet ones."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from localcloud.athena.failures import ObjectGone, QueryFailure
from localcloud.athena.glue_tables import Memory
from localcloud.athena.json_scan import SAMPLED_BYTES, has_capital_keys, sample

T = TypeVar("T")
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
    """Lists objects and reads what they say of themselves, which is remembered as long as the object's ETag."""

    def __init__(self, s3: Callable[[], Any], memory: Memory) -> None:
        self._s3 = s3
        self.memory = memory
        self._footers: OrderedDict[tuple[str, str, str], Footer] = OrderedDict()
        self._capitals: OrderedDict[tuple[str, str, str], bool] = OrderedDict()
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
        return list(self._pool.map(lambda found: self._kept(self._footers, found, self._read_footer), objects))

    def have_capital_keys(self, objects: Sequence[DataObject]) -> bool:
        """Tell whether JSON objects, judged by the beginning of some of them, have keys that are not in lower case."""
        chosen = [objects[place] for place in sample(len(objects))]
        return any(list(self._pool.map(lambda found: self._kept(self._capitals, found, self._read_head), chosen)))

    def _kept(
        self, kept: OrderedDict[tuple[str, str, str], T], found: DataObject, compute: Callable[[DataObject], T]
    ) -> T:
        name = (found.bucket, found.key, found.etag)
        with self._lock:
            if name in kept:
                kept.move_to_end(name)
                return kept[name]
        value = compute(found)
        with self._lock:
            kept[name] = value
            while len(kept) > FOOTERS_KEPT:
                kept.popitem(last=False)
        return value

    def _read_head(self, found: DataObject) -> bool:
        return has_capital_keys(found.key, self._range(found, 0, min(found.size, SAMPLED_BYTES)))

    def _read_footer(self, found: DataObject) -> Footer:
        import pyarrow.parquet

        tail = self._range(found, max(0, found.size - _TAIL_BYTES), found.size)
        needed = int.from_bytes(tail[-8:-4], "little") + 8
        if tail[-4:] != b"PAR1":
            raise QueryFailure("HIVE_BAD_DATA", f"Not valid Parquet file: {found.uri}")
        if needed > len(tail):
            tail = self._range(found, found.size - needed, found.size)
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

    def _range(self, found: DataObject, start: int, stop: int) -> bytes:
        try:
            answer = self._s3().get_object(Bucket=found.bucket, Key=found.key, Range=f"bytes={start}-{stop - 1}")
        except ClientError as error:
            raise ObjectGone(found.uri) from error
        return answer["Body"].read()  # type: ignore[no-any-return]
