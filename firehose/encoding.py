"""JSON and base64: by orjson and pybase64 where they are installed, else by the standard library, equally strict."""

import binascii
import json
from typing import Any

try:
    import orjson
except ImportError:  # the Lambda zip holds nothing but our own code
    orjson = None  # type: ignore[assignment, unused-ignore]
try:
    import pybase64
except ImportError:
    pybase64 = None  # type: ignore[assignment, unused-ignore]


def decode(data: bytes) -> Any:
    """Return what `data` holds; raise `ValueError` unless it is one JSON value in UTF-8, without NaN or Infinity."""
    if orjson is not None:
        return orjson.loads(data)
    return json.loads(data.decode("utf-8"), parse_constant=_refuse)


def encode(value: Any) -> bytes:
    """Return `value` as compact JSON in UTF-8."""
    if orjson is not None:
        return orjson.dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def unwrap(text: str) -> bytes:
    """Return what a base64 text holds; raise `ValueError` if it is none."""
    if pybase64 is not None:
        return bytes(pybase64.b64decode(text, validate=True))
    return binascii.a2b_base64(text, strict_mode=True)


def wrap(data: bytes) -> str:
    """Return `data` as base64 text."""
    if pybase64 is not None:
        return str(pybase64.b64encode_as_string(data))
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")
