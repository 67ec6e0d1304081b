"""Reads a Parquet object's schema from its footer, by ranges, in Glue's types."""

import io
from collections.abc import Callable
from typing import Any

from localcloud.crawler.glue_types import Array, GlueType, Schema, Struct

_WORDS = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "bigint",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
}


def parquet_schema(key: str, size: int, read: Callable[[str, int, int], bytes]) -> tuple[Schema, int]:
    """Return the columns, lower-cased, and the number of rows; raise `ValueError` when the footer is broken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.ParquetFile(_RangeFile(key, size, read))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"Parquet footer of {key!r} can't be read: {error}") from error
    schema = {field.name.lower(): _glue_type(field.type) for field in footer.schema_arrow}
    return schema, footer.metadata.num_rows


def _glue_type(kind: Any) -> GlueType:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return Struct({field.name: _glue_type(field.type) for field in kind})
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return Array(_glue_type(kind.value_type))
    if pa.types.is_map(kind):
        return f"map<{_text(kind.key_type)},{_text(kind.item_type)}>"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return "timestamp" if pa.types.is_timestamp(kind) else _WORDS.get(str(kind), "string")


def _text(kind: Any) -> str:
    from localcloud.crawler.glue_types import hive

    return hive(_glue_type(kind))


class _RangeFile(io.RawIOBase):
    """An object as a seekable file that reads only the ranges asked for."""

    def __init__(self, key: str, size: int, read: Callable[[str, int, int], bytes]) -> None:
        self._key = key
        self._size = size
        self._read_range = read
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, length: int | None = -1) -> bytes:
        wanted = self._size - self._position if length is None or length < 0 else length
        wanted = min(wanted, self._size - self._position)
        data = self._read_range(self._key, self._position, wanted) if wanted > 0 else b""
        self._position += len(data)
        return data
