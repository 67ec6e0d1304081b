"""Which field of a line is which column of an event, from YAML; every error names file, line and field.

read_as: json                                # auto (the usual), json, access or csv
service: checkout                            # of lines that name none
fields:
  timestamp: {from: ts, unit: ms}            # s, ms, or format: a strptime format; any known form by default
  level: {from: severity, map: {30: INFO}}
  message: msg
  status_code: http.response.status_code     # dots lead into objects
  environment: {constant: staging}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from catalog.schema import EVENT_COLUMNS
from producer.own_schema.located import Node, read_located
from producer.shipping.known_names import decimal, whole
from producer.shipping.levels import level_of
from producer.shipping.moments import in_utc, timestamp_of
from producer.shipping.unparsable import Unparsable

FORMATS = ("auto", "json", "access", "csv")
_COLUMNS = {column.name: column for column in EVENT_COLUMNS}
_OPTIONS = ("from", "constant", "map", "otherwise", "unit", "format")
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a column's value comes from. `path` are the keys that lead to it; `values` translates it."""

    column: str
    name: str = ""
    constant: Any = None
    values: Mapping[str, Any] | None = None
    otherwise: Any = _NOTHING
    unit: str = ""
    form: str = ""

    def value(self, fields: Mapping[str, Any], zone: tzinfo) -> Any:
        """Return the column's value; raise `Unparsable` when what stands there is not what it must be."""
        if not self.name:
            return self.constant
        found = _lookup(fields, self.name)
        if self.values is not None:
            found = self.values.get(_key(found), found if self.otherwise is _NOTHING else self.otherwise)
        if self.column == "timestamp" and found is not None:
            return self._moment(found, zone)
        return found

    def _moment(self, found: Any, zone: tzinfo) -> str:
        if not self.unit and not self.form:
            return timestamp_of(found, zone)
        try:
            if self.unit:
                moment = datetime.fromtimestamp(float(found) / (1000 if self.unit == "ms" else 1), UTC)
            else:
                moment = datetime.strptime(found, self.form)
        except (TypeError, ValueError, OverflowError, OSError):
            wanted = {"s": "epoch seconds", "ms": "epoch milliseconds"}.get(self.unit, self.form)
            raise Unparsable(f"`timestamp` must be {wanted}; got {found!r}") from None
        return in_utc(moment, zone)


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """How lines are read, and what of them is what."""

    read_as: str = "auto"
    service: str | None = None
    rules: tuple[Rule, ...] = ()
    taken: frozenset[str] = frozenset()

    def columns(self, fields: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
        """Return the columns that have a rule; raise `Unparsable` for a value that does not fit."""
        return {rule.column: _fitting(rule.column, rule.value(fields, zone)) for rule in self.rules}


def _fitting(column: str, value: Any) -> Any:
    """Return a value as its column's type, where a text says the same."""
    if value is None or _COLUMNS[column].type == "string":
        return (level_of(value) or value) if column == "level" else value
    if not isinstance(value, str):
        return value
    kind = _COLUMNS[column].type
    number = decimal(value) if kind == "double" else whole(value)
    if number is None:
        raise Unparsable(f"`{column}` must be {kind}; got {value!r}")
    return number


def read_mapping(path: Path) -> FieldMapping:
    """Return the mapping in a YAML file; raise `UsageError` that names file, line and field of what is wrong."""
    root = read_located(path, "--mapping")
    parts = dict(root.items("a mapping"))
    for name, node in parts.items():
        if name not in ("read_as", "service", "fields"):
            node.fail(f"a mapping has `read_as`, `service` and `fields`; got {name!r}")
    read_as = parts["read_as"].value if "read_as" in parts else "auto"
    if read_as not in FORMATS:
        parts["read_as"].fail(f"`read_as` must be one of {', '.join(FORMATS)}; got {read_as!r}")
    service = parts["service"].value if "service" in parts else None
    if service is not None and not isinstance(service, str):
        parts["service"].fail(f"`service` must be a text; got {service!r}")
    rules = tuple(_rule(name, node) for name, node in parts["fields"].items("`fields`")) if "fields" in parts else ()
    return FieldMapping(read_as, service, rules, frozenset(rule.name for rule in rules))


def _rule(column: str, node: Node) -> Rule:
    where = f"field `{column}`"
    if column not in _COLUMNS:
        node.fail(f"{where}: must be a column of the events: {', '.join(_COLUMNS)}")
    if isinstance(node.value, str):
        return Rule(column, node.value)
    options = dict(node.items(where))
    for name, option in options.items():
        if name not in _OPTIONS:
            option.fail(f"{where}: may have {', '.join(_OPTIONS)}; got {name!r}")
    if ("from" in options) == ("constant" in options):
        node.fail(f"{where}: must have either `from` or `constant`")
    if "constant" in options:
        return Rule(column, constant=options["constant"].value)
    return _taken_from(column, where, options)


def _taken_from(column: str, where: str, options: Mapping[str, Node]) -> Rule:
    values = {name: option.value for name, option in options.items()}
    if not isinstance(values["from"], str) or not values["from"]:
        options["from"].fail(f"{where}: `from` must name a field of the lines; got {values['from']!r}")
    for name in ("unit", "format"):
        if name in options and column != "timestamp":
            options[name].fail(f"{where}: only `timestamp` may have `{name}`")
    if values.get("unit", "s") not in ("s", "ms"):
        options["unit"].fail(f"{where}: `unit` must be s or ms; got {values['unit']!r}")
    if not isinstance(values.get("map", {}), dict):
        options["map"].fail(f"{where}: `map` must be a mapping of values; got {values['map']!r}")
    translated = {_key(key): value for key, value in values["map"].items()} if "map" in values else None
    return Rule(
        column,
        values["from"],
        values=translated,
        otherwise=values.get("otherwise", _NOTHING),
        unit=values.get("unit", ""),
        form=str(values.get("format", "")),
    )


def _lookup(fields: Mapping[str, Any], name: str) -> Any:
    """Return what stands under a name, else what its dots lead to; None when there is nothing."""
    if name in fields:
        return fields[name]
    found: Any = fields
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
