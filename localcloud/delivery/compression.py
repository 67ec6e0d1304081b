"""Objects' bodies: a buffer's bytes, compressed as the delivery stream says, the same bytes every time."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CHUNK_BYTES = 1024 * 1024
GZIP_LEVEL = 6


def compress(source: Path, length: int, compression: str, target: IO[bytes], name: str) -> None:
    """Write the first `length` bytes of `source` to `target`; `name` is the entry's in a ZIP."""
    if compression == "ZIP":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(_entry(name), "w") as entry:
            for chunk in _chunks(source, length):
                entry.write(chunk)
    elif compression == "GZIP":
        compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)  # 31: with a gzip header, whose time is zero
        for chunk in _chunks(source, length):
            target.write(compressor.compress(chunk))
        target.write(compressor.flush())
    else:
        for chunk in _chunks(source, length):
            target.write(chunk)


def _chunks(source: Path, length: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name.removesuffix(".zip"))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
