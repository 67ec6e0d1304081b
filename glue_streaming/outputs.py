"""Events to the rows of the tables, partition columns last, and how a table's rows become files."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from catalog.schema import Column
from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, Table
from glue_streaming.events import is_utf8
from glue_streaming.lines import source_object
from glue_streaming.minutes import count_minutes
from glue_streaming.reasons import reason_of
from glue_streaming.services import key_name

_DAY = {"year": "yyyy", "month": "MM", "day": "dd"}


def log_rows(events: DataFrame, drop_levels: Sequence[str]) -> DataFrame:
    """Return the rows of `logs`: the events whose level is kept."""
    kept = events.where(~F.col("level").isin(*drop_levels))
    named = kept.withColumn("service", key_name(F.col("service")))
    return named.select(*_cast(LOGS.columns), F.col("service"), *_day_of(F.col("timestamp")))


def minute_rows(events: DataFrame) -> DataFrame:
    """Return the rows of `log_minutes`, over every level."""
    minutes = count_minutes(events.withColumn("service", key_name(F.col("service"))))
    return minutes.select(*_cast(LOG_MINUTES.columns), *_day_of(F.col("minute")))


def reject_rows(rejects: DataFrame, raw_path: str, rejected_at: datetime) -> DataFrame:
    """Return the rows of `rejects`: every line as it was read, one that is not UTF-8 as base64."""
    raw_line = F.col("raw_line")
    explained = rejects.select(
        F.coalesce(F.col("damage"), F.udf(reason_of, "string")(raw_line.cast("binary"), "received_at")).alias("reason"),
        F.when(is_utf8(raw_line), raw_line).otherwise(F.base64(raw_line.cast("binary"))).alias("raw_line"),
        source_object(F.col("object_path"), raw_path).alias("source_object"),
        F.lit(rejected_at).alias("rejected_at"),
    )
    return explained.select(*_cast(REJECTS.columns), *_day_of(F.col("rejected_at")))


def run_rows(spark: SparkSession, run: dict[str, object]) -> DataFrame:
    """Return the one row of `runs` that a batch writes."""
    row = spark.range(1).select(*(F.lit(run[column.name]).alias(column.name) for column in RUNS.columns))
    return row.select(*_cast(RUNS.columns))


def write(rows: DataFrame, table: Table, folder: str, order: Sequence[str]) -> None:
    """Replace `folder` by `rows` as zstd Parquet: one file per partition, its rows sorted by `order`."""
    keys = list(table.partition_keys)
    gathered = rows.repartition(*keys) if keys else rows.coalesce(1)
    writer = gathered.sortWithinPartitions(*keys, *order).write.mode("overwrite").option("compression", "zstd")
    (writer.partitionBy(*keys) if keys else writer).parquet(folder)


def _cast(columns: Sequence[Column]) -> list[Expression]:
    """Select a table's columns. Moments become wall-clock UTC, which every reader of Parquet shows alike."""
    types = {"timestamp": "timestamp_ntz"}
    return [F.col(column.name).cast(types.get(column.type, column.type)) for column in columns]


def _day_of(moment: Expression) -> list[Expression]:
    return [F.date_format(moment, pattern).alias(name) for name, pattern in _DAY.items()]
