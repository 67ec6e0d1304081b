"""Frames of an append log: each says its length and its checksum, so that a torn end is known for what it is.

A frame is `F7 4C`, the payload's length and a CRC32 of length and payload (both 32 bits, big-endian), then the payload.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct(">2sII")
_MARK = b"\xf7L"
HEADER_BYTES = _HEADER.size


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame: its payload, and where in the file it ends."""

    payload: bytes
    end: int


class DamagedFrame(Exception):
    """What stands at `offset` was a frame once: something changed it after it was written."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"a damaged frame at byte {offset}")
        self.offset = offset


def encode_frame(payload: bytes) -> bytes:
    """Return the frame of a payload."""
    return _HEADER.pack(_MARK, len(payload), _checksum(payload)) + payload


def whole_frames(data: bytes, base: int = 0) -> Iterator[Frame]:
    """Yield the frames in `data`, which starts at byte `base` of its file, up to a torn end.

    An append that was cut short leaves a shorter frame or zeros at the very end, which count for nothing. Anything else
    that is no frame raises `DamagedFrame`.
    """
    position = 0
    while position < len(data):
        rest = len(data) - position
        if rest < HEADER_BYTES or not any(data[position:]):
            return
        mark, length, checksum = _HEADER.unpack_from(data, position)
        end = position + HEADER_BYTES + length
        if mark != _MARK:
            raise DamagedFrame(base + position)
        if end > len(data):
            return
        payload = data[position + HEADER_BYTES : end]
        if _checksum(payload) != checksum:
            if end == len(data):
                return
            raise DamagedFrame(base + position)
        yield Frame(payload, base + end)
        position = end


def _checksum(payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(len(payload).to_bytes(4, "big")))
