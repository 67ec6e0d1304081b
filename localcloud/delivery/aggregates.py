"""Records that hold several, opened: JSON objects one after another, and delimited texts.

KPL's aggregates are opened by `catalog.kpl`.
"""

import json
from collections.abc import Iterator

MAX_SUB_RECORDS = 500
"""Records that AWS takes out of one record by RecordDeAggregation; one with more is passed on whole."""

_DECODER = json.JSONDecoder()


def open_json(data: bytes) -> list[bytes]:
    """Return the JSON objects that stand in `data` one after another; `data` itself if there is anything else."""
    try:
        texts = list(_objects(data.decode()))
    except ValueError:
        return [data]
    return texts if 1 <= len(texts) <= MAX_SUB_RECORDS else [data]


def open_delimited(data: bytes, delimiter: bytes) -> list[bytes]:
    """Return the non-empty pieces of `data` between delimiters."""
    pieces = [piece for piece in data.split(delimiter) if piece]
    return pieces if 1 <= len(pieces) <= MAX_SUB_RECORDS else [data]


def _objects(text: str) -> Iterator[bytes]:
    position = _skip_space(text, 0)
    while position < len(text):
        if text[position] != "{":
            raise ValueError("not an object")
        _, end = _DECODER.raw_decode(text, position)
        yield text[position:end].encode()
        position = _skip_space(text, end)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position
