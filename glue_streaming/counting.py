"""What a batch's report says of its events: how many of each kind, how late they came, which keys nobody expected."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_streaming.duplicates import ROW
from glue_streaming.levels import Levels

LATE = {
    "late_rows": timedelta(hours=1),
    "late_by_a_day": timedelta(days=1),
    "late_by_a_week": timedelta(days=7),
}
"""Events that arrived more than this after they happened count under that name."""
MAX_NEW_FIELDS = 20


def count_events(events: DataFrame, levels: Levels) -> dict[str, Any]:
    """Return the counts of parsed `events` before any duplicate is taken out."""
    is_event = ~F.col("is_reject")
    rejects = [F.count(F.lit(1)).alias("input_rows"), F.count_if("is_reject").alias("reject_rows")]
    arrivals = [
        F.min(F.when(is_event, F.col("received_at"))).alias("oldest_received_at"),
        F.max(F.when(is_event, F.col("received_at"))).alias("newest_received_at"),
        F.max(F.when(is_event, _delay())).alias("latest_seconds"),
    ]
    unknown = F.count_if(is_event & F.col("unknown_keys").isNotNull()).alias("unknown")
    row = events.agg(*rejects, *arrivals, unknown, *_additive(is_event, levels)).collect()[0]
    counts = {name: _utc(value) for name, value in row.asDict().items()}
    counts["new_fields"] = _new_fields(events) if counts.pop("unknown") else {}
    counts["latest_seconds"] = max(counts["latest_seconds"] or 0.0, 0.0)
    return counts


def without_duplicates(counts: dict[str, Any], duplicates: Sequence[DataFrame], levels: Levels) -> dict[str, Any]:
    """Return the counts after the rows of `duplicates` are taken out; a row may be in several of them."""
    if not duplicates:
        return {**counts, "duplicate_rows": 0}
    rows = reduce(DataFrame.unionByName, duplicates).dropDuplicates([ROW])
    taken = rows.agg(*_additive(F.lit(True), levels)).collect()[0].asDict()
    left = {name: counts[name] - taken[name] for name in taken}
    return {**counts, **left, "duplicate_rows": taken["counted_rows"]}


def add_up(reports: list[dict[str, int]]) -> dict[str, int]:
    """Return the sums of counts by name, the largest first."""
    sums: dict[str, int] = {}
    for report in reports:
        for name, count in report.items():
            sums[name] = sums.get(name, 0) + count
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _additive(is_counted: Column, levels: Levels) -> list[Column]:
    late = [F.count_if(is_counted & (_delay() > delay.total_seconds())).alias(name) for name, delay in LATE.items()]
    kept = F.count_if(is_counted & levels.keeps()).alias("log_rows")
    return [F.count_if(is_counted).alias("counted_rows"), kept, *late]


def _delay() -> Column:
    return F.col("received_at").cast("double") - F.col("timestamp").cast("double")


def _new_fields(events: DataFrame) -> dict[str, int]:
    keys = events.where(~F.col("is_reject")).select(F.explode("unknown_keys").alias("key"))
    commonest = keys.groupBy("key").count().orderBy(F.desc("count"), "key").limit(MAX_NEW_FIELDS)
    return {row.key: row["count"] for row in commonest.collect()}


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
