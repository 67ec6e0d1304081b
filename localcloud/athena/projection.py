"""Partition projection: the partitions that a table's parameters spell out, without asking the catalog."""

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, Partition

MAX_PARTITIONS = 200_000

_UNITS: Mapping[str, timedelta] = {
    "seconds": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}
_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def projected_partitions(
    table: GlueTable, pinned: Mapping[str, set[str]], now: datetime | None = None
) -> Iterator[Partition]:
    """Yield the partitions that projection spells out.

    `pinned` holds, per column, the only values that the query's WHERE clause allows, where it says so by `=` or IN; an
    `injected` column has no other source of values and fails the query without them.
    """
    now = now or datetime.now(UTC)
    choices = [_values(table, column, pinned.get(column), now) for column in table.partition_keys]
    total = 1
    for values in choices:
        total *= len(values)
    if total > MAX_PARTITIONS:
        raise QueryFailure(
            "CONSTRAINT_VIOLATION", f"projection spells out more than {MAX_PARTITIONS} partitions; filter on them"
        )
    for combination in itertools.product(*choices):
        yield Partition(combination, _location(table, combination))


def _parameter(table: GlueTable, column: str, name: str, default: str | None = None) -> str:
    value = table.parameters.get(f"projection.{column}.{name}", default)
    if value is None:
        raise QueryFailure(
            "HIVE_METASTORE_ERROR",
            f"Table {table.database}.{table.name} is configured for partition projection, but the following partition "
            f"columns are missing projection configuration: [{column}]",
        )
    return value


def _values(table: GlueTable, column: str, pinned: set[str] | None, now: datetime) -> list[str]:
    kind = _parameter(table, column, "type").lower()
    if kind == "injected":
        if not pinned:
            raise QueryFailure(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
        return sorted(pinned)
    known = {"enum": _enum, "integer": _integers, "date": _dates}
    if kind not in known:
        raise QueryFailure(
            "INVALID_TABLE_PROPERTY", f"projection.{column}.type must be enum, integer, date or injected; got {kind!r}"
        )
    values = known[kind](table, column, now)
    return values if pinned is None else [value for value in values if value in pinned]


def _enum(table: GlueTable, column: str, now: datetime) -> list[str]:
    return _parameter(table, column, "values").split(",")


def _integers(table: GlueTable, column: str, now: datetime) -> list[str]:
    low, high = (int(bound) for bound in _parameter(table, column, "range").split(","))
    interval = int(_parameter(table, column, "interval", "1"))
    digits = int(_parameter(table, column, "digits", "1"))
    return [f"{value:0{digits}d}" for value in range(low, high + 1, interval)]


def _dates(table: GlueTable, column: str, now: datetime) -> list[str]:
    java = _parameter(table, column, "format")
    pattern = re.sub("yyyy|MM|dd|HH|mm|ss", lambda found: _JAVA[found[0]], java.replace("'", ""))
    low, high = (_bound(bound.strip(), pattern, now) for bound in _parameter(table, column, "range").split(","))
    default_unit = "hours" if "HH" in java else "days" if "dd" in java else "months" if "MM" in java else "years"
    unit = _parameter(table, column, "interval.unit", default_unit).lower()
    step = int(_parameter(table, column, "interval", "1"))
    values: list[str] = []
    moment = low
    while moment <= high and len(values) <= MAX_PARTITIONS:
        values.append(moment.strftime(pattern))
        moment = _next(moment, unit, step)
    return values


def _next(moment: datetime, unit: str, step: int) -> datetime:
    unit = unit if unit.endswith("s") else unit + "s"
    if unit in {"months", "years"}:
        months = moment.year * 12 + moment.month - 1 + step * (12 if unit == "years" else 1)
        return moment.replace(year=months // 12, month=months % 12 + 1, day=1)
    return moment + _UNITS[unit] * step


def _bound(text: str, pattern: str, now: datetime) -> datetime:
    relative = re.fullmatch(r"NOW(?:([+-])(\d+)([A-Z]+))?", text.upper())
    if not relative:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    if not relative[1]:
        return now
    steps = int(relative[2]) * (1 if relative[1] == "+" else -1)
    return _next(now, relative[3].lower(), steps)


def _location(table: GlueTable, values: tuple[str, ...]) -> str:
    template = table.parameters.get("storage.location.template")
    pairs = dict(zip(table.partition_keys, values, strict=True))
    if template:
        return re.sub(r"\$\{([^}]+)\}", lambda found: pairs[found[1].lower()], template)
    return table.location.rstrip("/") + "/" + "/".join(f"{key}={value}" for key, value in pairs.items()) + "/"
