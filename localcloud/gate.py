"""The ASGI application in front of the emulator: the engines' operations by `X-Amz-Target`, the rest passed through."""

import asyncio
import base64
import gzip
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from datetime import datetime
from email.utils import formatdate
from typing import Any

import orjson

from localcloud import full_disk
from localcloud.engine import BYPASS_HEADER, Operation, Parameters, ServiceError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

HEALTH_PATH = "/_loglake/health"
OWN_HOSTS: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]", "amazonaws.com")
"""Names by which the endpoint may be called; anything below them too (`bucket.s3.localhost`)."""

_BYPASS = BYPASS_HEADER.encode()
logger = logging.getLogger(__name__)


class Gate:
    """Answers the engines' operations and the health route; passes everything else to `emulator` untouched.

    Web pages are kept out: a request with a foreign `Origin` or `Host` is refused, over WebSocket too, so that no site
    that the user visits can read the lake through the browser.
    """

    def __init__(
        self,
        emulator: Application,
        operations: Mapping[str, Operation],
        *,
        executor: Executor,
        health: Callable[[], Mapping[str, Any]],
        on_request: Callable[[Scope, Headers], None],
    ) -> None:
        self._emulator = emulator
        self._operations = {target.encode(): operation for target, operation in operations.items()}
        self._executor = executor
        self._health = health
        self._on_request = on_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._emulator(scope, receive, send)
        elif kind not in ("http", "websocket"):
            raise NotImplementedError(f"a request must be http or websocket; got {kind!r}")
        elif not _is_ours(scope["headers"]):
            await _refuse(kind, send)
        elif kind == "websocket":
            await self._emulator(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        operation = None if _BYPASS in headers else self._operations.get(headers.get(b"x-amz-target", b""))
        try:
            if operation is not None:
                await self._answer(operation, headers, receive, send)
            elif scope["path"] == HEALTH_PATH:
                await _send_json(send, 200, await self._in_thread(self._health))
            else:
                await self._emulator(scope, receive, send)
        finally:
            self._on_request(scope, headers)

    async def _answer(self, operation: Operation, headers: Headers, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        if headers.get(b"content-encoding") == b"gzip":
            body = gzip.decompress(body)
        try:
            content = await self._in_thread(_run, operation, body)
        except ServiceError as error:
            await _send_error(send, error)
        except Exception as error:
            await _send_error(send, _failure(error, headers[b"x-amz-target"].decode("latin-1")))
        else:
            await _send_bytes(send, 200, content)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)


def _failure(error: Exception, target: str) -> ServiceError:
    """Return what a failed operation answers, and log it; of a full disk the log says what to do, not where it was."""
    if full_disk.is_full(error):
        logger.error("operation %s failed: %s", target, full_disk.MEND)
        return ServiceError("InternalFailure", full_disk.MEND, 500)
    logger.error("operation %s failed", target, exc_info=error)
    return ServiceError("InternalFailure", f"{type(error).__name__}: {error}", 500)


def _is_ours(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request comes from a program on this machine and not from a page in its browser.

    Each of its hosts and origins must be ours, should a header be there twice.
    """
    named = [(name.lower(), value.decode("latin-1").lower()) for name, value in headers]
    hosts = [value for name, value in named if name in (b"host", b":authority")]
    origins = [value for name, value in named if name == b"origin" and value]
    return all(map(_is_own_host, hosts)) and all(map(_is_own_origin, origins))


def _is_own_host(host: str) -> bool:
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return any(name == own or name.endswith("." + own) for own in OWN_HOSTS)


def _is_own_origin(origin: str) -> bool:
    return origin.split("://", 1)[-1].rsplit(":", 1)[0] in OWN_HOSTS


async def _refuse(kind: str, send: Send) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
        return
    await _send_error(send, ServiceError("AccessDeniedException", "web pages may not call this endpoint", 403))


async def _read(receive: Receive) -> bytes | None:
    """Return a request's whole body; None when the client left before it was complete."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _run(operation: Operation, body: bytes) -> bytes:
    try:
        parameters = orjson.loads(body) if body else {}
    except ValueError as error:
        raise ServiceError("SerializationException", f"the request must be JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "the request must be a JSON object")
    answer: Parameters = operation(parameters)
    return _as_json(answer)


def _as_json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # integers of more than 64 bits, keys that are no texts
        return json.dumps(value, default=_encode).encode()


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"an answer must be JSON; got {value!r}")


async def _send_error(send: Send, error: ServiceError) -> None:
    body = {"__type": error.code, "message": error.message, "Message": error.message}
    await _send_json(send, error.status, body, (b"x-amzn-errortype", error.code.encode()))


async def _send_json(send: Send, status: int, body: Any, *headers: tuple[bytes, bytes]) -> None:
    await _send_bytes(send, status, _as_json(body), *headers)


async def _send_bytes(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    fixed = (
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        (b"date", formatdate(usegmt=True).encode()),
    )
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})
