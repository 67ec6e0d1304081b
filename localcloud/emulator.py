"""The emulator behind the engines: ministack, pinned, bent where it would lose data or grow without bound.

The one module that knows ministack's insides. `environment` must be applied before ministack is first imported.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import orjson

from localcloud import object_reads, provisioners, resharding, retention
from localcloud.data_dir import DataDir

Ingest = Callable[[str, list[tuple[str, bytes, str, str]]], AbstractContextManager[None]]
logger = logging.getLogger(__name__)


def environment(data_dir: DataDir, port: int, region: str) -> dict[str, str]:
    """Return the environment in which ministack, and every process that the endpoint starts, must run."""
    endpoint_url = f"http://127.0.0.1:{port}"
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data_dir.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data_dir.s3),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": f"unix://{data_dir.root / 'no-docker.sock'}",  # else it reaps containers that are not ours
        "TMPDIR": str(data_dir.tmp),
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def load() -> Any:
    """Import ministack, bend it, and return its ASGI application."""
    from ministack import app as ministack_app
    from ministack.core import lambda_runtime
    from ministack.services import firehose, kinesis, lambda_svc, s3

    provisioners.install()
    retention.install()
    resharding.install()
    kinesis.get_state = _kinesis_state
    lambda_svc.json = lambda_runtime.json = _FastJson()
    s3._persist_object = _persisting_or_failing(s3._persist_object)
    s3._read_body = object_reads.from_files(s3._read_body)
    firehose._dest_description = _describing_all(firehose._dest_description)
    return ministack_app.app


@dataclass(frozen=True, slots=True)
class Invocation:
    """What calling a function gave: the value it returned or raised; with `error_code`, why it was not called."""

    value: Any = None
    is_function_error: bool = False
    error_code: str = ""
    message: str = ""


def invoke_function(arn: str, event: Any) -> Invocation:
    """Call a function as `Invoke` does, and wait; `event` is what JSON can say. Not for the event loop's thread.

    Raises `ValueError` if what a custom runtime answered is no JSON.
    """
    from ministack.services import lambda_svc

    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(arn)
    record, _ = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    if record is None:
        return Invocation(error_code="ResourceNotFoundException", message=f"Function not found: {arn}")
    began = time.monotonic()
    result = lambda_svc._execute_function_with_config_scope(record, event)
    passed_ms = (time.monotonic() - began) * 1000
    is_error, is_throttled = bool(result.get("error")), bool(result.get("throttle"))
    lambda_svc._emit_lambda_metrics(name, duration_ms=passed_ms, error=is_error, throttle=is_throttled)
    value = result.get("body")
    if is_throttled:
        return Invocation(error_code="TooManyRequestsException", message=str(value))
    if isinstance(value, bytes) or result.get("raw_payload"):
        value = json.loads(value)
    return Invocation(value, is_error)


class _FastJson:
    """The `json` module for Lambda's payloads of megabytes: the same results, several times faster."""

    JSONDecodeError = json.JSONDecodeError

    @staticmethod
    def loads(content: str | bytes, **options: Any) -> Any:
        if options:
            return json.loads(content, **options)
        try:
            return orjson.loads(content)
        except ValueError:  # NaN and the like, which only the standard library takes
            return json.loads(content)

    @staticmethod
    def dumps(value: Any, **options: Any) -> str:
        if options not in ({}, {"ensure_ascii": False}):
            return json.dumps(value, **options)
        try:
            return orjson.dumps(value).decode()
        except TypeError:  # keys that are no strings, integers of more than 64 bits
            return json.dumps(value)

    def __getattr__(self, name: str) -> Any:
        return getattr(json, name)


def _persisting_or_failing(persist: Callable[..., None]) -> Callable[..., None]:
    """Make a put fail that did not reach the disk: ministack would acknowledge it and keep the body in memory."""

    def persist_or_fail(bucket: str, key: str, stored: Any) -> None:
        persist(bucket, key, stored)
        if isinstance(stored, dict) and stored.get("body") is not None:  # what is on disk has left memory
            raise OSError(f"s3://{bucket}/{key} can't be written to the data directory; is its disk full?")

    return persist_or_fail


def _describing_all(describe: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add to a delivery stream's description what ministack leaves out of it."""

    def describe_all(destination: Any) -> Any:
        description = describe(destination)
        for name, block in description.items():
            if name in ("ExtendedS3DestinationDescription", "S3DestinationDescription"):
                kept = {each: destination["config"].get(each) for each in ("FileExtension", "CustomTimeZone")}
                block.update({each: value for each, value in kept.items() if value})
                if destination["config"].get("S3BackupMode") == "Enabled":
                    block["S3BackupDescription"] = destination["config"].get("S3BackupConfiguration", {})
        return description

    return describe_all


def states() -> dict[str, bytes]:
    """Return what each loaded service would persist, as the file that ministack reads at its next start."""
    from ministack import app as ministack_app

    return {
        name: content
        for name, get_state in ministack_app._build_persistence_save_dict().items()
        if (content := _state(name, get_state)) is not None
    }


def _state(name: str, get_state: Callable[[], Any]) -> bytes | None:
    """Return one service's state; None when it has none, or when requests keep changing it while it is copied."""
    from ministack.core import persistence

    for _ in range(5):
        try:
            state = get_state()
            if state is None:
                return None
            wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            return json.dumps(wrapped, default=persistence._json_default).encode()
        except RuntimeError:  # a dictionary changed size while it was copied
            time.sleep(0.02)
    logger.warning("the state of %s changes too fast to be copied; trying again later", name)
    return None


def feed_delivery(*ingests: Ingest) -> None:
    """Enter each `ingest(stream ARN, [(partition key, data, shard id, sequence number)])` inside every PutRecord(s).

    The put is acknowledged after all ended. When one raises, all others take back what they were given, the records
    leave their shards, and the answer is `InternalFailureException`: a client's retry stores them once.
    """
    from ministack.services import firehose, kinesis

    fed: list[tuple[str, list[tuple[str, bytes]]]] = []  # puts run on the event loop's thread, one at a time

    def note(stream_arn: str, records: list[tuple[str, bytes]]) -> None:
        fed.append((stream_arn, records))

    firehose.ingest_from_kinesis_source = note
    kinesis._put_record = _durable(kinesis._put_record, fed, ingests)
    kinesis._put_records = _durable(kinesis._put_records, fed, ingests)


def _durable(put: Callable[[Any], Any], fed: list[Any], ingests: Sequence[Ingest]) -> Callable[[Any], Any]:
    from ministack.core.responses import error_response_json

    def put_durably(parameters: Any) -> Any:
        fed.clear()
        answer = put(parameters)
        if not fed:
            return answer
        stream_arn, records = fed.pop()
        body = json.loads(answer[2])
        places = [(each["ShardId"], each["SequenceNumber"]) for each in body.get("Records", [body])]
        try:
            placed = [(*record, *place) for record, place in zip(records, places, strict=True)]
            with ExitStack() as stack:
                for ingest in ingests:
                    stack.enter_context(ingest(stream_arn, placed))
        except Exception as error:
            _take_back(stream_arn, places)
            logger.error("a put was refused: %s", error)
            return error_response_json("InternalFailureException", f"the delivery stream's spool: {error}", 500)
        return answer

    return put_durably


def _take_back(stream_arn: str, places: Sequence[tuple[str, str]]) -> None:
    """Remove the newest records of shards, by shard id and sequence number: nobody has read them yet."""
    from ministack.services import kinesis

    stream = kinesis._resolve_stream_by_arn(stream_arn)
    numbers = {number for _, number in places}
    for shard in {shard for shard, _ in places}:
        records = stream["shards"][shard]["records"]
        while records and records[-1]["SequenceNumber"] in numbers:
            records.pop()


def guard_delivery_streams(refusal: Callable[[Mapping[str, Any]], str]) -> None:
    """Refuse a CreateDeliveryStream or UpdateDestination, CloudFormation's too, for the reason `refusal` gives."""
    from ministack.services import firehose

    def guarded(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def run(request: Any) -> Any:
            reason = refusal(request)
            return firehose._invalid(reason) if reason else operation(request)

        return run

    firehose._create_delivery_stream = guarded(firehose._create_delivery_stream)
    firehose._update_destination = guarded(firehose._update_destination)
    firehose._HANDLERS["CreateDeliveryStream"] = firehose._create_delivery_stream
    firehose._HANDLERS["UpdateDestination"] = firehose._update_destination


def delivery_streams() -> dict[str, dict[str, Any]]:
    """Return ministack's own records of the delivery streams of the default account, by name."""
    from ministack.services import firehose

    return {name: stream for (_, _, name), stream in list(firehose._streams.all_items())}


def _kinesis_state() -> Mapping[str, Any]:
    """Kinesis without its records and iterators: they live for minutes, and delivery has them on its own disk."""
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import kinesis

    streams = AccountRegionScopedDict()
    for key, stream in list(kinesis._streams._data.items()):
        shards = {name: {**shard, "records": [], "sized": (0, 0)} for name, shard in list(stream["shards"].items())}
        streams._data[key] = {**stream, "shards": shards}
    return {"streams": streams, "consumers": kinesis._consumers, "resource_policies": kinesis._resource_policies}
