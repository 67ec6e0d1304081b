"""`--task compact`: the many small files of closed days become few large ones, and `log_minutes` one row per key."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from catalog.errors import LoglakeError
from catalog.tables import LOG_MINUTES
from glue_streaming import closed_days, folders, generations, outputs
from glue_streaming.arguments import Arguments
from glue_streaming.closed_days import Rewriting
from glue_streaming.minutes import merge_minutes
from glue_streaming.sessions import own_session
from glue_streaming.storage import REPORTS, Storage

_AT_ONCE = 2
Report = dict[str, Any]


def compact(spark: SparkSession, arguments: Arguments, storage: Storage) -> Report:
    """Rewrite what is worth it and return the report; a run that is interrupted goes on with the next."""
    began, now = time.monotonic(), generations.utc_now()
    removed = generations.clean_up(storage, timedelta(hours=arguments.grace_hours), now)
    found, skipped = closed_days.find(storage, now.date(), arguments.before_days)
    compactor = _Compactor(own_session(spark), arguments, storage)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        partitions = list(pool.map(compactor.rewrite, found))
    report = {
        "task": arguments.task,
        "run_id": arguments.run_id,
        "state": "done",
        "seconds": round(time.monotonic() - began, 1),
        "partitions": partitions,
        "skipped": skipped,
        "removed_files": removed,
        "totals": closed_days.totals(partitions),
    }
    storage.write_json(f"{REPORTS}{arguments.run_id}.json", report)
    return report


@dataclass(frozen=True, slots=True)
class _Compactor:
    spark: SparkSession
    arguments: Arguments
    storage: Storage

    def rewrite(self, found: Rewriting) -> Report:
        """Rewrite one partition, check that it holds what it held, and move its location."""
        staging = f"{self.arguments.staging_path}compact-{found.name.replace('/', '-')}/"
        folders.delete(self.spark, staging)
        try:
            paths = self.storage.fetch(sorted(found.files), staging + "before/")
            before = outputs.read(self.spark, found.table, paths)
            after_folder = staging + "after/"
            outputs.write_files(_merge(found)(before), found.table, after_folder, found.target_files)
            names = self.storage.list_files(after_folder)
            after = outputs.read(self.spark, found.table, [after_folder + name for name in names])
            _must_hold(found, _weigh(found, before), _weigh(found, after))
            generation = generations.Generation(found.table, found.values, found.folder)
            generation.replace(self.storage, after_folder, names, generations.utc_now())
        finally:
            folders.delete(self.spark, staging)
        return closed_days.entry(found, len(names), sum(self.storage.list_sizes(generation.new).values()))


def _merge(found: Rewriting) -> Callable[[DataFrame], DataFrame]:
    return merge_minutes if found.table == LOG_MINUTES else lambda rows: rows


def _weigh(found: Rewriting, rows: DataFrame) -> int:
    """Return what rewriting must not change: the events counted, or the rows."""
    weight = F.sum("event_count") if found.table == LOG_MINUTES else F.count(F.lit(1))
    return int(rows.agg(weight).collect()[0][0] or 0)


def _must_hold(found: Rewriting, before: int, after: int) -> None:
    if before != after:
        raise LoglakeError(
            f"{found.name} must hold {before} events after rewriting; got {after}; it was left as it was"
        )
