"""The producer's calls to AWS: PutRecords, PutRecordBatch and ListShards, with their errors sorted by what to do."""

import json
import threading
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from catalog.errors import LoglakeError
from producer.record import Put, PutError, Record
from producer.shards import Shard, open_shards
from producer.sinks.kinesis import PARTITION_KEY

_MENDED_BY_WAITING = {
    "InternalFailure",
    "InternalFailureException",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ResourceInUseException",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}


def client(service: str, calls_at_once: int = 4) -> Any:
    """Return a client for puts: transport errors get one quick retry here, the rest is the delivery's."""
    return boto3.client(
        service,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            parameter_validation=False,
            max_pool_connections=calls_at_once,
            connect_timeout=5,
            read_timeout=30,
        ),
    )


def kinesis_put(kinesis: Any, stream: str, on_shards: Callable[[set[str]], None] = lambda _: None) -> Put:
    """Return the put of a Kinesis stream; `on_shards` gets the shards that each answer names.

    botocore signs, sends and reads the answer; the body of five megabytes is joined here from base64, which needs no
    escaping, instead of being walked through a serialiser and a JSON encoder.
    """
    bodies = threading.local()

    def replace_body(params: dict[str, Any], **_: Any) -> None:
        if not params["body"].startswith(b"{"):
            raise LoglakeError("PutRecords must be spoken as JSON; this botocore speaks another protocol")
        params["body"] = bodies.current

    kinesis.meta.events.register("before-call.kinesis.PutRecords", replace_body)
    return partial(_put_records, kinesis, stream, bodies, on_shards)


def firehose_put(firehose: Any, delivery_stream: str) -> Put:
    """Return the put of a delivery stream."""
    return partial(_put_record_batch, firehose, delivery_stream)


def _put_records(
    kinesis: Any,
    stream: str,
    bodies: threading.local,
    on_shards: Callable[[set[str]], None],
    records: Sequence[Record],
) -> list[str | None]:
    bodies.current = put_records_body(stream, records)
    answer = _called(lambda: kinesis.put_records(StreamName=stream, Records=[]), f"stream {stream!r}")
    on_shards({entry["ShardId"] for entry in answer["Records"] if "ShardId" in entry})
    return [entry.get("ErrorCode") for entry in answer["Records"]]


def put_records_body(stream: str, records: Sequence[Record]) -> bytes:
    """Return the JSON body of PutRecords."""
    between = b'","PartitionKey":"%b","ExplicitHashKey":"' % PARTITION_KEY.encode("ascii")
    opening = b'{"StreamName":%b,"Records":[{"Data":"' % json.dumps(stream).encode("ascii")
    parts: list[bytes] = []
    for record in records:  # every megabyte is copied once, by the join
        parts += (opening, b2a_base64(record.data, newline=False), between, record.hash_key.encode("ascii"))
        opening = b'"},{"Data":"'
    return b"".join((*parts, b'"}]}'))


def _put_record_batch(firehose: Any, delivery_stream: str, records: Sequence[Record]) -> list[str | None]:
    entries = [{"Data": record.data} for record in records]
    answer = _called(
        lambda: firehose.put_record_batch(DeliveryStreamName=delivery_stream, Records=entries),
        f"delivery stream {delivery_stream!r}",
    )
    return [entry.get("ErrorCode") for entry in answer["RequestResponses"]]


def _called(call: Callable[[], Any], name: str) -> Any:
    try:
        return call()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        retryable = status >= 500 or status == 429 or error.response["Error"]["Code"] in _MENDED_BY_WAITING
        raise PutError(f"{name} can't be written: {error}", retryable, in_doubt=status >= 500) from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        raise PutError(f"{name} can't be reached: {error}", retryable=True, in_doubt=False) from error
    except BotoCoreError as error:
        transport = type(error).__module__ == "botocore.exceptions" and "Credentials" not in type(error).__name__
        raise PutError(f"{name} can't be written: {error}", retryable=transport, in_doubt=transport) from error


def list_shards(kinesis: Any, stream: str) -> tuple[Shard, ...]:
    """Return the open shards; raise `LoglakeError` when there is no such stream or it can't be listed or reached."""
    request: dict[str, Any] = {"StreamName": stream}
    shards: list[Any] = []
    try:
        while request:
            answer = kinesis.list_shards(**request)
            shards += answer["Shards"]
            request = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("AccessDeniedException", "AccessDenied"):
            raise LoglakeError(
                f"kinesis:ListShards must be allowed on stream {stream!r}, since an aggregate must stay inside one"
                f" shard; got {code}; allow it in the producer's policy, as the stack's own does"
            ) from None
        if code == "ResourceNotFoundException":
            raise LoglakeError(
                f"no stream named {stream!r}; run 'loglake deploy', or 'loglake up' for a laptop"
            ) from None
        raise LoglakeError(f"stream {stream!r} can't be read: {error}") from error
    except BotoCoreError as error:
        raise LoglakeError(f"stream {stream!r} can't be reached: {error}") from error
    return open_shards(shards)
