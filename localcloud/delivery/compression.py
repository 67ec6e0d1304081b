"""Objects' bodies: a buffer's bytes, compressed as the delivery stream says, the same bytes every time.

`Snappy` is the framing format (google/snappy, framing_format.txt). `HADOOP_SNAPPY` is Hadoop's BlockCompressorStream:
blocks of at most 256 KiB, each as its length, the length of its one chunk, both big-endian, and the chunk itself.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CHUNK_BYTES = 1024 * 1024
HADOOP_BLOCK_BYTES = 256 * 1024
GZIP_LEVEL = 4
"""Objects a tenth larger than by zlib's own default, in two thirds of its time."""

_HADOOP_HEAD = struct.Struct(">II")


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
    elif compression == "Snappy":
        _frame_snappy(_chunks(source, length), target)
    elif compression == "HADOOP_SNAPPY":
        _block_snappy(_chunks(source, length, HADOOP_BLOCK_BYTES), target)
    else:
        for chunk in _chunks(source, length):
            target.write(chunk)


def _frame_snappy(chunks: Iterator[bytes], target: IO[bytes]) -> None:
    import cramjam

    compressor = cramjam.snappy.Compressor()
    for chunk in chunks:
        compressor.compress(chunk)
        target.write(bytes(compressor.flush()))
    target.write(bytes(compressor.finish()))


def _block_snappy(chunks: Iterator[bytes], target: IO[bytes]) -> None:
    import cramjam

    for chunk in chunks:
        packed = bytes(cramjam.snappy.compress_raw(chunk))
        target.write(_HADOOP_HEAD.pack(len(chunk), len(packed)) + packed)


def _chunks(source: Path, length: int, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    with source.open("rb") as file:
        while length > 0 and (chunk := file.read(min(chunk_bytes, length))):
            length -= len(chunk)
            yield chunk


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name.removesuffix(".zip"))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
