"""Raw objects to the events of a batch: read once, kept for as long as the batch takes, duplicates marked."""

import logging
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_streaming import duplicates
from glue_streaming.counting import count_events
from glue_streaming.events import is_blank, parse_lines, slim
from glue_streaming.levels import Levels
from glue_streaming.lines import GZIP_SUFFIX, read_damaged_lines, read_lines
from glue_streaming.patterns import pattern

_LOG = logging.getLogger(__name__)
_FAILURES = (Py4JJavaError, PySparkException)
_MAX_WHOLE_BYTES = 64 * 1024 * 1024
"""Gzip bytes of an object that a worker may hold whole."""
_TASK_BYTES = 8 * 1024 * 1024
"""Gzip bytes per task of a shuffle: some 100 MB of lines."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """A raw object to curate: where Spark finds it, and its size."""

    path: str
    size_bytes: int


def object_name(path: str, raw_path: str) -> str:
    """Return what names an object wherever it is mirrored: its path below `raw_path`."""
    return _without_scheme(path).removeprefix(_without_scheme(raw_path))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads objects in one session; what it keeps is let go when `cleanup` closes."""

    spark: SparkSession
    levels: Levels
    arrow_from_bytes: float
    cleanup: ExitStack

    def read(self, objects: Sequence[RawObject]) -> tuple[DataFrame, dict[str, Any]]:
        """Return the numbered events of `objects` and what `count_events` says of them."""
        self._size(objects)
        paths = [found.path for found in objects]
        if sum(found.size_bytes for found in objects) >= self.arrow_from_bytes and _can_be_read_in_arrow(objects):
            try:
                return self._count(self._events_in_arrow(paths))
            except _FAILURES as error:  # an object is damaged, gone or has too long a line: the others tell which
                _LOG.warning("%d objects are read as text: %s", len(paths), str(error).strip().splitlines()[-1:])
        try:
            return self._count(self._events(read_lines(self.spark, paths)))
        except _FAILURES:
            lines, bad_paths = read_damaged_lines(self.spark, paths)
            if not bad_paths:
                raise
            return self._count(self._events(lines))

    def mark_copies(self, events: DataFrame) -> tuple[DataFrame, list[DataFrame]]:
        """Return `events` with `is_copy`, whether an event repeats one that came before; and those that do, if any."""
        repeated = self.keep(duplicates.repeated_ids(events))
        ids = repeated.count()
        if not ids:
            return events.withColumn("is_copy", F.lit(False)), []
        return self._mark(events, duplicates.later_copies(events, repeated, ids), "is_copy")

    def mark_seen(self, events: DataFrame, earlier_ids: DataFrame | None) -> tuple[DataFrame, list[DataFrame]]:
        """Return `events` with `is_seen`, whether an earlier batch had the event; and those that it had, if any."""
        if earlier_ids is None:
            return events.withColumn("is_seen", F.lit(False)), []
        return self._mark(events, duplicates.seen_rows(events, earlier_ids), "is_seen")

    def keep(self, frame: DataFrame) -> DataFrame:
        """Keep what `frame` gives once it has been read."""
        kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
        self.cleanup.callback(kept.unpersist)
        return kept

    def _mark(self, events: DataFrame, rows: DataFrame, name: str) -> tuple[DataFrame, list[DataFrame]]:
        kept = self.keep(rows)
        count = kept.count()
        return duplicates.mark_rows(events, kept, count, name), [kept] if count else []

    def _count(self, events: DataFrame) -> tuple[DataFrame, dict[str, Any]]:
        return events, count_events(events, self.levels)

    def _events(self, lines: DataFrame) -> DataFrame:
        hashed = lines.withColumn("object_hash", F.xxhash64("object_path"))
        return self.keep(duplicates.number_rows(slim(parse_lines(_written(hashed)), self.levels)))

    def _events_in_arrow(self, paths: Sequence[str]) -> DataFrame:
        """Return what is an event already and, kept apart because they are few and dear, what the other lines are."""
        from glue_streaming.arrow_lines import read_events  # needs pyarrow, which not every Spark has

        is_event = F.col("raw_line").isNull()
        described = read_events(self.spark, paths, self.levels.never_kept).withColumns(
            {"pattern": F.coalesce("pattern", pattern(F.col("message"))), "is_reject": ~is_event}
        )
        rows = self.keep(duplicates.number_rows(slim(described, self.levels)))
        known = rows.where(is_event).withColumn("is_reject", F.lit(False)).drop("object_time")
        whence = ("object_hash", "object_path", "object_time", "raw_line", "source_offset", duplicates.ROW)
        lines = rows.where(~is_event).select(*whence, F.lit(None).cast("string").alias("damage"))
        parsed = duplicates.hash_ids(slim(parse_lines(_written(lines)), self.levels))
        return known.unionByName(self.keep(parsed), allowMissingColumns=True)

    def _size(self, objects: Sequence[RawObject]) -> None:
        """Give shuffles as many tasks as the objects need: a few are done sooner in few."""
        size_bytes = sum(found.size_bytes for found in objects)
        tasks = max(self.spark.sparkContext.defaultParallelism, math.ceil(size_bytes / _TASK_BYTES))
        self.spark.conf.set("spark.sql.shuffle.partitions", str(tasks))


def _written(lines: DataFrame) -> DataFrame:
    """Return the lines that are not blank."""
    return lines.where(~is_blank(F.col("raw_line")) | F.col("damage").isNotNull())


def _can_be_read_in_arrow(objects: Sequence[RawObject]) -> bool:
    """Return whether `arrow_lines` takes the objects: pyarrow is there, and they are as the delivery stream writes."""
    is_usual = all(found.path.endswith(GZIP_SUFFIX) and found.size_bytes <= _MAX_WHOLE_BYTES for found in objects)
    return is_usual and find_spec("pyarrow") is not None


def _without_scheme(path: str) -> str:
    return path.split(":", 1)[-1].lstrip("/")
