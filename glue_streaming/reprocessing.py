"""`--task reprocess --from --to`: days rebuilt from raw, each partition swapped as a compaction swaps it.

A day is rebuilt from the objects in its raw folders that published batches have read: what is still to be curated is
left to the batch that will curate it, or its events would be there twice. A day is swapped only if raw still has every
event that the lake has of it: objects that have expired are no reason to lose what was made of them.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from catalog.tables import LOG_MINUTES, LOGS, Table
from glue_streaming import closed_days, folders, outputs
from glue_streaming.arguments import Arguments
from glue_streaming.counting import without_duplicates
from glue_streaming.generations import Generation, clean_up, utc_now
from glue_streaming.known_patterns import KnownPatterns
from glue_streaming.publication import published_objects, unfinished_keys
from glue_streaming.reading import RawObject, Reader
from glue_streaming.report import DONE, elapsed
from glue_streaming.sessions import own_session
from glue_streaming.storage import REPORTS, Storage

Folders = dict[tuple[str, ...], str]


def reprocess(spark: SparkSession, arguments: Arguments, storage: Storage) -> dict[str, Any]:
    """Rebuild the days from `from_day` to `to_day` and return the report."""
    began = utc_now()
    assert arguments.from_day and arguments.to_day
    clean_up(storage, timedelta(hours=arguments.grace_hours), began)
    rebuilder = _Rebuilder(own_session(spark), arguments, storage)
    objects = published_objects(storage)
    unfinished = unfinished_keys(storage)
    count = (arguments.to_day - arguments.from_day).days + 1
    days = [arguments.from_day + timedelta(days=number) for number in range(count)]
    entries = [
        rebuilder.rebuild(day, [name for name in objects if _folder_of(day) in name], unfinished) for day in days
    ]
    report = {
        "task": arguments.task,
        "run_id": arguments.run_id,
        "state": DONE,
        "seconds": elapsed(began),
        "days": entries,
        "totals": {"rebuilt_days": sum(entry["state"] == "rebuilt" for entry in entries), "days": len(entries)},
    }
    storage.write_json(f"{REPORTS}{arguments.run_id}.json", report)
    return report


@dataclass(frozen=True, slots=True)
class _Rebuilder:
    spark: SparkSession
    arguments: Arguments
    storage: Storage

    def rebuild(self, day: date, names: Sequence[str], unfinished: frozenset[str]) -> dict[str, Any]:
        """Rebuild one day and return what the report says of it."""
        entry: dict[str, Any] = {"day": day.isoformat(), "objects": len(names)}
        current = {table: self._partitions(table, day) for table in (LOGS, LOG_MINUTES)}
        touched = [folder for found in current.values() for folder in found.values()]
        if any(closed_days.is_touched(folder, unfinished) for folder in touched):
            return {**entry, "state": "left", "reason": "a batch is half published into it; curate first"}
        if not names:
            return {**entry, "state": "left", "reason": "no raw object of it has been curated"}
        staging = f"{self.arguments.staging_path}reprocess-{day.isoformat()}/"
        folders.delete(self.spark, staging)
        with ExitStack() as cleanup:
            cleanup.callback(folders.delete, self.spark, staging)
            events, counts = self._events(day, names, cleanup)
            reason = self._missing(events, current, staging)
            if reason:
                return {**entry, "state": "left", "reason": reason}
            self._stage(events, staging)
            moved = [self._swap(table, current[table], staging) for table in (LOGS, LOG_MINUTES)]
        return {**entry, **counts, "state": "rebuilt", "partitions": sum(moved)}

    def _events(self, day: date, names: Sequence[str], cleanup: ExitStack) -> tuple[DataFrame, dict[str, int]]:
        """Return the day's events, each once, and the counts of all that its objects hold."""
        reader = Reader(self.spark, self.arguments.levels, self.arguments.arrow_from_bytes, cleanup)
        sizes = folders.sizes(self.spark, [self.arguments.raw_path + name for name in names])
        events, counts = reader.read([RawObject(path, size) for path, size in sizes.items()])
        marked, copies = reader.mark_copies(events)
        marked = marked.withColumn("is_seen", F.lit(False))
        counts = without_duplicates(counts, copies, self.arguments.levels)
        own = marked.where(~F.col("is_reject") & (F.to_date("timestamp") == F.lit(day)))
        names_kept = ("input_rows", "log_rows", "counted_rows", "reject_rows", "duplicate_rows")
        return own, {name: counts[name] for name in names_kept}

    def _missing(self, events: DataFrame, current: dict[Table, Folders], staging: str) -> str:
        """Return what raw no longer has of what the lake has, in words; nothing if it has it all."""
        minutes = self._rows(LOG_MINUTES, current[LOG_MINUTES], staging)
        counted = (minutes.agg(F.sum("event_count")).collect()[0][0] or 0) if minutes else 0
        copies = events.count()
        if copies < counted:
            return f"raw must hold the {counted} events that the lake counts; got {copies}"
        logs = self._rows(LOGS, current[LOGS], staging)
        lost = logs.join(events.select("event_id"), "event_id", "left_anti").count() if logs else 0
        return f"raw must hold every event of `logs`; got {lost} fewer" if lost else ""

    def _rows(self, table: Table, partitions: Folders, staging: str) -> DataFrame | None:
        keys = [key for folder in partitions.values() for key in self.storage.list_sizes(folder)]
        if not keys:
            return None
        return outputs.read(self.spark, table, self.storage.fetch(keys, f"{staging}before-{table.name}/"))

    def _stage(self, events: DataFrame, staging: str) -> None:
        fresh = KnownPatterns(self.spark, self.storage).apply(events.where(~F.col("is_copy")))
        outputs.write(outputs.minute_rows(fresh), LOG_MINUTES, f"{staging}{LOG_MINUTES.name}/")
        outputs.write(outputs.log_rows(fresh, self.arguments.levels), LOGS, f"{staging}{LOGS.name}/")

    def _swap(self, table: Table, current: Folders, staging: str) -> int:
        """Swap a table's partitions of the day; return how many."""
        folder = f"{staging}{table.name}/"
        staged: dict[tuple[str, ...], list[str]] = {values: [] for values in current}
        for name in self.storage.list_files(folder):
            values = tuple(part.partition("=")[2] for part in name.split("/")[:-1])
            staged.setdefault(values, []).append(name)
        for values, names in sorted(staged.items()):
            default = table.prefix + table.partition_folder(values)
            if values not in current:
                self.storage.register(table, {values: default})
            Generation(table, values, current.get(values, default)).replace(self.storage, folder, names, utc_now())
        return len(staged)

    def _partitions(self, table: Table, day: date) -> Folders:
        found = self.storage.all_folders(table)
        return {values: folder for values, folder in found.items() if closed_days.day_of(values) == day}


def _folder_of(day: date) -> str:
    return f"/year={day:%Y}/month={day:%m}/day={day:%d}/"
