"""Events to `log_minutes`: additive counts per minute, with a latency histogram, of every level."""

import math

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from catalog.latency import BASE, MAX_MS, MIN_MS
from catalog.tables import LOG_MINUTES

KEYS = ("minute", "service", "level", "status_class", "endpoint")
_SUM_DECIMALS = 3


def count_minutes(events: DataFrame) -> DataFrame:
    """Return one row of `log_minutes` per minute, service, level, status class and endpoint of `events`."""
    keyed = events.select(
        F.date_trunc("minute", "timestamp").alias("minute"),
        "service",
        "level",
        status_class(F.col("status_code")).alias("status_class"),
        "endpoint",
        "response_bytes",
        "response_time_ms",
        latency_bucket(F.col("response_time_ms")).alias("bucket"),
    )
    by_bucket = keyed.groupBy(*KEYS, "bucket").agg(
        F.count("*").alias("events"),
        F.sum("response_bytes").alias("bytes"),
        F.sum("response_time_ms").alias("ms"),
        F.max("response_time_ms").alias("max_ms"),
    )
    entry = F.when(F.col("bucket").isNotNull(), F.struct("bucket", "events"))
    rows = by_bucket.groupBy(*KEYS).agg(
        F.sum("events").alias("event_count"),
        F.sum("bytes").alias("response_bytes_sum"),
        F.round(F.sum("ms"), _SUM_DECIMALS).alias("response_time_ms_sum"),
        F.max("max_ms").alias("response_time_ms_max"),
        F.map_from_entries(F.array_sort(F.collect_list(entry))).alias("latency_histogram"),
    )
    return rows.select(*(F.col(column.name).cast(column.type) for column in LOG_MINUTES.columns))


def status_class(status_code: Column) -> Column:
    """Return `2xx` to `5xx` and the like; null without a status, or with one that HTTP does not know."""
    return F.when(status_code.between(100, 599), F.concat((status_code / 100).cast("int").cast("string"), F.lit("xx")))


def latency_bucket(response_time_ms: Column) -> Column:
    """Return the bucket that `catalog.latency.bucket_of` gives; null without a duration."""
    clamped = F.least(F.greatest(response_time_ms, F.lit(MIN_MS)), F.lit(MAX_MS))
    bucket = F.floor(F.log(clamped) / F.lit(math.log(BASE))).cast("int")
    return F.when(response_time_ms.isNotNull(), bucket)
