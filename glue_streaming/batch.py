"""One micro-batch: read its objects, write its files, publish them. Done again, it leaves the lake as it was.

The steps, and what a crash between any two of them leaves:

1. The rows are written to the staging folder. Nobody reads there; a replay replaces it.
2. The manifest says which keys will be published (`publishing`). The keys of an earlier try that this one will not
   publish again are known from its manifest.
3. The files are published, table by table, each whole and under a key that a replay uses again; then the keys that only
   an earlier try had are deleted; then the partitions are registered.
4. The ids are written for later batches to find duplicates by.
5. The row of `runs` is published, and the manifest says `published`: a replay ends here at once.
"""

from collections.abc import Mapping, Sequence
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
from glue_streaming.recent_ids import RecentIds
from glue_streaming.storage import Storage, manifest_key

SORT = {
    LOGS: ("timestamp", "event_id"),
    LOG_MINUTES: ("minute", "service"),
    REJECTS: ("source_object",),
    RUNS: ("batch_id",),
}


@dataclass(frozen=True, slots=True)
class Curator:
    """What curates micro-batches in one run of the job."""

    spark: SparkSession
    arguments: Arguments
    storage: Storage

    def curate(self, batch_id: int, paths: Sequence[str]) -> Mapping[str, Any]:
        """Curate the objects at `paths` as batch `batch_id` and return its row of `runs`."""
        earlier = self.storage.read_json(manifest_key(batch_id)) or {}
        if earlier.get("state") == "published":
            return dict(earlier["run"])
        started = datetime.fromisoformat(earlier["started_at"]) if earlier else datetime.now(UTC)
        with ExitStack() as cleanup:
            cleanup.callback(folders.delete, self.spark, self._staging(batch_id))
            events, counts = self._read(paths, cleanup)
            events, seen = self._drop_seen(batch_id, events, counts, cleanup)
            run = self._stage(batch_id, events, {**counts, **seen}, started, len(paths))
            self._publish(batch_id, events, run, earlier, paths)
        return run

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
        marked = lines.where(~is_blank(F.col("raw_line")) | F.col("damage").isNotNull())
        events = slim(parse_lines(marked), self.arguments.drop_levels)
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

    def _stage(
        self, batch_id: int, events: DataFrame, counts: Mapping[str, Any], started: datetime, objects: int
    ) -> dict[str, Any]:
        fresh = events.where(~F.col("is_reject") & ~F.col("is_duplicate"))
        observed = Observation()
        minutes = outputs.minute_rows(fresh).observe(observed, F.count(F.lit(1)).alias("rows"))
        write = partial(self._write, batch_id)
        if counts["events"] > counts["duplicates"]:
            write(minutes, LOG_MINUTES)
        if counts["kept"]:
            write(outputs.log_rows(fresh, self.arguments.drop_levels), LOGS)
        if counts["rejects"]:
            rejects = events.where("is_reject")
            write(outputs.reject_rows(rejects, self.arguments.raw_path, started), REJECTS)
        minute_rows = observed.get["rows"] if counts["events"] > counts["duplicates"] else 0
        run = _run(self.arguments.run_id, batch_id, started, objects, counts, minute_rows)
        write(outputs.run_rows(self.spark, run), RUNS)
        return run

    def _write(self, batch_id: int, rows: DataFrame, table: Table) -> None:
        outputs.write(rows, table, self._staging(batch_id, table), SORT[table])

    def _publish(
        self, batch_id: int, events: DataFrame, run: dict[str, Any], earlier: Mapping[str, Any], paths: Sequence[str]
    ) -> None:
        files = {table: self._files(batch_id, table) for table in SORT}
        keys = sorted(key for names in files.values() for key in names.values())
        stale = set(earlier.get("keys", ())) - set(keys)
        manifest = {
            "state": "publishing",
            "batch_id": batch_id,
            "started_at": run["started_at"].isoformat(),
            "objects": [object_name(path, self.arguments.raw_path) for path in paths],
            "keys": sorted({*keys, *stale}),
        }
        self.storage.write_json(manifest_key(batch_id), manifest)
        for table in (LOGS, LOG_MINUTES, REJECTS):
            self.storage.publish(self._staging(batch_id, table), files[table])
        self.storage.delete(stale)
        for table in (LOGS, LOG_MINUTES, REJECTS):
            self.storage.register(table, sorted({_values(name) for name in files[table]}))
        self._remember(batch_id, events, run)
        self.storage.publish(self._staging(batch_id, RUNS), files[RUNS])
        shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in run.items()}
        self.storage.write_json(manifest_key(batch_id), {**manifest, "state": "published", "keys": keys, "run": shown})

    def _remember(self, batch_id: int, events: DataFrame, run: Mapping[str, Any]) -> None:
        if run["newest_received_at"] is None:
            return
        fresh = events.where(~F.col("is_reject") & (F.col("copy") == 1))
        self._ids().write(batch_id, fresh, run["counted_rows"], run["newest_received_at"])
        self._ids().prune(run["oldest_received_at"])

    def _files(self, batch_id: int, table: Table) -> dict[str, str]:
        """Return the key in the lake of every staged file of a table, numbered within its partition."""
        names = self.storage.list_files(self._staging(batch_id, table))
        folders_of = [name.rpartition("/")[0] for name in names]
        numbers = [folders_of[:position].count(folder) for position, folder in enumerate(folders_of)]
        return {
            name: f"{table.prefix}{folder + '/' if folder else ''}batch-{batch_id:08d}-{number}.parquet"
            for name, folder, number in zip(names, folders_of, numbers, strict=True)
        }

    def _staging(self, batch_id: int, table: Table | None = None) -> str:
        return f"{self.arguments.staging_path}batch-{batch_id:08d}/{table.name + '/' if table else ''}"

    def _ids(self) -> RecentIds:
        window = timedelta(hours=self.arguments.dedup_window_hours)
        return RecentIds(self.spark, self.arguments.checkpoint_path + "ids/", window)


def object_name(path: str, raw_path: str) -> str:
    """Return what names an object wherever it is mirrored: its path below `raw_path`."""
    return _plain(path).removeprefix(_plain(raw_path))


def _plain(path: str) -> str:
    return path.split(":", 1)[-1].lstrip("/")


def _values(name: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[2] for part in name.split("/")[:-1])


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
    ).first()
    counts = row.asDict()  # type: ignore[union-attr]
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in counts.items()}


def _count_duplicates(marked: DataFrame, drop_levels: Sequence[str]) -> dict[str, Any]:
    is_event = ~F.col("is_reject")
    is_kept = is_event & ~F.col("is_duplicate") & ~F.col("level").isin(*drop_levels)
    counts = marked.agg(
        F.count_if(is_event & F.col("is_duplicate")).alias("duplicates"), F.count_if(is_kept).alias("kept")
    )
    return counts.first().asDict()  # type: ignore[union-attr]


def _run(
    run_id: str, batch_id: int, started: datetime, objects: int, counts: Mapping[str, Any], minute_rows: int
) -> dict[str, Any]:
    counted = counts["events"] - counts["duplicates"]
    return {
        "run_id": run_id,
        "batch_id": batch_id,
        "started_at": started,
        "finished_at": datetime.now(UTC),
        "input_objects": objects,
        "input_rows": counts["lines"],
        "log_rows": counts["kept"],
        "minute_rows": minute_rows,
        "counted_rows": counted,
        "reject_rows": counts["rejects"],
        "duplicate_rows": counts["duplicates"],
        "dropped_level_rows": counted - counts["kept"],
        "oldest_received_at": counts["oldest"],
        "newest_received_at": counts["newest"],
    }
