"""One run of the job: a stream over the raw objects, by default until it has curated all there were at its start.

Which objects have been read is Structured Streaming's checkpoint. Which batches have been published is the lake's
manifests. They are tied by the checkpoint's own id: `manifests/epochs/<id>.json` says which batch id its first
micro-batch has. When a checkpoint is lost, the next one gets another id, its batches are numbered on from the last
manifest, and the objects that the manifests name are not curated a second time.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from glue_streaming.arguments import Arguments
from glue_streaming.batch import Curator
from glue_streaming.generations import clean_up, utc_now
from glue_streaming.lines import OBJECT_SCHEMA
from glue_streaming.publication import withdraw
from glue_streaming.reading import RawObject, object_name
from glue_streaming.report import Report
from glue_streaming.sessions import own_session
from glue_streaming.storage import EPOCHS, Storage, batch_of

START_SECONDS = 60
CONTINUOUS = "continuous"


def curate(spark: SparkSession, arguments: Arguments, storage: Storage) -> dict[str, Any]:
    """Curate every raw object not yet curated and return the report; raise what went wrong, after stopping the stream.

    With the task `continuous` the run waits for more, until stopped or its seconds are over. `spark` is left as it
    was: the run works in a session of its own.
    """
    clean_up(storage, timedelta(hours=arguments.grace_hours), utc_now())
    session = own_session(spark)
    report = Report(storage, arguments.task, arguments.run_id)
    batches = _Batches(Curator(session, arguments, storage), storage, arguments, report)
    query = None
    try:
        query = batches.start(session)
        if not query.awaitTermination(None if math.isinf(arguments.run_seconds) else arguments.run_seconds):
            batches.end(query)
    except Exception:
        if batches.failure is not None:
            raise batches.failure from None
        raise
    finally:
        if query is not None:
            query.stop()
    if batches.failure is not None:
        raise batches.failure
    if arguments.task != CONTINUOUS:
        batches.finish()
    return report.finish()


class _Ending(Exception):
    """The run is over: the batch is left to the next one."""


@dataclass(slots=True)
class _Batches:
    """The function that Structured Streaming calls for every micro-batch, and what became of them."""

    curator: Curator
    storage: Storage
    arguments: Arguments
    report: Report
    failure: Exception | None = None
    _epoch: dict[str, Any] = field(default_factory=dict)
    _query_id: str = ""
    _started: threading.Event = field(default_factory=threading.Event)
    _known_objects: frozenset[str] | None = None
    _is_ending: bool = False
    _under_way: threading.Lock = field(default_factory=threading.Lock)

    def start(self, session: SparkSession) -> Any:
        """Start the stream; unless continuous it ends by itself when all there is now has been curated."""
        objects = session.readStream.format("binaryFile").schema(OBJECT_SCHEMA)
        objects = objects.option("recursiveFileLookup", "true")
        objects = objects.option("maxFilesPerTrigger", str(self.arguments.max_files_per_batch))
        objects = objects.option("maxFileAge", f"{self.arguments.max_file_age_days}d")
        paths = objects.load(self.arguments.raw_path).select("path", "length")
        writer = paths.writeStream.foreachBatch(self._curate)
        if self.arguments.task == CONTINUOUS:
            writer = writer.trigger(processingTime=f"{self.arguments.interval_seconds} seconds")
        else:
            writer = writer.trigger(availableNow=True)
        query = writer.option("checkpointLocation", self.arguments.checkpoint_path + "stream/").start()
        self._query_id = str(query.id)
        self._started.set()
        return query

    def end(self, query: Any) -> None:
        """Stop the stream after the batch that is under way."""
        self._is_ending = True
        with self._under_way:
            pass  # a batch that begins from now on gives up by itself
        query.stop()

    def finish(self) -> None:
        """Note that this checkpoint has met every object: from now on the checkpoint alone says what is new."""
        if self._epoch and not self._epoch["caught_up"]:
            self.storage.write_json(self._epoch_key(), {**self._epoch, "caught_up": True})

    def _curate(self, objects: DataFrame, stream_batch_id: int) -> None:
        with self._under_way:
            if self._is_ending:
                raise _Ending
            try:
                self._started.wait(START_SECONDS)
                self._epoch = self._epoch or self._load_epoch()
                found = [RawObject(row.path, row.length) for row in objects.collect()]
                self._curate_new(self._epoch["first_batch"] + stream_batch_id, found)
            except Exception as error:
                self.failure = error
                raise

    def _curate_new(self, batch_id: int, objects: Sequence[RawObject]) -> None:
        known = self._objects_of_earlier_checkpoints()
        new = [found for found in objects if object_name(found.path, self.arguments.raw_path) not in known]
        if not new:
            return
        run = self.curator.curate(batch_id, sorted(new, key=lambda found: found.path))
        if run["run_id"] == self.arguments.run_id:  # one that was stopped after it published has it in its own report
            self.report.add(run)

    def _load_epoch(self) -> dict[str, Any]:
        epoch = self.storage.read_json(self._epoch_key())
        if epoch is None:
            manifests = self.storage.list_manifests()
            first = batch_of(manifests[-1]) + 1 if manifests else 0
            epoch = {"first_batch": first, "caught_up": first == 0}
            self.storage.write_json(self._epoch_key(), epoch)
        return epoch

    def _objects_of_earlier_checkpoints(self) -> frozenset[str]:
        """Return the objects that lost checkpoints' batches published; what one left unfinished is withdrawn first."""
        if self._epoch["caught_up"]:
            return frozenset()
        if self._known_objects is None:
            keys = [key for key in self.storage.list_manifests() if batch_of(key) < self._epoch["first_batch"]]
            names: set[str] = set()
            for key in keys:
                names.update(self._published_objects(key))
            self._known_objects = frozenset(names)
        return self._known_objects

    def _published_objects(self, key: str) -> Sequence[str]:
        withdraw(self.storage, key)
        objects: Sequence[str] = (self.storage.read_json(key) or {}).get("objects", ())
        return objects

    def _epoch_key(self) -> str:
        return f"{EPOCHS}{self._query_id}.json"
