"""Duplicates by `event_id`: within a batch, and against what arrived in the window before it.

The window is of arrival time, not of event time: an old event that arrives late is kept. Duplicates are few, so they
are looked for by ids alone, and only the numbers of their rows are carried back to the events.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

ROW = "row_id"
_COUNTED = ("timestamp", "service", "level", "endpoint", "status_code", "response_time_ms", "response_bytes")
"""Of copies that arrived together, those alike in these are one to every table but for their text."""
_REPORTED = ("event_id", "level", "timestamp", "received_at")
"""What the report of a run needs of a duplicate."""
_FEW = 500_000
"""Rows that are sent to every task sooner than the events are shuffled."""


def number_rows(events: DataFrame) -> DataFrame:
    """Return `events` with `row_id`, and `id_hash` to compare ids by; keep the result, for the numbers may change."""
    return hash_ids(events.withColumn(ROW, F.monotonically_increasing_id()))


def hash_ids(events: DataFrame) -> DataFrame:
    """Return `events` with `id_hash`."""
    return events.withColumn("id_hash", F.xxhash64("event_id"))


def repeated_ids(events: DataFrame) -> DataFrame:
    """Return the hashes of the ids that numbered `events` have more than once, each once; some may be chance."""
    own = events.where(~F.col("is_reject"))
    return own.groupBy("id_hash").count().where("count > 1").select("id_hash")


def later_copies(events: DataFrame, repeated: DataFrame, count: int) -> DataFrame:
    """Return the rows of numbered `events` that repeat another; the copy that counts is the first to arrive.

    The choice is the same whenever the same lines are read.
    """
    same_event = Window.partitionBy("event_id").orderBy("received_at", "object_hash", *_COUNTED, ROW)
    narrow = events.where(~F.col("is_reject")).select(
        "id_hash", "event_id", "received_at", "object_hash", *_COUNTED, ROW
    )
    copies = narrow.join(_sent(repeated, count), "id_hash", "left_semi")
    return copies.withColumn("copy", F.row_number().over(same_event)).where("copy > 1").select(ROW, *_REPORTED)


def seen_rows(events: DataFrame, earlier_ids: DataFrame) -> DataFrame:
    """Return the rows of numbered `events` whose id is among `earlier_ids`."""
    own = events.where(~F.col("is_reject")).select(ROW, *_REPORTED)
    return own.join(earlier_ids.select("event_id"), "event_id", "left_semi")


def mark_rows(events: DataFrame, rows: DataFrame, count: int, name: str) -> DataFrame:
    """Return numbered `events` with the column `name`: whether the event is one of the `count` distinct `rows`."""
    if not count:
        return events.withColumn(name, F.lit(False))
    marked = events.join(_sent(rows.select(ROW, F.lit(True).alias(name)), count), ROW, "left")
    return marked.withColumn(name, F.coalesce(name, F.lit(False)))


def _sent(rows: DataFrame, count: int) -> DataFrame:
    return F.broadcast(rows) if count <= _FEW else rows
