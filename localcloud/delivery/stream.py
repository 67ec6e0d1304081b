"""One delivery stream at work: a thread that reads its spool and fills buffers, and one that uploads sealed buffers."""

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.delivery import pipeline
from localcloud.delivery.aws import Services
from localcloud.delivery.buffers import Buffer, Buffers
from localcloud.delivery.configuration import MB, Configuration
from localcloud.delivery.metrics import Counters
from localcloud.delivery.record import Record, decode, encode
from localcloud.delivery.spool import Spool
from localcloud.delivery.transformation import Event, Reply
from localcloud.delivery.uploads import bucket_of, put

MAX_ACTIVE_PARTITIONS = 500
LINGER_SECONDS = 1.0
"""How long a small batch waits for company before it goes to the function."""
IN_FLIGHT = 2
"""Batches in the function at once; they enter the buffers in their order."""
TICK_SECONDS = 0.5
MAX_BUFFERED_BYTES = 1024**3
"""Bytes in buffers above which the spool is read no further: while S3 takes nothing it fills, and then refuses puts."""
MAX_BACKOFF_SECONDS = 30.0
DISK_RETRY_SECONDS = 5.0
GIVE_UP_ATTEMPTS = 3
"""Uploads tried for a delivery stream that was deleted, whose bucket may be gone too."""

logger = logging.getLogger(__name__)
Batch = tuple[list[Record], int]


class Stopping(Exception):
    """The thread is to end: what it was at is left for the next start."""


class DeliveryStream:
    """Delivers everything put into it, in order per partition, at least once, over any number of kills."""

    def __init__(
        self, folder: Path, configuration: Configuration, region: str, services: Services, *, linger_seconds: float
    ) -> None:
        self.configuration = configuration
        self.counters = Counters()
        self.closing = False
        self._folder = folder
        self._region = region
        self._services = services
        self._linger_seconds = linger_seconds
        self._spool = Spool(folder / "spool")
        self._buffers = Buffers(folder / "buffers")
        self._stopped = threading.Event()
        self._sealed = threading.Event()
        self._last_error = ""
        self._exceeded = False
        self._threads = [
            threading.Thread(target=self._deliver, name=f"deliver-{configuration.name}", daemon=True),
            threading.Thread(target=self._upload, name=f"upload-{configuration.name}", daemon=True),
        ]

    def start(self) -> None:
        """Begin, or go on after a restart."""
        for thread in self._threads:
            thread.start()

    def put(self, records: Sequence[Record]) -> int:
        """Put records on disk and return the spool's end; raise `SpoolFull` or `OSError` if they are not there."""
        with self.holding(records):
            pass
        return self._spool.end

    @contextmanager
    def holding(self, records: Sequence[Record]) -> Iterator[None]:
        """Have records on disk as `put` does; they are delivered when the block ends, and forgotten if it raises."""
        with self._spool.holding([encode(record) for record in records]):
            yield
        self.counters.add(IncomingRecords=len(records), IncomingBytes=sum(len(record.data) for record in records))

    def close(self) -> None:
        """Deliver what is there at once, and then end: the delivery stream was deleted."""
        self.closing = True
        self._spool.wake()

    def is_done(self) -> bool:
        """Tell whether a closed stream has delivered everything."""
        return self.closing and not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End the threads; what is not delivered stays on disk."""
        self._stopped.set()
        self._sealed.set()
        self._spool.wake()
        for thread in self._threads:
            thread.join(timeout=10)

    def remove(self) -> None:
        """Remove the folder of a stream that is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def status(self) -> dict[str, Any]:
        """Return what is delivered and what waits."""
        oldest_ms = self._oldest_ms()
        return {
            "incoming_records": int(self.counters.totals.get("IncomingRecords", 0)),
            "delivered_records": int(self.counters.totals.get("DeliveryToS3.Records", 0)),
            "delivered_objects": int(self.counters.totals.get("DeliveryToS3.ObjectCount", 0)),
            "spooled_bytes": self._spool.end - self._buffers.offset,
            "buffered_bytes": self._buffers.size_bytes(),
            "active_partitions": self._buffers.active_partitions(),
            "oldest_age_seconds": None if oldest_ms is None else round(time.time() - oldest_ms / 1000, 1),
            "last_error": self._last_error,
        }

    def observe(self) -> None:
        """Note the figures that are states and not events, for the metrics."""
        oldest_ms = self._oldest_ms()
        freshness = 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        self.counters.add(
            DeliveryToS3__DataFreshness=freshness,
            PartitionCount=self._buffers.active_partitions(),
            ActivePartitionsLimit=MAX_ACTIVE_PARTITIONS,
            PartitionCountExceeded=int(self._exceeded),
        )
        self._exceeded = False

    def _oldest_ms(self) -> int | None:
        buffered = self._buffers.oldest_ms()
        if buffered is None and self._spool.end > self._buffers.offset:
            payloads, _ = self._spool.read(self._buffers.offset, 1)
            return decode(payloads[0]).arrival_ms if payloads else None
        return buffered

    def _deliver(self) -> None:
        pending: deque[tuple[Future[list[pipeline.Group]], int]] = deque()
        offset = max(self._buffers.offset, self._spool.start)
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix=f"transform-{self.configuration.name}") as executor:
            while not self._stopped.is_set() and not self._is_drained(offset, pending):
                records, reached = self._next_batch(offset, patient=not pending)
                if records:
                    configuration = self.configuration
                    run = executor.submit(pipeline.run, configuration, self._region, records, self._invoke)
                    pending.append((run, reached))
                    offset = reached
                if pending and (len(pending) >= IN_FLIGHT or not records):
                    self._enter(*pending.popleft())
                self._seal_due()
        self._sealed.set()

    def _is_drained(self, offset: int, pending: Sequence[Any]) -> bool:
        if not self.closing or pending or offset < self._spool.end:
            return False
        self._seal_due(everything=True)
        return not self._buffers.due(time.time(), 0, 0.0)

    def _next_batch(self, offset: int, *, patient: bool) -> Batch:
        if self._buffers.size_bytes() > MAX_BUFFERED_BYTES:
            self._stopped.wait(TICK_SECONDS)
            return [], offset
        transformation = self.configuration.transformation
        limit_bytes = transformation.batch_bytes if transformation else MB
        if patient and self._spool.wait(offset, TICK_SECONDS):
            deadline = time.monotonic() + self._linger_seconds
            while self._spool.end - offset < limit_bytes and time.monotonic() < deadline and not self._is_ending():
                self._stopped.wait(0.02)
        payloads, reached = self._spool.read(offset, limit_bytes)
        return [decode(payload) for payload in payloads], reached

    def _is_ending(self) -> bool:
        return self.closing or self._stopped.is_set()

    def _invoke(self, function_arn: str, event: Event) -> Reply:
        """Call the function; one that fails while the endpoint stops is no record's fault."""
        reply = self._services.invoke(function_arn, event)
        if reply.code and self._stopped.is_set():
            raise Stopping
        return reply

    def _enter(self, run: Future[list[pipeline.Group]], reached: int) -> None:
        """Commit a batch to the buffers; a batch that is not in them when the thread stops is read again."""
        try:
            transformed = run.result()
        except Stopping:
            return
        while not self._stopped.is_set():
            groups = list(self._within_limit(transformed))
            try:
                self._buffers.append(groups, reached, time.time())
            except OSError as error:
                self._wait_for_disk(error)
            else:
                self._spool.release(self._buffers.releasable)
                return

    def _wait_for_disk(self, error: OSError) -> None:
        self._last_error = f"buffers: {error}"
        logger.error("delivery stream %s: %s", self.configuration.name, self._last_error)
        self._stopped.wait(DISK_RETRY_SECONDS)

    def _within_limit(self, groups: Sequence[pipeline.Group]) -> Iterator[pipeline.Group]:
        """Yield the groups, those that would open a partition too many as errors."""
        active = self._buffers.active_partitions()
        for group in groups:
            opens = bool(group.keys) and not group.output_type and not self._buffers.is_open(group)
            if opens and active >= MAX_ACTIVE_PARTITIONS:
                self._last_error = f"more than {MAX_ACTIVE_PARTITIONS} active partitions"
                self._exceeded = True
                yield from pipeline.overflow(group)
            else:
                active += opens
                yield group

    def _seal_due(self, *, everything: bool = False) -> None:
        configuration = self.configuration
        due = self._due(configuration, at_once=everything or self.closing)
        if not due:
            return
        try:
            self._buffers.seal([(each, bucket_of(configuration, each), self._key(configuration, each)) for each in due])
        except OSError as error:
            self._wait_for_disk(error)
        else:
            self._sealed.set()

    def _due(self, configuration: Configuration, *, at_once: bool) -> list[Buffer]:
        """Return the buffers to be closed: the backup has buffering hints of its own."""
        now, backup = time.time(), configuration.backup
        hints = configuration.buffer_bytes, 0.0 if at_once else configuration.buffer_seconds
        due = self._buffers.due(now, *hints)
        if backup is None:
            return due
        others = [each for each in due if each.output_type != pipeline.SOURCE_BACKUP]
        due = self._buffers.due(now, backup.buffer_bytes, 0.0 if at_once else backup.buffer_seconds)
        return others + [each for each in due if each.output_type == pipeline.SOURCE_BACKUP]

    @staticmethod
    def _key(configuration: Configuration, buffer: Buffer) -> str:
        return pipeline.key_of(configuration, buffer.keys, buffer.output_type, buffer.oldest_ms, buffer.identity)

    def _upload(self) -> None:
        while not self._stopped.is_set():
            self._sealed.wait(TICK_SECONDS)
            self._sealed.clear()
            for buffer in self._buffers.sealed():
                self._upload_until_done(buffer)
            if self.closing and not self._threads[0].is_alive() and not self._buffers.sealed():
                return

    def _upload_until_done(self, buffer: Buffer) -> None:
        attempt = 0
        while not self._stopped.is_set():
            try:
                put(self.configuration, buffer, self._buffers.path(buffer), self._folder, self._services)
            except Exception as error:  # whatever it was, the buffer stays and is tried again
                attempt += 1
                self._report(buffer, error, attempt)
                if self.closing and attempt >= GIVE_UP_ATTEMPTS:
                    break
                self._stopped.wait(min(2.0**attempt / 2, MAX_BACKOFF_SECONDS))
            else:
                self._note_delivered(buffer)
                break
        else:
            return
        try:
            self._buffers.remove(buffer)
        except OSError as error:  # it is put once more, under the same key
            self._wait_for_disk(error)

    def _note_delivered(self, buffer: Buffer) -> None:
        self._last_error = ""
        if buffer.output_type == pipeline.SOURCE_BACKUP:
            self.counters.add(
                BackupToS3__Success=1, BackupToS3__Records=buffer.records, BackupToS3__Bytes=buffer.length
            )
            return
        self.counters.add(DeliveryToS3__Success=1)
        if not buffer.output_type:
            self.counters.add(
                DeliveryToS3__Records=buffer.records, DeliveryToS3__Bytes=buffer.length, DeliveryToS3__ObjectCount=1
            )

    def _report(self, buffer: Buffer, error: Exception, attempt: int) -> None:
        self._last_error = f"s3://{buffer.bucket}/{buffer.key}: {error}"
        self.counters.add(DeliveryToS3__Success=0)
        if attempt in (1, GIVE_UP_ATTEMPTS):
            logger.error("delivery stream %s can't deliver %s", self.configuration.name, self._last_error)
