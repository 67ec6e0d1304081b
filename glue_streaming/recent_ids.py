"""The ids of recent batches, kept beside the checkpoint: one folder of Parquet per batch.

A folder is named `batch-<batch id>-<newest arrival, epoch seconds>`: what is out of the window is known by its name.
Writing a batch's ids again replaces them, and a batch never sees its own: a replay finds no duplicates of itself.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_streaming import folders

_SCHEMA = "event_id string, received_at timestamp"
_NAME = re.compile(r"batch-(\d+)-(\d+)")
_ROWS_PER_FILE = 2_000_000


@dataclass(frozen=True, slots=True)
class RecentIds:
    """The ids below `folder`, of which those that arrived within `window` before an event count as seen."""

    spark: SparkSession
    folder: str
    window: timedelta

    def before(self, batch_id: int, oldest: datetime) -> DataFrame | None:
        """Return the ids of earlier batches that arrived at most `window` before `oldest`; None if there are none."""
        horizon = oldest - self.window
        names = [name for name, batch, newest in self._names() if batch < batch_id and newest >= horizon]
        if not names:
            return None
        ids = self.spark.read.schema(_SCHEMA).parquet(*(self.folder + name for name in names))
        return ids.where(F.col("received_at") >= F.lit(horizon))

    def write(self, batch_id: int, events: DataFrame, rows: int, newest: datetime) -> None:
        """Replace the ids of a batch by those of `events`."""
        for name, batch, _ in self._names():
            if batch == batch_id:
                folders.delete(self.spark, self.folder + name)
        ids = events.select("event_id", "received_at").coalesce(math.ceil(rows / _ROWS_PER_FILE) or 1)
        name = f"batch-{batch_id:08d}-{math.ceil(newest.timestamp())}"
        ids.write.mode("overwrite").option("compression", "zstd").parquet(self.folder + name)

    def prune(self, oldest: datetime) -> None:
        """Delete what is two windows older than `oldest`: one for the window, one for arrivals out of order."""
        for name, _, newest in self._names():
            if newest < oldest - 2 * self.window:
                folders.delete(self.spark, self.folder + name)

    def _names(self) -> list[tuple[str, int, datetime]]:
        found = [(name, _NAME.fullmatch(name)) for name in folders.list_names(self.spark, self.folder)]
        return [
            (name, int(match[1]), datetime.fromtimestamp(int(match[2]), UTC))
            for name, match in found
            if match is not None
        ]
