"""The Firehose engine: the put operations, the feed from Kinesis, and the delivery streams behind them."""

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pybase64

from catalog.errors import LoglakeError
from localcloud import emulator
from localcloud.data_dir import read_json, write_atomically
from localcloud.delivery import configuration, extraction
from localcloud.delivery.aws import Services
from localcloud.delivery.configuration import Configuration, Unsupported
from localcloud.delivery.metrics import metric_data
from localcloud.delivery.record import Record
from localcloud.delivery.spool import SpoolFull
from localcloud.delivery.stream import LINGER_SECONDS, DeliveryStream
from localcloud.engine import Context, Operation, Parameters, ServiceError
from localcloud.stream_journal import StreamJournal

MAX_RECORD_BYTES = 1000 * 1024
MAX_BATCH_RECORDS = 500
MAX_BATCH_BYTES = 4 * 1024 * 1024
SUPERVISE_SECONDS = 1.0
METRICS_SECONDS = 60.0

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
logger = logging.getLogger(__name__)


class DeliveryEngine:
    """Every delivery stream of the endpoint."""

    name = "delivery"

    def __init__(self, context: Context, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self._folder = context.data_dir / "delivery"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._region = context.region
        self._account_id = context.account_id
        self._services = Services(context)
        self._linger_seconds = linger_seconds
        self._lock = threading.RLock()
        self._streams: dict[str, DeliveryStream] = {}
        self._stopped = threading.Event()
        self.journal = StreamJournal(context.data_dir / "streams")
        self._supervisor = threading.Thread(target=self._supervise, name="delivery", daemon=True)
        self.operations: Mapping[str, Operation] = {
            "Firehose_20150804.PutRecord": self.put_record,
            "Firehose_20150804.PutRecordBatch": self.put_record_batch,
        }

    def start(self) -> None:
        """Take up every delivery stream there is, and give the Kinesis streams their records back."""
        self.journal.restore()
        self._reconcile()
        self._supervisor.start()

    def stop(self) -> None:
        """Refuse further puts and end; what was acknowledged is on disk."""
        self._stopped.set()
        self._supervisor.join(timeout=10)
        for stream in self._streams.values():
            stream.stop()

    def status(self) -> dict[str, Any]:
        """Return the figures of each delivery stream by its name."""
        return {stream.configuration.name: stream.status() for stream in list(self._streams.values())}

    def put_record(self, parameters: Parameters) -> Parameters:
        """Answer `PutRecord`."""
        stream = self._for_direct_put(parameters)
        data = _data(parameters.get("Record"))
        self._put(stream, [Record(_now_ms(), data)])
        return {"RecordId": uuid.uuid4().hex, "Encrypted": False}

    def put_record_batch(self, parameters: Parameters) -> Parameters:
        """Answer `PutRecordBatch`: all records are taken, or the whole call is refused."""
        stream = self._for_direct_put(parameters)
        datas = [_data(record) for record in _records(parameters)]
        if sum(len(data) for data in datas) > MAX_BATCH_BYTES:
            raise ServiceError("InvalidArgumentException", "Records size exceeds 4 MB limit")
        now_ms = _now_ms()
        self._put(stream, [Record(now_ms, data) for data in datas])
        seed = uuid.uuid4().hex
        answers = [{"RecordId": f"{seed}{index:04d}"} for index in range(len(datas))]
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": answers}

    @contextmanager
    def ingest(self, stream_arn: str, records: Sequence[tuple[str, bytes, str, str]]) -> Iterator[None]:
        """Spool what is put into a Kinesis stream, as (partition key, data, shard id, sequence number).

        Every delivery stream that exists at that moment with this source gets it when the block ends, or none if one of
        them can't take it or the block raises; one created later does not.
        """
        now_ms = _now_ms()
        sourced = [each for each in emulator.delivery_streams().values() if _source_arn(each) == stream_arn]
        streams = [self._running(raw) for raw in sourced]  # all of them before any spool is held: this takes our lock
        placed = [Record(now_ms, data, key, number, shard) for key, data, shard, number in records]
        with ExitStack() as stack:
            for stream in filter(None, streams):
                stack.enter_context(stream.holding(placed))
            yield

    def _for_direct_put(self, parameters: Parameters) -> DeliveryStream:
        name = parameters.get("DeliveryStreamName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ServiceError(
                "InvalidArgumentException", f"DeliveryStreamName must match {_NAME.pattern}; got {name!r}"
            )
        raw = emulator.delivery_streams().get(name)
        if raw is None:
            message = f"Firehose {name} under account {self._account_id} not found."
            raise ServiceError("ResourceNotFoundException", message)
        if raw["type"] != "DirectPut":
            message = f"This operation is not permitted on {raw['type']} delivery stream type."
            raise ServiceError("InvalidArgumentException", message)
        stream = self._running(raw)
        if stream is None:
            raise ServiceError(
                "InvalidArgumentException", f"Firehose {name} has no S3 destination, the only kind built here."
            )
        return stream

    def _put(self, stream: DeliveryStream, records: Sequence[Record]) -> None:
        if self._stopped.is_set():
            raise ServiceError("ServiceUnavailableException", "The endpoint is stopping.", 503)
        try:
            stream.put(records)
        except (SpoolFull, OSError) as error:
            stream.counters.add(ThrottledRecords=len(records))
            raise ServiceError("ServiceUnavailableException", f"Slow down: {error}", 503) from error

    def _running(self, raw: Mapping[str, Any]) -> DeliveryStream | None:
        """Return the stream at work for the emulator's record of it, starting it if need be; None if it isn't to S3."""
        identity = f"{raw['name']}@{int(float(raw['created_at']) * 1000)}"
        stream = self._streams.get(identity)
        if stream is not None and stream.configuration.version == str(raw["version"]):
            return stream
        with self._lock:
            return self._started(identity, raw)

    def _started(self, identity: str, raw: Mapping[str, Any]) -> DeliveryStream | None:
        current = configuration.read(raw)
        if current is None:
            return None
        folder = self._folder / identity
        folder.mkdir(parents=True, exist_ok=True)
        description = {**raw, "destinations": [{**each, "records": []} for each in raw["destinations"]]}
        write_atomically(folder / "description.json", json.dumps(description).encode())
        if identity in self._streams:
            self._streams[identity].configuration = current
            return self._streams[identity]
        return self._start_stream(identity, current)

    def _start_stream(self, identity: str, current: Configuration) -> DeliveryStream:
        stream = DeliveryStream(
            self._folder / identity, current, self._region, self._services, linger_seconds=self._linger_seconds
        )
        self._streams[identity] = stream
        stream.start()
        return stream

    def _reconcile(self) -> None:
        """Start what was created, close what was deleted, and finish what a kill left of streams that are gone."""
        wanted = set()
        for raw in emulator.delivery_streams().values():
            wanted.add(f"{raw['name']}@{int(float(raw['created_at']) * 1000)}")
            self._running(raw)
        with self._lock:
            for folder in self._folder.iterdir():
                if folder.name not in wanted and folder.name not in self._streams:
                    self._start_orphan(folder)
            for identity, stream in list(self._streams.items()):
                if identity not in wanted and not stream.closing:
                    stream.close()
                if stream.is_done():
                    stream.remove()
                    del self._streams[identity]

    def _start_orphan(self, folder: Path) -> None:
        raw = read_json(folder / "description.json")
        current = configuration.read(raw) if raw else None
        if current is None:
            logger.error("what is left in %s can't be delivered: its description is gone", folder)
            return
        self._start_stream(folder.name, current)

    def _supervise(self) -> None:
        metrics_at = time.monotonic() + METRICS_SECONDS
        while not self._stopped.wait(SUPERVISE_SECONDS):
            try:
                self._reconcile()
                if time.monotonic() >= metrics_at:
                    metrics_at += METRICS_SECONDS
                    self._put_metrics()
            except (LoglakeError, OSError) as error:
                logger.error("delivery: %s", error)

    def _put_metrics(self) -> None:
        for stream in list(self._streams.values()):
            stream.observe()
            self._services.put_metrics(metric_data(stream.configuration.name, stream.counters.take()))


def refusal(request: Mapping[str, Any]) -> str:
    """Return why a CreateDeliveryStream or UpdateDestination must be refused; empty when it is fine."""
    for kind in ("ExtendedS3DestinationConfiguration", "ExtendedS3DestinationUpdate", "S3DestinationConfiguration"):
        config = request.get(kind)
        if config is None:
            continue
        try:
            configuration.check(config)
        except Unsupported as error:
            return str(error)
        query = configuration.read_processors(config).get("MetadataExtraction", {}).get("MetadataExtractionQuery")
        problem = extraction.check(query) if query else ""
        if problem:
            return f"MetadataExtractionQuery must be jq 1.6; got {problem}"
    return ""


def build(context: Context) -> DeliveryEngine:
    """Return the engine, fed by Kinesis from now on: no put of a record may come before it."""
    engine = DeliveryEngine(context)
    emulator.guard_delivery_streams(refusal)
    emulator.feed_delivery(engine.ingest, engine.journal.put)
    return engine


def _records(parameters: Parameters) -> list[Any]:
    records = parameters.get("Records")
    if not isinstance(records, list) or not records:
        raise ServiceError("InvalidArgumentException", "Records must hold at least one record.")
    if len(records) > MAX_BATCH_RECORDS:
        raise ServiceError("InvalidArgumentException", f"Records must hold at most {MAX_BATCH_RECORDS} records.")
    return records


def _data(record: Any) -> bytes:
    data = record.get("Data") if isinstance(record, dict) else None
    if not isinstance(data, str):
        raise ServiceError("InvalidArgumentException", "Record must have Data.")
    try:
        decoded = pybase64.b64decode(data, validate=True)
    except ValueError as error:
        raise ServiceError("SerializationException", f"Data must be base64: {error}") from None
    if len(decoded) > MAX_RECORD_BYTES:
        raise ServiceError(
            "InvalidArgumentException", f"Data must have at most {MAX_RECORD_BYTES} bytes; got {len(decoded)}"
        )
    return decoded


def _source_arn(raw: Mapping[str, Any]) -> Any:
    return (raw.get("kinesis_source") or {}).get("KinesisStreamARN")


def _now_ms() -> int:
    return int(time.time() * 1000)
