"""S3 keys: prefix expressions and AWS's object names (Firehose guide, s3-prefixes and s3-object-name)."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from localcloud.delivery.java_time import format_time

QUERY = "partitionKeyFromQuery"
LAMBDA = "partitionKeyFromLambda"
TIMESTAMP = "timestamp"
FIREHOSE = "firehose"
DEFAULT_TIME = "!{timestamp:yyyy/MM/dd/HH/}"

_EXPRESSION = re.compile(r"!\{([A-Za-z]+):([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Expression:
    """One `!{namespace:value}`."""

    namespace: str
    value: str


@lru_cache(maxsize=256)
def expressions(prefix: str) -> tuple[Expression, ...]:
    """Return the expressions in a prefix, in order."""
    return tuple(Expression(*match.groups()) for match in _EXPRESSION.finditer(prefix))


def data_prefix(prefix: str, *, dynamic: bool) -> str:
    """Return the prefix with the hour folders that AWS adds when there is neither a timestamp nor partitioning."""
    if dynamic or any(expression.namespace == TIMESTAMP for expression in expressions(prefix)):
        return prefix
    return prefix + DEFAULT_TIME


def error_prefix(prefix: str, data: str) -> str:
    """Return the prefix of error objects; the one AWS uses when none was given stands below the data's own."""
    if not prefix:
        literal = _EXPRESSION.split(data)[0]
        return f"{literal}!{{firehose:error-output-type}}/{DEFAULT_TIME}"
    if expressions(prefix):
        return prefix
    return f"{prefix}!{{firehose:error-output-type}}/{DEFAULT_TIME}"


def evaluate(prefix: str, keys: Mapping[str, str], oldest_ms: int, zone: str, output_type: str = "") -> str:
    """Return the folder of an object: `keys` by `namespace:name`, times those of its oldest record's arrival."""
    moment = datetime.fromtimestamp(oldest_ms / 1000, ZoneInfo(zone))

    def value(match: re.Match[str]) -> str:
        namespace, name = match.groups()
        if namespace == TIMESTAMP:
            return format_time(name, moment)
        if namespace == FIREHOSE:
            return output_type if name == "error-output-type" else uuid.uuid4().hex[:11]
        return keys[f"{namespace}:{name}"]

    return _EXPRESSION.sub(value, prefix)


def object_name(stream: str, version: str, oldest_ms: int, zone: str, identity: str, extension: str) -> str:
    """Return an object's name: stream, version, arrival of its oldest record, and a UUID."""
    moment = datetime.fromtimestamp(oldest_ms / 1000, ZoneInfo(zone))
    return f"{stream}-{version}-{moment:%Y-%m-%d-%H-%M-%S}-{identity}{extension}"
