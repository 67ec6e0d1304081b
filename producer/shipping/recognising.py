"""From the fields of a line to the columns of an event, by the names that `known_names` lists.

What is not known stays as it is. A field that was only called otherwise is left out under its old name; one that had to
be converted, and may have said more, stays beside the column.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from catalog.schema import EVENT_COLUMNS, LEVELS, PYTHON_TYPES
from producer.shipping.known_names import KNOWN, NAMES, PARENTS
from producer.shipping.levels import level_of_status, level_said
from producer.shipping.moments import WANTED, timestamp_of
from producer.shipping.unparsable import Unparsable

Fields = Mapping[str, Any]
_ROUTES = ("endpoint", "route", "http.route")
_ROUTINE = "INFO"
_PLAIN = {column.name: PYTHON_TYPES[column.type][-1] for column in EVENT_COLUMNS}
"""Column -> the type its value has in an event."""


def recognised(fields: Fields, zone: tzinfo, ruled: Collection[str] = ()) -> dict[str, Any]:
    """Return the columns that the fields are, then the other fields.

    `ruled` columns are left to their rules. Raises `Unparsable` when there is no moment, or a level that is none.
    """
    best: dict[str, tuple[int, str, Any]] = {}
    rest = []
    for name, value in fields.items():
        if type(value) is _PLAIN.get(name) and (
            name != "level" or value in LEVELS
        ):  # our own form: no more to find out
            best[name] = (0, name, value)
            continue
        rest.append(name)
        if value is not None and (name in KNOWN or name in PARENTS):
            for inner, found in _named(name, value):
                _offer(best, inner, found, ruled)
    if "endpoint" in best and "http_method" not in best and best["endpoint"][1] not in _ROUTES:
        del best["endpoint"]  # a path, but of no request
    event = {column: value for column, (_, _, value) in best.items()}
    _complete(event, fields, zone, ruled)
    if rest:
        renamed = {name for column, (_, name, value) in best.items() if _is_same(column, value, fields.get(name))}
        for name in rest:
            if name not in renamed:
                _keep(event, name, fields[name])
    return event


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what has a known name: the value itself, and those inside it when it is an object."""
    if name in KNOWN:
        yield name, value
    if isinstance(value, dict):
        for inner, path in PARENTS.get(name, ()):
            found = _inside(value, path)
            if found is not None:
                yield inner, found


def _inside(value: Any, path: tuple[str, ...]) -> Any:
    for depth, key in enumerate(path):
        if not isinstance(value, dict):
            return None
        rest = ".".join(path[depth:])
        if rest in value:
            return value[rest]
        value = value.get(key)
    return value


def _offer(best: dict[str, tuple[int, str, Any]], name: str, value: Any, ruled: Collection[str]) -> None:
    for known in KNOWN[name]:
        held = best.get(known.column)
        if known.column not in ruled and (held is None or known.rank < held[0]):
            read = known.read(value)
            if read is not None:
                best[known.column] = (known.rank, name, read)


def _complete(event: dict[str, Any], fields: Fields, zone: tzinfo, ruled: Collection[str]) -> None:
    """Bring the moment into its form, and say the level and the message of a line that has neither by name."""
    if "timestamp" in event:
        event["timestamp"] = timestamp_of(event["timestamp"], zone)
    elif "timestamp" not in ruled:
        raise Unparsable(f"`timestamp` must be {WANTED}; got nothing, among {_names(fields)}")
    if "message" not in event and ("http_method" in event or "status_code" in event):
        parts = (event.get(column) for column in ("http_method", "endpoint", "status_code"))
        event["message"] = " ".join(str(part) for part in parts if part is not None)
    if "level" not in event and "level" not in ruled:
        event["level"] = _unnamed_level(event, fields)


def _unnamed_level(event: Fields, fields: Fields) -> str:
    given = (found for name, value in fields.items() if value is not None for found in _named(name, value))
    for name, value in given:
        if value != "" and any(known.column == "level" for known in KNOWN[name]):
            raise Unparsable(f"`{name}` must be one of {', '.join(LEVELS)}, or another name of one; got {value!r}")
    if "status_code" in event:
        return level_of_status(event["status_code"])
    return level_said(event.get("message", "")) or _ROUTINE


def _keep(event: dict[str, Any], name: str, value: Any) -> None:
    """Add a field that is no column; what stands under a column's name and is something else gets `_raw`."""
    if name not in NAMES or value is None:
        event.setdefault(name, value)
    else:
        event[f"{name}_raw"] = value


def _is_same(column: str, value: Any, told: Any) -> bool:
    """Return whether a column says all that the line said."""
    return value is told or column == "timestamp" or bool(value == told) or str(value) == told


def _names(fields: Fields) -> str:
    names = [repr(name) for name in list(fields)[:8]]
    return ", ".join(names) + (", …" if len(fields) > len(names) else "")
