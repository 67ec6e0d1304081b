"""What a file of events looks like inside: JSON lines or CSV, plain or gzip."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import orjson


class FileFormat(Protocol):
    """How events become a file."""

    suffix: str
    head: bytes

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        """Return the events as they stand in the file."""
        ...


class JsonLines:
    """One event a line, as it was generated."""

    suffix = ".json"
    head = b""

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"\n".join(payloads) + b"\n"


class CsvLines:
    """One event a line under a header of the columns (RFC 4180); what is nested stands as JSON, null as nothing."""

    suffix = ".csv"

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self.head = _csv([columns])

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        events = map(orjson.loads, payloads)
        return _csv([[_cell(event.get(column)) for column in self._columns] for event in events])


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8")


def _cell(value: object) -> object:
    return orjson.dumps(value).decode("utf-8") if isinstance(value, dict | list | bool) else value


def open_packed(path: Path) -> BinaryIO:
    """Return a gzip file to write to; the same content gives the same bytes, whenever and under whatever name."""
    return cast(BinaryIO, _Packed(path))


class _Packed(gzip.GzipFile):
    """A gzip file without name and time in its header."""

    def __init__(self, path: Path) -> None:
        self._plain = path.open("wb")
        super().__init__(filename="", mode="wb", fileobj=self._plain, compresslevel=6, mtime=0)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._plain.close()
