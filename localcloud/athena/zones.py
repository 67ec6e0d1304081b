"""Moments in a time zone other than UTC: DuckDB knows the moment only, so the zone is followed in the query's text.

What reads a local clock (`hour`, `CAST … AS date`) is given local time; what compares is given the moment; a column of
the outermost SELECT is shown in its zone. Anywhere else the zone would be lost, and the query is refused.
"""

import re
from collections.abc import Mapping
from zoneinfo import available_timezones

from sqlglot import exp

from localcloud.athena.failures import QueryFailure

ZONED_TEXT = re.compile(r"\d(?:(?P<utc>Z)| ?(?P<offset>[+-]\d\d(?::?\d\d)?)| (?P<name>[A-Za-z][\w/+-]*))$")
MOMENTS = frozenset({exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ})
_UTC = frozenset({"UTC", "GMT", "Z", "ETC/UTC", "ETC/GMT", "UCT", "ZULU", "+00:00", "-00:00", "+00"})
_FIRST = frozenset(
    ["year", "quarter", "month", "week", "week_of_year", "day", "day_of_month", "day_of_week", "dow", "day_of_year"]
    + [
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
        "millisecond",
        "date",
        "date_format",
        "format_datetime",
    ]
    + ["last_day_of_month"]
)
_TIMES = frozenset({exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATE})
_TEXTS = frozenset({exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT})
_COMPARING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Group, exp.Ordered)


def zone_of(node: exp.Expr) -> str | None:
    """Return the zone that a moment is in by the query's text, when that is another than UTC."""
    node = node.unnest()
    if isinstance(node, exp.AtTimeZone):
        return _named(node.args["zone"])
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
    if name in {"at_timezone", "with_timezone"} and len(node.expressions) == 2:
        return _named(node.expressions[1])
    if name == "date_trunc" and len(node.expressions) == 2:
        return zone_of(node.expressions[1])
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.to.this in MOMENTS:
        found = ZONED_TEXT.search(node.this.name)
        text = (found["offset"] or found["name"] or "UTC") if found else "UTC"
        return None if text.upper() in _UTC else text
    return None


def _named(zone: exp.Expr) -> str | None:
    if not isinstance(zone, exp.Literal):
        raise QueryFailure("NOT_SUPPORTED", f"a time zone must be a literal for this engine; got {zone.sql('trino')}")
    return None if zone.name.upper() in _UTC else str(zone.name)


def duckdb_zone(zone: str) -> str:
    """Return DuckDB's name of a zone; raise for one that there is not."""
    offset = re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", zone)
    if offset:
        if offset[3] not in {None, "00"} or int(offset[2]) > 12:
            raise QueryFailure(
                "NOT_SUPPORTED", f"the offset {zone} is not supported by this engine: not in whole hours"
            )
        return f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
    if zone not in available_timezones():
        raise QueryFailure("INVALID_FUNCTION_ARGUMENT", f"'{zone}' is not a valid time zone")
    return zone


def role_of(node: exp.Expr) -> str:
    """Return what a zoned moment is used as: `local`, `text`, `moment`, `column`, or `other` where its zone is lost."""
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    parent = node.parent
    if isinstance(parent, exp.Cast):
        return "local" if parent.to.this in _TIMES else "text" if parent.to.this in _TEXTS else "moment"
    if isinstance(parent, exp.Extract):
        return "local"
    if isinstance(parent, exp.Anonymous):
        return _role_in_call(str(parent.this).lower(), node, parent)
    if isinstance(parent, (*_COMPARING, exp.AtTimeZone)) or (parent is None):
        return "moment"
    projection = parent if isinstance(parent, exp.Alias) else node
    select = projection.parent
    outermost = isinstance(select, exp.Select) and select.parent is None
    return "column" if outermost and projection.arg_key == "expressions" else "other"


def _role_in_call(name: str, node: exp.Expr, call: exp.Anonymous) -> str:
    place = next(index for index, argument in enumerate(call.expressions) if argument is node)
    if (name in _FIRST and place == 0) or (name == "date_trunc" and place == 1):
        return "local"
    return "moment" if name in {"to_unixtime", "at_timezone", "count"} else "other"


def zones_of(expression: exp.Expr) -> Mapping[int, str]:
    """Return the zones that a query's columns are shown in, by position."""
    if not isinstance(expression, exp.Select):
        return {}
    found = {place: zone_of(column.unalias()) for place, column in enumerate(expression.expressions)}
    return {place: zone for place, zone in found.items() if zone is not None}
