"""OpenTelemetry's logs in JSON, as the collector's file exporter writes them: one line holds many events.

Format: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, and its `ExportLogsServiceRequest`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

ENVELOPE = "resourceLogs"
_INTEGER = re.compile("-?[0-9]{1,19}")
_MOMENTS = ("timeUnixNano", "observedTimeUnixNano")


def log_records(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of each log record: its own, its attributes, and those of its resource and scope."""
    for resource_logs in _objects(line.get(ENVELOPE)):
        resource = _attributes(resource_logs.get("resource"))
        for scope_logs in _objects(resource_logs.get("scopeLogs")):
            scope = scope_logs.get("scope")
            outer = {**resource, "logger": scope.get("name")} if isinstance(scope, dict) else resource
            for record in _objects(scope_logs.get("logRecords")):
                yield _fields(record, outer)


def _fields(record: Mapping[str, Any], outer: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in record.items() if name not in ("attributes", "body")}
    for name in _MOMENTS:
        if own.get(name) in ("0", 0, ""):  # protobuf's way to say that nobody knows
            del own[name]
    return {**outer, **_attributes(record), **own, "body": _value(record.get("body"))}


def _attributes(holder: Any) -> dict[str, Any]:
    entries = _objects(holder.get("attributes")) if isinstance(holder, dict) else ()
    return {str(entry.get("key")): _value(entry.get("value")) for entry in entries}


def _value(wrapped: Any) -> Any:
    """Return what an `AnyValue` holds."""
    if not isinstance(wrapped, dict) or len(wrapped) != 1:
        return None
    kind, value = next(iter(wrapped.items()))
    if kind == "intValue" and isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if kind == "arrayValue" and isinstance(value, dict):
        return [_value(entry) for entry in _objects(value.get("values"))]
    if kind == "kvlistValue" and isinstance(value, dict):
        return {str(entry.get("key")): _value(entry.get("value")) for entry in _objects(value.get("values"))}
    return value


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())
