"""Events to the rows of the tables, partition columns last, and how a table's rows become files."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from catalog.schema import Column
from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, Table
from glue_streaming.events import is_utf8
from glue_streaming.levels import Levels
from glue_streaming.minutes import count_minutes
from glue_streaming.patterns import pattern_id
from glue_streaming.reasons import reason_of

ORDER = {
    LOGS: ("timestamp", "event_id"),
    LOG_MINUTES: ("minute", "service"),
    REJECTS: ("source_object", "source_offset"),
    RUNS: ("batch_id",),
}
"""How the rows of a file are sorted."""
PARQUET = {"compression": "zstd", "parquet.block.size": str(32 * 1024 * 1024)}
"""Row groups small enough that their statistics leave most of them out of a question about an hour."""
CSV = {"compression": "gzip", "header": "true", "escape": '"', "nullValue": "", "emptyValue": '""'}
"""Quotes are doubled, as RFC 4180 says; null is nothing, the empty text is two quotes."""

_DAY = {"year": "yyyy", "month": "MM", "day": "dd"}


def log_rows(events: DataFrame, levels: Levels) -> DataFrame:
    """Return the rows of `logs`: the events whose level is kept, or that are of its sample."""
    kept = events.where(levels.keeps())
    return kept.withColumn("pattern_id", pattern_id(F.col("pattern"))).select(
        *_cast(LOGS.columns), F.col("service"), *_day_of(F.col("timestamp"))
    )


def minute_rows(events: DataFrame) -> DataFrame:
    """Return the rows of `log_minutes`, over every level."""
    minutes = count_minutes(events)
    return minutes.select(*_cast(LOG_MINUTES.columns), *_day_of(F.col("minute")))


def reject_rows(rejects: DataFrame, rejected_at: datetime) -> DataFrame:
    """Return the rows of `rejects` from located ones: every line as it was read, one that is not UTF-8 as base64."""
    raw_line = F.col("raw_line")
    unexplained = F.when(F.col("damage").isNull(), raw_line.cast("binary"))
    explained = rejects.select(
        F.coalesce(F.col("damage"), F.udf(reason_of, "string")(unexplained, "received_at")).alias("reason"),
        F.when(is_utf8(raw_line), raw_line).otherwise(F.base64(raw_line.cast("binary"))).alias("raw_line"),
        "source_object",
        "source_offset",
        F.lit(rejected_at).alias("rejected_at"),
    )
    return explained.select(*_cast(REJECTS.columns), *_day_of(F.col("rejected_at")))


def run_rows(spark: SparkSession, run: dict[str, object]) -> DataFrame:
    """Return the one row of `runs` that a batch writes."""
    row = spark.range(1).select(*(F.lit(run[column.name]).alias(column.name) for column in RUNS.columns))
    return row.select(*_cast(RUNS.columns))


def write(rows: DataFrame, table: Table, folder: str) -> None:
    """Replace `folder` by `rows` as zstd Parquet: one file per partition, its rows sorted."""
    sorted_rows, keys = _sorted(rows, table)
    writer = sorted_rows.write.mode("overwrite").options(**PARQUET)
    (writer.partitionBy(*keys) if keys else writer).parquet(folder)


def write_csv(rows: DataFrame, table: Table, folder: str) -> None:
    """Replace `folder` by `rows` as gzipped CSV with a header: one file per partition, its rows sorted."""
    sorted_rows, keys = _sorted(rows, table)
    writer = sorted_rows.write.mode("overwrite").options(**CSV)
    (writer.partitionBy(*keys) if keys else writer).csv(folder)


def write_files(rows: DataFrame, table: Table, folder: str, files: int) -> None:
    """Replace `folder` by one partition's `rows` in so many files, sorted over all of them."""
    order = ORDER[table]
    gathered = rows.coalesce(1) if files == 1 else rows.repartitionByRange(files, order[0])
    gathered.sortWithinPartitions(*order).write.mode("overwrite").options(**PARQUET).parquet(folder)


def read(spark: SparkSession, table: Table, paths: Sequence[str]) -> DataFrame:
    """Return the rows of a table's files; a column that a file was written without is null."""
    schema = ", ".join(f"`{column.name}` {_spark_type(column)}" for column in table.columns)
    return spark.read.schema(schema).option("recursiveFileLookup", "true").parquet(*paths)


def _sorted(rows: DataFrame, table: Table) -> tuple[DataFrame, list[str]]:
    keys = list(table.partition_keys)
    gathered = rows.repartition(*keys) if keys else rows.coalesce(1)
    return gathered.sortWithinPartitions(*keys, *ORDER[table]), keys


def _cast(columns: Sequence[Column]) -> list[Expression]:
    """Select a table's columns. Moments become wall-clock UTC, which every reader of Parquet shows alike."""
    return [F.col(column.name).cast(_spark_type(column)) for column in columns]


def _spark_type(column: Column) -> str:
    return "timestamp_ntz" if column.type == "timestamp" else column.type


def _day_of(moment: Expression) -> list[Expression]:
    return [F.date_format(moment, pattern).alias(name) for name, pattern in _DAY.items()]
