"""One micro-batch: read its objects once, write its files to the staging folder, publish them.

Everything a batch does depends on its objects alone, so doing it again leaves the lake as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS, Table
from glue_streaming import counting, folders, outputs
from glue_streaming.arguments import Arguments
from glue_streaming.known_patterns import KnownPatterns
from glue_streaming.offsets import with_offsets
from glue_streaming.publication import LOGS_CSV, Publication
from glue_streaming.reading import RawObject, Reader, object_name
from glue_streaming.recent_ids import RecentIds
from glue_streaming.storage import Storage


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
        began = datetime.now(UTC)
        with ExitStack() as cleanup:
            cleanup.callback(folders.delete, self.spark, staging)
            reader = Reader(self.spark, self.arguments.levels, self.arguments.arrow_from_bytes, cleanup)
            events, counts = self._read(reader, batch_id, objects)
            run = self._run(batch_id, publication.started_at(), objects, counts)
            self._stage(staging, events, run, began)
            run["files"] = len(self.storage.list_files(staging))
            publication.publish(run, [object_name(found.path, self.arguments.raw_path) for found in objects])
        if run["oldest_received_at"]:
            self._ids().prune(run["oldest_received_at"])
        return run

    def _read(self, reader: Reader, batch_id: int, objects: Sequence[RawObject]) -> tuple[DataFrame, dict[str, Any]]:
        """Return the events with `is_copy` and `is_seen`, and their counts."""
        events, counts = reader.read(objects)
        oldest = counts["oldest_received_at"]
        marked, copies = reader.mark_copies(events)
        marked, seen = reader.mark_seen(marked, self._ids().before(batch_id, oldest) if oldest else None)
        return marked, counting.without_duplicates(counts, [*copies, *seen], self.arguments.levels)

    def _stage(self, staging: str, events: DataFrame, run: dict[str, Any], began: datetime) -> None:
        """Write the files of every table, and the ids, at once; add to `run` what only then is known."""
        fresh = events.where(~F.col("is_reject") & ~F.col("is_copy") & ~F.col("is_seen"))
        if run["counted_rows"]:
            fresh = KnownPatterns(self.spark, self.storage).learn(run["batch_id"], fresh)
        observed = Observation()
        minutes = outputs.minute_rows(fresh).observe(observed, F.count(F.lit(1)).alias("rows"))
        logs = outputs.log_rows(fresh, self.arguments.levels)
        write = partial(_write, staging)
        tasks: list[Callable[[], None]] = []
        if run["counted_rows"]:
            tasks.append(partial(write, LOG_MINUTES, minutes))
        if run["log_rows"]:
            tasks.append(partial(write, LOGS, logs))
        if run["log_rows"] and self.arguments.with_csv:
            tasks.append(partial(outputs.write_csv, logs, LOGS, f"{staging}{LOGS_CSV.name}/"))
        if run["reject_rows"]:
            tasks.append(partial(self._write_rejects, staging, events, run["started_at"]))
        if run["newest_received_at"]:
            tasks.append(partial(self._write_ids, run, events))
        with ThreadPoolExecutor(len(tasks) or 1) as pool:
            for done in [pool.submit(task) for task in tasks]:
                done.result()
        run["minute_rows"] = observed.get["rows"] if run["counted_rows"] else 0
        run["finished_at"] = datetime.now(UTC)
        run["seconds"] = (run["finished_at"] - began).total_seconds()
        write(RUNS, outputs.run_rows(self.spark, run))

    def _write_rejects(self, staging: str, events: DataFrame, rejected_at: datetime) -> None:
        located = with_offsets(self.spark, events.where("is_reject"), self.arguments.raw_path)
        _write(staging, REJECTS, outputs.reject_rows(located, rejected_at))

    def _write_ids(self, run: Mapping[str, Any], events: DataFrame) -> None:
        first_copies = events.where(~F.col("is_reject") & ~F.col("is_copy"))
        rows = run["counted_rows"] + run["duplicate_rows"]
        self._ids().write(run["batch_id"], first_copies, rows, run["newest_received_at"])

    def _run(
        self, batch_id: int, started: datetime, objects: Sequence[RawObject], counts: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "run_id": self.arguments.run_id,
            "batch_id": batch_id,
            "started_at": started,
            "input_objects": len(objects),
            "input_bytes": sum(found.size_bytes for found in objects),
            **counts,
            "dropped_level_rows": counts["counted_rows"] - counts["log_rows"],
        }

    def _ids(self) -> RecentIds:
        window = timedelta(hours=self.arguments.dedup_window_hours)
        return RecentIds(self.spark, self.arguments.checkpoint_path + "ids/", window)


def _write(staging: str, table: Table, rows: DataFrame) -> None:
    outputs.write(rows, table, f"{staging}{table.name}/")
