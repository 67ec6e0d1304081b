"""JSON in and out: orjson where it is installed, else the standard library with the same strictness."""

import json
from typing import Any

try:
    import orjson
except ImportError:  # the Lambda zip holds nothing but our own code
    orjson = None  # type: ignore[assignment, unused-ignore]


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


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")
