"""Compares the tables that a crawl saw with those the catalog has, and says what to change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.crawler.configuration import Options
from localcloud.crawler.folders import Path, location
from localcloud.crawler.table_input import STATISTICS, new_partition, new_table
from localcloud.crawler.tables import Table, suffixed

Record = Mapping[str, Any]
Values = tuple[str, ...]

DEPRECATED = "DEPRECATED_BY_CRAWLER"
_INPUT_KEYS = (
    *("Name", "Description", "Owner", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"),
    *("ViewOriginalText", "ViewExpandedText"),
)


@dataclass(frozen=True, slots=True)
class Existing:
    """A table as the catalog has it."""

    record: Record
    partitions: Mapping[Values, Record] = field(default_factory=dict)

    @property
    def location(self) -> str:
        return str((self.record.get("StorageDescriptor") or {}).get("Location") or "").rstrip("/") + "/"

    def made_by(self, crawler: str) -> bool:
        return (self.record.get("Parameters") or {}).get("UPDATED_BY_CRAWLER") == crawler


@dataclass(slots=True)
class Plan:
    """What to change, in the order of its fields; `columns_added` and `messages` are for the reader."""

    create_tables: list[dict[str, Any]] = field(default_factory=list)
    update_tables: list[dict[str, Any]] = field(default_factory=list)
    refresh_tables: list[dict[str, Any]] = field(default_factory=list)
    create_partitions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    update_partitions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    delete_partitions: dict[str, list[Values]] = field(default_factory=dict)
    delete_tables: list[str] = field(default_factory=list)
    deprecate_tables: list[dict[str, Any]] = field(default_factory=list)
    columns_added: dict[str, list[str]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


def home(table: Table, existing: Mapping[str, Existing], crawler: str) -> str:
    """Return the name under which the catalog has this table or shall have it: never another table's."""
    for name, known in existing.items():
        if known.location == table.location and known.made_by(crawler):
            return name
    namesake = existing.get(table.name)
    free = namesake is None or namesake.location == table.location
    return table.name if free else suffixed(table.name, table.location)


def plan(tables: Sequence[Table], existing: Mapping[str, Existing], options: Options, now: float) -> Plan:
    """Return the changes that bring the catalog to what the crawl saw, within the crawler's policies."""
    found = Plan()
    homes: set[str] = set()
    for table in tables:
        name = home(table, existing, options.crawler)
        homes.add(name)
        if name in existing:
            _plan_known(found, name, table, existing[name], options)
        else:
            _plan_new(found, name, table, options)
    gone = {name: known for name, known in existing.items() if name not in homes}
    _plan_gone(found, gone, options, now)
    return found


def _plan_new(found: Plan, name: str, table: Table, options: Options) -> None:
    record = {**new_table(table, options.crawler), "Name": name}
    found.create_tables.append(record)
    found.messages.append(f"Created table {name} at {table.location}")
    if table.partition_keys:
        inherited = record["StorageDescriptor"] if options.inherit_from_table else None
        found.create_partitions[name] = [
            new_partition(partition, table, options.crawler, inherited) for partition in table.partitions
        ]


def _plan_known(found: Plan, name: str, table: Table, known: Existing, options: Options) -> None:
    wanted = _merged_input(name, table, known, options)
    current = table_input(known.record)
    added = _added(current, wanted)
    if options.update_behavior == "LOG":
        if added:
            found.messages.append(f"Table {name} has new columns {', '.join(added)}; not added: UpdateBehavior is LOG")
        wanted = current
    elif _without_statistics(wanted) != _without_statistics(current):
        found.update_tables.append(wanted)
        found.columns_added.update({name: added} if added else {})
        found.messages.append(f"Updated table {name}" + (f": new columns {', '.join(added)}" if added else ""))
    elif wanted != current:
        found.refresh_tables.append(wanted)
    if table.partition_keys:
        _plan_partitions(found, name, table, known, options, wanted)


def _merged_input(name: str, table: Table, known: Existing, options: Options) -> dict[str, Any]:
    """Return the table as it shall be: by hand renamed partition keys and foreign parameters are kept."""
    fresh = {**new_table(table, options.crawler), "Name": name}
    current = table_input(known.record)
    keys = current.get("PartitionKeys") or []
    if len(keys) == len(fresh["PartitionKeys"]):
        fresh["PartitionKeys"] = keys
    names = {key["Name"] for key in fresh["PartitionKeys"]}
    descriptor = {
        **fresh["StorageDescriptor"],
        "Location": current["StorageDescriptor"].get("Location", table.location),
    }
    if options.merge_new_columns:
        descriptor["Columns"] = _merge_columns(current["StorageDescriptor"].get("Columns") or [], descriptor["Columns"])
    descriptor["Columns"] = [column for column in descriptor["Columns"] if column["Name"] not in names]
    _rewrite_paths(descriptor)
    kept = {key: value for key, value in (current.get("Parameters") or {}).items() if key != DEPRECATED}
    return {**current, **fresh, "StorageDescriptor": descriptor, "Parameters": {**kept, **fresh["Parameters"]}}


def _rewrite_paths(descriptor: dict[str, Any]) -> None:
    serde = descriptor["SerdeInfo"]
    if "paths" in serde["Parameters"]:
        paths = ",".join(sorted(column["Name"] for column in descriptor["Columns"]))
        descriptor["SerdeInfo"] = {**serde, "Parameters": {**serde["Parameters"], "paths": paths}}


def _merge_columns(current: list[dict[str, str]], fresh: list[dict[str, str]]) -> list[dict[str, str]]:
    """Append what is new; never remove a column nor change its type (AWS: "Add new columns only")."""
    names = {column["Name"] for column in current}
    return [*current, *(column for column in fresh if column["Name"] not in names)]


def _added(current: Record, wanted: Record) -> list[str]:
    before = {column["Name"] for column in current["StorageDescriptor"].get("Columns") or []}
    return [column["Name"] for column in wanted["StorageDescriptor"]["Columns"] if column["Name"] not in before]


def table_input(record: Record) -> dict[str, Any]:
    """Return the part of a table's record that `UpdateTable` takes."""
    kept = {key: record[key] for key in _INPUT_KEYS if record.get(key) not in (None, "")}
    return {**kept, "StorageDescriptor": dict(record.get("StorageDescriptor") or {})}


def _without_statistics(record: Record) -> dict[str, Any]:
    descriptor = dict(record["StorageDescriptor"])
    descriptor["Parameters"] = _schema_parameters(descriptor.get("Parameters"))
    keys = ("Name", "PartitionKeys", "TableType")
    return {
        **{key: record.get(key) for key in keys},
        "StorageDescriptor": descriptor,
        "Parameters": _schema_parameters(record.get("Parameters")),
    }


def _schema_parameters(found: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (found or {}).items() if key not in STATISTICS}


def _plan_partitions(found: Plan, name: str, table: Table, known: Existing, options: Options, wanted: Record) -> None:
    inherited = wanted["StorageDescriptor"] if options.inherit_from_table else None
    rekeyed = len(known.record.get("PartitionKeys") or []) != len(table.partition_keys)
    current = {} if rekeyed else known.partitions
    for partition in table.partitions:
        before = current.get(partition.values)
        fresh = new_partition(partition, table, options.crawler, inherited)
        if before is None:
            found.create_partitions.setdefault(name, []).append(fresh)
        elif options.update_behavior != "LOG" and not _same_partition(before, fresh):
            found.update_partitions.setdefault(name, []).append(fresh)
    seen = {partition.values for partition in table.partitions}
    gone = [values for values in known.partitions if rekeyed or values not in seen]
    if gone and (rekeyed or options.delete_behavior == "DELETE_FROM_DATABASE"):
        found.delete_partitions[name] = gone


def _same_partition(before: Record, fresh: Record) -> bool:
    keys = ("Columns", "Location", "SerdeInfo", "InputFormat")
    left, right = before.get("StorageDescriptor") or {}, fresh["StorageDescriptor"]
    if any(left.get(key) != right.get(key) for key in keys):
        return False
    return bool((before.get("Parameters") or {}) == fresh["Parameters"])


def _plan_gone(found: Plan, others: Mapping[str, Existing], options: Options, now: float) -> None:
    """Deal with this crawler's tables under its targets whose objects are no longer there."""
    for name, known in others.items():
        if not known.made_by(options.crawler) or not _under(known.location, options):
            continue
        if options.delete_behavior == "DELETE_FROM_DATABASE":
            found.delete_tables.append(name)
            found.messages.append(f"Deleted table {name}: nothing left at {known.location}")
        elif options.delete_behavior == "DEPRECATE_IN_DATABASE" and DEPRECATED not in known.record["Parameters"]:
            record = table_input(known.record)
            marked = {**record["Parameters"], DEPRECATED: str(round(now * 1000))}
            found.deprecate_tables.append({**record, "Parameters": marked})
            found.messages.append(f"Deprecated table {name}: nothing left at {known.location}")


def _under(where: str, options: Options) -> bool:
    return any(where.startswith(location(path)) for path in include_paths(options))


def include_paths(options: Options) -> Iterable[Path]:
    from localcloud.crawler.folders import include_path

    return [include_path(target.path) for target in options.targets]
