"""Events to `log_minutes`: additive counts per minute of every level, with a latency histogram and message patterns."""

import math

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from catalog.latency import BASE, MAX_MS, MIN_MS
from catalog.tables import LOG_MINUTES
from glue_streaming import patterns

KEYS = ("minute", "service", "level", "status_class", "endpoint")
_SUM_DECIMALS = 3
_MEASURES = ("events", "bytes", "ms", "max_ms")
_ENTRY = {
    "bucket": "int",
    "pattern": "string",
    "events": "bigint",
    "bytes": "bigint",
    "ms": "double",
    "max_ms": "double",
}
_ENTRY_DDL = f"struct<{', '.join(f'{name}:{kind}' for name, kind in _ENTRY.items())}>"


def count_minutes(events: DataFrame) -> DataFrame:
    """Return one row of `log_minutes` per minute, service, level, status class and endpoint of `events`."""
    keyed = events.select(
        F.date_trunc("minute", "timestamp").alias("minute"),
        "service",
        "level",
        status_class(F.col("status_code")).alias("status_class"),
        "endpoint",
        "pattern",
        latency_bucket(F.col("response_time_ms")).alias("bucket"),
        F.lit(1).alias("events"),
        F.col("response_bytes").alias("bytes"),
        F.col("response_time_ms").alias("ms"),
        F.col("response_time_ms").alias("max_ms"),
    )
    counted = keyed.groupBy(*KEYS, "pattern", "bucket").agg(*_sums())  # once over the events, the rest is small
    return _roll_up(counted.select(*KEYS, F.explode(F.array(_of_bucket(), _of_pattern())).alias("entry")))


def merge_minutes(rows: DataFrame) -> DataFrame:
    """Return `rows` of `log_minutes` with one row per key, every column added up."""
    totals = _entry(
        events=F.col("event_count") - _sum_of("latency_histogram"),
        bytes=F.col("response_bytes_sum"),
        ms=F.col("response_time_ms_sum"),
        max_ms=F.col("response_time_ms_max"),
    )
    buckets = F.transform(
        F.map_entries("latency_histogram"), lambda entry: _entry(bucket=entry["key"], events=entry["value"])
    )
    counted = F.transform(F.map_entries("patterns"), lambda entry: _entry(pattern=entry["key"], events=entry["value"]))
    none = F.array().cast(f"array<{_ENTRY_DDL}>")
    entries = F.concat(F.array(totals), F.coalesce(buckets, none), F.coalesce(counted, none))
    return _roll_up(rows.select(*KEYS, F.explode(entries).alias("entry")))


def status_class(status_code: Column) -> Column:
    """Return `2xx` to `5xx` and the like; null without a status, or with one that HTTP does not know."""
    return F.when(status_code.between(100, 599), F.concat((status_code / 100).cast("int").cast("string"), F.lit("xx")))


def latency_bucket(response_time_ms: Column) -> Column:
    """Return the bucket that `catalog.latency.bucket_of` gives; null without a duration."""
    clamped = F.least(F.greatest(response_time_ms, F.lit(MIN_MS)), F.lit(MAX_MS))
    bucket = F.floor(F.log(clamped) / F.lit(math.log(BASE))).cast("int")
    return F.when(response_time_ms.isNotNull(), bucket)


def _sums() -> list[Column]:
    return [*(F.sum(name).alias(name) for name in ("events", "bytes", "ms")), F.max("max_ms").alias("max_ms")]


def _entry(**values: Column) -> Column:
    """Return what is counted of a key: of a latency bucket, which carries every measure, or of a pattern."""
    columns = [values.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in _ENTRY.items()]
    return F.struct(*columns)


def _of_bucket() -> Column:
    return _entry(**{name: F.col(name) for name in ("bucket", *_MEASURES)})


def _of_pattern() -> Column:
    return F.when(F.col("pattern").isNotNull(), _entry(pattern=F.col("pattern"), events=F.col("events")))


def _roll_up(entries: DataFrame) -> DataFrame:
    """Return the rows of `log_minutes` from any entries of their keys; those that are null count nothing."""
    known = entries.where("entry IS NOT NULL").select(*KEYS, "entry.*")
    both = known.groupBy(*KEYS, "bucket", "pattern").agg(*_sums())
    is_bucket = F.col("pattern").isNull()
    in_bucket = F.when(F.col("bucket").isNotNull(), F.struct("bucket", "events"))
    of_pattern = F.when(~is_bucket, F.struct("pattern", "events"))
    rows = both.groupBy(*KEYS).agg(
        F.sum(F.when(is_bucket, F.col("events"))).alias("event_count"),
        F.sum("bytes").alias("response_bytes_sum"),
        F.round(F.sum("ms"), _SUM_DECIMALS).alias("response_time_ms_sum"),
        F.max("max_ms").alias("response_time_ms_max"),
        F.map_from_entries(F.array_sort(F.collect_list(in_bucket))).alias("latency_histogram"),
        patterns.counted(F.array_sort(F.collect_list(of_pattern))).alias("patterns"),
    )
    return rows.select(*(F.col(column.name).cast(_type(column.type)) for column in LOG_MINUTES.columns))


def _type(glue_type: str) -> str:
    return "timestamp_ntz" if glue_type == "timestamp" else glue_type


def _sum_of(histogram: str) -> Column:
    return F.aggregate(
        F.coalesce(F.map_values(histogram), F.expr("CAST(array() AS array<bigint>)")),
        F.lit(0).cast("bigint"),
        lambda total, count: total + count,
    )
