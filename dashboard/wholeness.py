"""How whole the lake is: days present and missing, files too small, columns that are not what the schema says.

Pure: what the Glue catalog and the buckets hold goes in, findings come out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.names import table_name
from catalog.schema import EVENT_COLUMNS
from catalog.tables import TABLES
from dashboard.inspection import Measured

PRESENT, MISSING, BEFORE = "present", "missing", "before"
QUARANTINE = "1970/01/01"
RAW_TYPES = {
    "timestamp": ("string", "timestamp"),
    "bigint": ("bigint", "int"),
    "int": ("int", "bigint"),
    "double": ("double", "float", "bigint", "int"),
}
"""The types that the crawler may infer from JSON for a column of ours without harm."""
COMPACT_ABOVE = 50
"""Small objects in a day's partition above which compacting pays."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of the calendar: a table, or one service of it, and the state of each day."""

    name: str
    days: tuple[tuple[str, str], ...]
    quarantined: bool = False

    @property
    def missing(self) -> int:
        return sum(state == MISSING for _, state in self.days)


@dataclass(frozen=True, slots=True)
class Drift:
    """One column that is not what the schema says."""

    table: str
    column: str
    what: str


def strips(partitions: Mapping[str, Sequence[str]], today: datetime, count: int) -> list[Strip]:
    """Return the calendar of the last `count` days; `partitions` are each table's, `payment/2026/11/21` in `logs`.

    A day is expected from a table's first one to today: without it it is missing, and before it there was nothing yet.
    """
    days = [f"{today - timedelta(days=back):%Y/%m/%d}" for back in range(count - 1, -1, -1)]
    found: list[Strip] = []
    for table, values in partitions.items():
        groups: dict[str, set[str]] = {}
        for value in values:
            service = value[: -len("/2026/11/21")]
            name = f"{table}: {service}" if service and table == "logs" else table
            groups.setdefault(name, set()).add(value[-10:])
        found += [_strip(name, present, days) for name, present in sorted(groups.items())]
    return found


def _strip(name: str, present: set[str], days: Sequence[str]) -> Strip:
    first = min((day for day in present if day != QUARANTINE), default="9999")
    states = tuple((day, PRESENT if day in present else MISSING if day > first else BEFORE) for day in days)
    return Strip(name, states, QUARANTINE in present)


def drifts(schemas: Mapping[str, Mapping[str, str]]) -> list[Drift]:
    """Return what differs from the schema: new keys and other types in raw tables, columns missing in curated ones."""
    curated = {table.name: table for table in TABLES}
    found: list[Drift] = []
    for name, columns in sorted(schemas.items()):
        if name in curated:
            wanted = {column.name: column.type for column in curated[name].columns}
            found += [Drift(name, column, "missing: deploy again") for column in wanted if column not in columns]
            extra = set(columns) - set(wanted) - set(curated[name].partition_keys)
            found += [Drift(name, column, "not ours") for column in sorted(extra)]
        else:
            found += _raw_drifts(name, columns)
    return found


def _raw_drifts(name: str, columns: Mapping[str, str]) -> Iterable[Drift]:
    known = {column.name: column.type for column in EVENT_COLUMNS}
    for column, kind in columns.items():
        if column in ("year", "month", "day", "received_at", "level_raw"):
            continue
        if column not in known:
            yield Drift(name, column, f"new key, {kind}: curated into `extra`")
        elif kind not in RAW_TYPES.get(known[column], (known[column],)):
            yield Drift(name, column, f"{kind}, not {known[column]}: such values are rejected")


def is_raw(table: str) -> bool:
    """Return whether a table is one of the crawler's."""
    return table not in {found.name for found in TABLES}


def may_see(strip: Strip, services: Sequence[str]) -> bool:
    """Return whether a strip is of no service, or of one of `services`; any when there are none."""
    tables = {table_name(service) for service in services} | {f"logs: {service}" for service in services}
    return not services or strip.name in tables or strip.name == "log_minutes"


def needs_compaction(measured: Measured) -> bool:
    """Return whether a partition holds so many small objects that reading it suffers."""
    return measured.small_objects > COMPACT_ABOVE
