"""Duplicates by `event_id`: within a batch, and against what arrived in the window before it.

The window is of arrival time, not of event time: an old event that arrives late is kept.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def number_copies(events: DataFrame) -> DataFrame:
    """Return `events` with `copy`: 1 for the copy of an event that counts, more for its duplicates; 1 for every reject.

    The one that counts is the first to arrive, and the choice is the same whenever the same lines are read.
    """
    same_event = Window.partitionBy(_event_key()).orderBy("received_at", "object_path", "line_hash")
    copy = F.when(F.col("is_reject"), 1).otherwise(F.row_number().over(same_event))
    return events.withColumn("copy", copy)


def seen_ids(events: DataFrame, earlier_ids: DataFrame) -> DataFrame:
    """Return the ids of `events` that are among `earlier_ids`, each once."""
    own_ids = events.where(~F.col("is_reject")).select("event_id")
    return earlier_ids.select("event_id").join(own_ids, "event_id", "left_semi").distinct()


def mark_duplicates(events: DataFrame, seen: DataFrame | None = None) -> DataFrame:
    """Return numbered `events` with `is_duplicate`: a copy beyond the first, or one whose id is among `seen`."""
    is_copy = F.col("copy") > 1
    if seen is None:
        return events.withColumn("is_duplicate", is_copy)
    marked = events.join(seen.withColumn("is_seen", F.lit(True)), "event_id", "left")
    is_seen = ~F.col("is_reject") & F.col("is_seen").isNotNull()
    return marked.withColumn("is_duplicate", is_copy | is_seen).drop("is_seen")


def _event_key() -> Column:
    """The id, or for a rejected line something that spreads: rejects must not gather in one task."""
    return F.when(F.col("is_reject"), F.col("line_hash").cast("string")).otherwise(F.col("event_id"))
