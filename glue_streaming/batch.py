"""One micro-batch: read its objects once, write its files to the staging folder, publish them.

Everything a batch does depends on its objects alone, so doing it again leaves the lake as it was.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, Table
from glue_streaming import folders, outputs
from glue_streaming.arguments import Arguments
from glue_streaming.duplicates import mark_duplicates, number_copies, seen_ids
from glue_streaming.events import is_blank, parse_lines, slim
from glue_streaming.lines import read_damaged_lines, read_lines
from glue_streaming.publication import Publication
from glue_streaming.recent_ids import RecentIds
from glue_streaming.storage import Storage

ORDER = {
    LOGS: ("timestamp", "event_id"),
    LOG_MINUTES: ("minute", "service"),
    REJECTS: ("source_object",),
    RUNS: ("batch_id",),
}
"""How the rows of a file are sorted."""

_TASK_BYTES = 8 * 1024 * 1024
"""Gzip bytes per task of a shuffle: some 100 MB of lines."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """A raw object to curate: where Spark finds it, and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Curator:
    """What curates micro-batches in one run of the job."""

    spark: SparkSession
    arguments: Arguments
    storage: Storage

    def curate(self, batch_id: int, objects: Sequence[RawObject]) -> Mapping[str, Any]:
        """Curate `objects` as batch `batch_id` and return its row of `runs`; one published before is left alone."""
        staging = f"{self.arguments.staging_path}batch-{batch_id:08d}/"
        publication = Publication(self.storage, batch_id, staging)
        if publication.published_run is not None:
            return publication.published_run
        folders.delete(self.spark, staging)
        self._size(objects)
        paths = [found.path for found in objects]
        with ExitStack() as cleanup:
            cleanup.callback(folders.delete, self.spark, staging)
            events, counts = self._read(paths, cleanup)
            events, seen = self._drop_seen(batch_id, events, counts, cleanup)
            run = self._run(batch_id, publication.started_at(), len(paths), {**counts, **seen})
            self._stage(staging, events, run)
            publication.publish(run, [object_name(path, self.arguments.raw_path) for path in paths])
        if run["oldest_received_at"]:
            self._ids().prune(run["oldest_received_at"])
        return run

    def _size(self, objects: Sequence[RawObject]) -> None:
        """Give shuffles as many tasks as the batch needs: a few objects are done sooner in few."""
        size_bytes = sum(found.size_bytes for found in objects)
        tasks = max(self.spark.sparkContext.defaultParallelism, math.ceil(size_bytes / _TASK_BYTES))
        self.spark.conf.set("spark.sql.shuffle.partitions", str(tasks))

    def _read(self, paths: Sequence[str], cleanup: ExitStack) -> tuple[DataFrame, dict[str, Any]]:
        """Return the numbered events of `paths`, kept for the duration of the batch, and their counts."""
        try:
            return self._keep(read_lines(self.spark, paths), cleanup)
        except (Py4JJavaError, PySparkException):
            lines, bad_paths = read_damaged_lines(self.spark, paths)
            if not bad_paths:
                raise
            return self._keep(lines, cleanup)

    def _keep(self, lines: DataFrame, cleanup: ExitStack) -> tuple[DataFrame, dict[str, Any]]:
        full = lines.where(~is_blank(F.col("raw_line")) | F.col("damage").isNotNull())
        events = slim(parse_lines(full), self.arguments.drop_levels)
        numbered = number_copies(events).persist(StorageLevel.MEMORY_AND_DISK)
        cleanup.callback(numbered.unpersist)
        return numbered, _count(numbered, self.arguments.drop_levels)

    def _drop_seen(
        self, batch_id: int, events: DataFrame, counts: Mapping[str, Any], cleanup: ExitStack
    ) -> tuple[DataFrame, dict[str, Any]]:
        """Return the events with `is_duplicate`, and the counts that the ids of earlier batches change."""
        earlier = self._ids().before(batch_id, counts["oldest"]) if counts["oldest"] else None
        if earlier is None:
            return mark_duplicates(events), {}
        seen = seen_ids(events, earlier).persist(StorageLevel.MEMORY_AND_DISK)
        cleanup.callback(seen.unpersist)
        if not seen.count():
            return mark_duplicates(events), {}
        marked = mark_duplicates(events, seen)
        return marked, _count_duplicates(marked, self.arguments.drop_levels)

    def _stage(self, staging: str, events: DataFrame, run: dict[str, Any]) -> None:
        """Write the files of every table, and the ids, at once; add to `run` what only then is known."""
        fresh = events.where(~F.col("is_reject") & ~F.col("is_duplicate"))
        observed = Observation()
        minutes = outputs.minute_rows(fresh).observe(observed, F.count(F.lit(1)).alias("rows"))
        logs = outputs.log_rows(fresh, self.arguments.drop_levels)
        rejects = outputs.reject_rows(events.where("is_reject"), self.arguments.raw_path, run["started_at"])
        write = partial(_write, staging)
        tasks: list[Callable[[], None]] = []
        if run["counted_rows"]:
            tasks.append(partial(write, LOG_MINUTES, minutes))
        if run["log_rows"]:
            tasks.append(partial(write, LOGS, logs))
        if run["reject_rows"]:
            tasks.append(partial(write, REJECTS, rejects))
        if run["newest_received_at"]:
            tasks.append(partial(self._write_ids, run, events))
        with ThreadPoolExecutor(len(tasks) or 1) as pool:
            for done in [pool.submit(task) for task in tasks]:
                done.result()
        run["minute_rows"] = observed.get["rows"] if run["counted_rows"] else 0
        run["finished_at"] = datetime.now(UTC)
        write(RUNS, outputs.run_rows(self.spark, run))

    def _write_ids(self, run: Mapping[str, Any], events: DataFrame) -> None:
        first_copies = events.where(~F.col("is_reject") & (F.col("copy") == 1))
        rows = run["counted_rows"] + run["duplicate_rows"]
        self._ids().write(run["batch_id"], first_copies, rows, run["newest_received_at"])

    def _run(self, batch_id: int, started: datetime, objects: int, counts: Mapping[str, Any]) -> dict[str, Any]:
        counted = counts["events"] - counts["duplicates"]
        return {
            "run_id": self.arguments.run_id,
            "batch_id": batch_id,
            "started_at": started,
            "input_objects": objects,
            "input_rows": counts["lines"],
            "log_rows": counts["kept"],
            "counted_rows": counted,
            "reject_rows": counts["rejects"],
            "duplicate_rows": counts["duplicates"],
            "dropped_level_rows": counted - counts["kept"],
            "oldest_received_at": counts["oldest"],
            "newest_received_at": counts["newest"],
        }

    def _ids(self) -> RecentIds:
        window = timedelta(hours=self.arguments.dedup_window_hours)
        return RecentIds(self.spark, self.arguments.checkpoint_path + "ids/", window)


def object_name(path: str, raw_path: str) -> str:
    """Return what names an object wherever it is mirrored: its path below `raw_path`."""
    return _without_scheme(path).removeprefix(_without_scheme(raw_path))


def _without_scheme(path: str) -> str:
    return path.split(":", 1)[-1].lstrip("/")


def _write(staging: str, table: Table, rows: DataFrame) -> None:
    outputs.write(rows, table, f"{staging}{table.name}/", ORDER[table])


def _count(numbered: DataFrame, drop_levels: Sequence[str]) -> dict[str, Any]:
    is_event = ~F.col("is_reject")
    is_kept = is_event & (F.col("copy") == 1) & ~F.col("level").isin(*drop_levels)
    row = numbered.agg(
        F.count(F.lit(1)).alias("lines"),
        F.count_if("is_reject").alias("rejects"),
        F.count_if(is_event).alias("events"),
        F.count_if(is_event & (F.col("copy") > 1)).alias("duplicates"),
        F.count_if(is_kept).alias("kept"),
        F.min(F.when(is_event, F.col("received_at"))).alias("oldest"),
        F.max(F.when(is_event, F.col("received_at"))).alias("newest"),
    ).collect()[0]
    counts = row.asDict()
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in counts.items()}


def _count_duplicates(marked: DataFrame, drop_levels: Sequence[str]) -> dict[str, Any]:
    is_event = ~F.col("is_reject")
    is_kept = is_event & ~F.col("is_duplicate") & ~F.col("level").isin(*drop_levels)
    counts = marked.agg(
        F.count_if(is_event & F.col("is_duplicate")).alias("duplicates"), F.count_if(is_kept).alias("kept")
    )
    return dict(counts.collect()[0].asDict())
