"""What a crawler's record asks for: targets, table level, policies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_SAMPLE_SIZE = 2


@dataclass(frozen=True, slots=True)
class S3Target:
    path: str
    exclusions: tuple[str, ...] = ()
    sample_size: int = DEFAULT_SAMPLE_SIZE


@dataclass(frozen=True, slots=True)
class Options:
    """A crawler's settings as this crawl uses them; `table_level` counts the bucket as level 1."""

    crawler: str
    database: str
    targets: tuple[S3Target, ...]
    table_prefix: str = ""
    table_level: int | None = None
    combine_compatible: bool = False
    table_threshold: int | None = None
    merge_new_columns: bool = False
    inherit_from_table: bool = False
    update_behavior: str = "UPDATE_IN_DATABASE"
    delete_behavior: str = "DEPRECATE_IN_DATABASE"
    new_folders_only: bool = False
    partition_index: bool = True


def options(record: Mapping[str, Any]) -> Options:
    """Return what a crawler's record asks for; raise `ValueError` when its configuration can't be read."""
    _refuse_what_is_not_built(record)
    configuration = _configuration(record.get("Configuration") or "{}")
    grouping = configuration.get("Grouping") or {}
    output = configuration.get("CrawlerOutput") or {}
    tables = output.get("Tables") or {}
    policy = record.get("SchemaChangePolicy") or {}
    new_only = (record.get("RecrawlPolicy") or {}).get("RecrawlBehavior") == "CRAWL_NEW_FOLDERS_ONLY"
    return Options(
        crawler=record["Name"],
        database=record.get("DatabaseName") or "default",
        targets=_targets(record.get("Targets") or {}),
        table_prefix=record.get("TablePrefix") or "",
        table_level=_positive(grouping, "TableLevelConfiguration"),
        combine_compatible=grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
        table_threshold=_positive(tables, "TableThreshold"),
        merge_new_columns=tables.get("AddOrUpdateBehavior") == "MergeNewColumns",
        inherit_from_table=(output.get("Partitions") or {}).get("AddOrUpdateBehavior") == "InheritFromTable",
        update_behavior="LOG" if new_only else policy.get("UpdateBehavior") or "UPDATE_IN_DATABASE",
        delete_behavior="LOG" if new_only else policy.get("DeleteBehavior") or "DEPRECATE_IN_DATABASE",
        new_folders_only=new_only,
        partition_index=bool(configuration.get("CreatePartitionIndex", True)),
    )


def _refuse_what_is_not_built(record: Mapping[str, Any]) -> None:
    """Raise `ValueError` for what AWS does and this endpoint does not, rather than crawl as if it weren't asked for."""
    if record.get("Classifiers"):
        names = ", ".join(record["Classifiers"])
        raise ValueError(f"this endpoint has AWS's built-in classifiers only; got custom classifiers {names}")
    if (record.get("RecrawlPolicy") or {}).get("RecrawlBehavior") == "CRAWL_EVENT_MODE":
        raise ValueError(
            "this endpoint crawls CRAWL_EVERYTHING or CRAWL_NEW_FOLDERS_ONLY; got RecrawlBehavior CRAWL_EVENT_MODE"
        )
    for target in (record.get("Targets") or {}).get("S3Targets") or ():
        if target.get("EventQueueArn"):
            raise ValueError(f"this endpoint reads no event queues; got EventQueueArn {target['EventQueueArn']}")


def _configuration(text: str) -> dict[str, Any]:
    try:
        configuration = json.loads(text)
    except ValueError as error:
        raise ValueError(f"Configuration must be JSON: {error}; got {text!r}") from error
    if not isinstance(configuration, dict):
        raise ValueError(f"Configuration must be a JSON object; got {text!r}")
    return configuration


def _targets(targets: Mapping[str, Any]) -> tuple[S3Target, ...]:
    unsupported = sorted(kind for kind, items in targets.items() if items and kind != "S3Targets")
    if unsupported:
        raise ValueError(f"this endpoint crawls S3 targets only; got {', '.join(unsupported)}")
    found = tuple(
        S3Target(
            target["Path"],
            tuple(target.get("Exclusions") or ()),
            int(target.get("SampleSize") or DEFAULT_SAMPLE_SIZE),
        )
        for target in targets.get("S3Targets") or ()
    )
    if not found:
        raise ValueError("a crawler must have an S3 target; got none")
    return found


def _positive(section: Mapping[str, Any], name: str) -> int | None:
    value = section.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")
    return value
