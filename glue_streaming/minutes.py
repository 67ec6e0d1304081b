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
    return _roll_up(keyed, keyed.select(*KEYS, "pattern", "events"))


def merge_minutes(rows: DataFrame) -> DataFrame:
    """Return `rows` of `log_minutes` with one row per key, every column added up."""
    totals = F.array(
        F.struct(
            F.lit(None).cast("int").alias("bucket"),
            (F.col("event_count") - _sum_of("latency_histogram")).alias("events"),
            F.col("response_bytes_sum").alias("bytes"),
            F.col("response_time_ms_sum").alias("ms"),
            F.col("response_time_ms_max").alias("max_ms"),
        )
    )
    no = F.lit(None)
    buckets = F.transform(
        F.map_entries("latency_histogram"),
        lambda entry: F.struct(
            entry["key"].alias("bucket"),
            entry["value"].alias("events"),
            no.cast("bigint").alias("bytes"),
            no.cast("double").alias("ms"),
            no.cast("double").alias("max_ms"),
        ),
    )
    with_buckets = rows.select(*KEYS, F.explode(F.coalesce(F.concat(totals, buckets), totals)).alias("entry"))
    counted = rows.select(*KEYS, F.explode("patterns").alias("pattern", "events"))
    return _roll_up(with_buckets.select(*KEYS, "entry.*"), counted)


def status_class(status_code: Column) -> Column:
    """Return `2xx` to `5xx` and the like; null without a status, or with one that HTTP does not know."""
    return F.when(status_code.between(100, 599), F.concat((status_code / 100).cast("int").cast("string"), F.lit("xx")))


def latency_bucket(response_time_ms: Column) -> Column:
    """Return the bucket that `catalog.latency.bucket_of` gives; null without a duration."""
    clamped = F.least(F.greatest(response_time_ms, F.lit(MIN_MS)), F.lit(MAX_MS))
    bucket = F.floor(F.log(clamped) / F.lit(math.log(BASE))).cast("int")
    return F.when(response_time_ms.isNotNull(), bucket)


def _roll_up(with_buckets: DataFrame, with_patterns: DataFrame) -> DataFrame:
    """Return the rows of `log_minutes` from counts by bucket, which carry every measure, and counts by pattern."""
    by_bucket = with_buckets.groupBy(*KEYS, "bucket").agg(
        F.sum("events").alias("events"),
        F.sum("bytes").alias("bytes"),
        F.sum("ms").alias("ms"),
        F.max("max_ms").alias("max_ms"),
    )
    by_pattern = with_patterns.groupBy(*KEYS, "pattern").agg(F.sum("events").alias("events"))
    both = by_bucket.withColumn("pattern", F.lit(None).cast("string")).unionByName(
        by_pattern.where("pattern IS NOT NULL"), allowMissingColumns=True
    )
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
