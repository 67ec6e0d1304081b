"""MetadataExtraction: partition keys by jq, through libjq."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from localcloud.delivery.prefixes import QUERY


class ExtractionError(Exception):
    """A record has no usable keys; the text is AWS's."""


def extract(query: str, data: bytes) -> dict[str, str]:
    """Return the keys that `query` finds in a record, as `partitionKeyFromQuery:name`; raise `ExtractionError`."""
    try:
        document = orjson.loads(data)
    except ValueError:
        raise ExtractionError("Non JSON record provided") from None
    try:
        found = _compiled(query).input_value(document).first()
    except (ValueError, StopIteration) as error:
        raise ExtractionError(f"jq: {error}") from None
    if not isinstance(found, Mapping):
        raise ExtractionError("the query must return an object")
    return {f"{QUERY}:{name}": _text(value) for name, value in found.items() if value is not None}


def check(query: str) -> str:
    """Return what is wrong with a query; empty when it compiles."""
    try:
        _compiled(query)
    except ValueError as error:
        return str(error)
    return ""


@lru_cache(maxsize=64)
def _compiled(query: str) -> Any:
    import jq

    return jq.compile(query)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
