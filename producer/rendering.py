"""Numbers to text, a whole array at a time: hexadecimal, UUIDv7 and ISO-8601 timestamps as rows of ASCII bytes."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_HEX = np.frombuffer(b"".join(b"%02x" % value for value in range(256)), dtype=np.uint8).reshape(256, 2)
_DIGIT_PAIRS = np.frombuffer(b"".join(b"%02d" % value for value in range(100)), dtype=np.uint8).reshape(100, 2)
_DAY_MS = 86_400_000


def hex_rows(rows: Bytes) -> Bytes:
    """Return `rows` (n, k) of bytes as (n, 2k) hexadecimal digits."""
    return _HEX[rows].reshape(len(rows), -1)


def uuid7_rows(times_ms: Integers, random: Bytes) -> Bytes:
    """Return (n, 36): UUIDv7 texts (RFC 9562) of the times, with `random` (n, 10) as their random part."""
    raw = np.empty((len(times_ms), 16), dtype=np.uint8)
    raw[:, :6] = times_ms.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 2:]
    raw[:, 6:] = random
    raw[:, 6] = raw[:, 6] & 0x0F | 0x70
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = hex_rows(raw)
    text = np.full((len(times_ms), 36), ord("-"), dtype=np.uint8)
    for first, last, shift in ((0, 8, 0), (8, 12, 1), (12, 16, 2), (16, 20, 3), (20, 32, 4)):
        text[:, first + shift : last + shift] = digits[:, first:last]
    return text


def timestamp_rows(times_ms: Integers) -> Bytes:
    """Return (n, 24): `YYYY-MM-DDTHH:MM:SS.mmmZ` of each time (epoch milliseconds, UTC)."""
    days, of_day = np.divmod(times_ms, _DAY_MS)
    known, place = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(known.astype("datetime64[D]"))
    text = np.empty((len(times_ms), 24), dtype=np.uint8)
    text[:, :10] = np.array([list(date.encode("ascii")) for date in dates], dtype=np.uint8).reshape(-1, 10)[place]
    seconds, milliseconds = np.divmod(of_day, 1000)
    text[:, 11:13] = _DIGIT_PAIRS[seconds // 3600]
    text[:, 14:16] = _DIGIT_PAIRS[seconds // 60 % 60]
    text[:, 17:19] = _DIGIT_PAIRS[seconds % 60]
    text[:, 20] = milliseconds // 100 + ord("0")
    text[:, 21:23] = _DIGIT_PAIRS[milliseconds % 100]
    for place_of, character in ((10, "T"), (13, ":"), (16, ":"), (19, "."), (23, "Z")):
        text[:, place_of] = ord(character)
    return text


def texts(rows: Bytes) -> list[bytes]:
    """Return each row as one `bytes`."""
    width = rows.shape[1]
    texts_: list[bytes] = np.ascontiguousarray(rows).view(f"S{width}").ravel().tolist()
    return texts_
