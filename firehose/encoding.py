"""JSON and base64: by orjson and pybase64 where they are installed, else by the standard library, equally strict."""

import binascii
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

try:
    import orjson
except ImportError:  # the Lambda zip may hold nothing but our own code
    orjson = None  # type: ignore[assignment, unused-ignore]
try:
    import pybase64
except ImportError:
    pybase64 = None  # type: ignore[assignment, unused-ignore]


def decode_plainly(data: bytes) -> Any:
    """Do what `decode` does by the standard library alone."""
    return json.loads(data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, parse_int=_whole)


def encode_plainly(value: Any) -> bytes:
    """Do what `encode` does by the standard library alone."""
    return _ENCODER.encode(value).encode("utf-8")


def unwrap_plainly(text: str) -> bytes:
    """Do what `unwrap` does by the standard library alone."""
    return binascii.a2b_base64(text, strict_mode=True)


def wrap_plainly(data: bytes) -> str:
    """Do what `wrap` does by the standard library alone."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

# Chosen once, here: a choice at every call costs as much as base64 itself.
decode: Callable[[bytes], Any] = orjson.loads if orjson else decode_plainly
"""Returns what the bytes hold; raises `ValueError` unless that is one JSON value in UTF-8, without NaN or Infinity."""
encode: Callable[[Any], bytes] = orjson.dumps if orjson else encode_plainly
"""Returns a value as compact JSON in UTF-8."""
unwrap: Callable[[str], bytes] = partial(pybase64.b64decode, validate=True) if pybase64 else unwrap_plainly
"""Returns what a base64 text holds; raises `ValueError` if it is none."""
wrap: Callable[[bytes], str] = pybase64.b64encode_as_string if pybase64 else wrap_plainly
"""Returns bytes as base64 text."""
