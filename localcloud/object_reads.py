"""GET and HEAD of S3 objects, answered before the emulator's long way, their bodies sent from the files they lie in.

The emulator still decides what is answered (preconditions, ranges, checksums, encryption); it is only kept from reading
a whole body into memory to send a part of it. Knows ministack's insides, as `localcloud.emulator` does.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextvars import ContextVar
from email.utils import formatdate
from typing import Any

from localcloud.gate import OWN_HOSTS, Application, Receive, Scope, Send

CHUNK_BYTES = 1 << 20
_AT_ONCE_BYTES = 64 * 1024
"""What the page cache gives in less time than asking a thread for it takes."""
_QUERIES = frozenset({b"", b"x-id=GetObject"})

ReadBody = Callable[[str, str, Any], Any]


class FileBody:
    """A body that stays in its file: a slice of it is another one, and nothing is read before `chunks` is."""

    def __init__(self, descriptor: int, start: int, stop: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, part: slice) -> "FileBody":
        start, stop, _ = part.indices(len(self))
        return FileBody(self._descriptor, self._start + start, self._start + max(start, stop))

    async def chunks(self, executor: Executor) -> AsyncIterator[bytes]:
        """Yield the bytes; a long read does not stand in the event loop's way."""
        for position in range(self._start, self._stop, CHUNK_BYTES):
            count = min(CHUNK_BYTES, self._stop - position)
            if count <= _AT_ONCE_BYTES:
                yield os.pread(self._descriptor, count, position)
            else:
                loop = asyncio.get_running_loop()
                yield await loop.run_in_executor(executor, os.pread, self._descriptor, count, position)

    def close(self) -> None:
        """Give the file back; of a body and its slices, once."""
        os.close(self._descriptor)


_opened: ContextVar[list[FileBody] | None] = ContextVar("opened", default=None)
"""The files that the request of this context has opened; None where bodies are read as ministack reads them."""


def from_files(read_body: ReadBody) -> ReadBody:
    """Return ministack's `_read_body` so that it gives `ObjectReads` an open file instead of the file's bytes.

    The file is opened in the turn of the event loop in which its ETag was compared, and a put replaces the file whole:
    what is sent is the object that the headers speak of.
    """

    def read_or_open(bucket: str, key: str, stored: Any) -> Any:
        opened = _opened.get()
        if opened is None or stored.get("body") is not None:
            return read_body(bucket, key, stored)
        from ministack.services import s3

        descriptor = os.open(s3._object_disk_path(bucket, key), os.O_RDONLY)
        opened.append(FileBody(descriptor, 0, os.fstat(descriptor).st_size))
        return opened[-1]

    return read_or_open


class ObjectReads:
    """Answers signed, path-style GetObject and HeadObject without subresources; passes everything else on."""

    def __init__(self, emulator: Application, executor: Executor) -> None:
        self._emulator = emulator
        self._executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["query_string"] not in _QUERIES:
            await self._emulator(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in scope["headers"]}
        if not _is_plain_read(scope["path"], headers):
            await self._emulator(scope, receive, send)
            return
        opened: list[FileBody] = []
        token = _opened.set(opened)
        try:
            status, fields, body = await _ask(scope["method"], scope["path"], headers)
            if scope["method"] == "GET":
                fields.setdefault("Content-Length", str(len(body)))
            await self._send(send, status, fields, body)
        finally:
            _opened.reset(token)
            for body in opened:
                body.close()

    async def _send(self, send: Send, status: int, headers: Mapping[str, Any], body: bytes | FileBody) -> None:
        from ministack import app as ministack_app

        fields = ministack_app._asgi_header_list({"Date": formatdate(usegmt=True), **headers})
        await send({"type": "http.response.start", "status": status, "headers": fields})
        if isinstance(body, FileBody):
            async for chunk in body.chunks(self._executor):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})


def _is_plain_read(path: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request is one for an object: header-signed for S3, its bucket in the path, from no web page."""
    bucket, _, key = path.lstrip("/").partition("/")
    signature = headers.get("authorization", "")
    host = headers.get("host", "").lower().rsplit(":", 1)[0]
    return (
        bool(bucket and key)
        and host in OWN_HOSTS[:3]
        and signature.startswith("AWS4-HMAC-SHA256")
        and "/s3/aws4_request" in signature
        and not bucket.startswith(("_", "iceberg"))
        and not bucket.endswith(("-s3alias", "--ol-s3"))
        and "origin" not in headers
        and "x-amz-target" not in headers
    )


async def _ask(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any], Any]:
    """Return the emulator's answer, in the account and region that the request is signed for."""
    from ministack.core import responses, router
    from ministack.services import s3

    responses.set_request_account_id(router.extract_access_key_id(headers, {}))
    responses.set_request_region(router.extract_region(headers, {}))
    answer: tuple[int, dict[str, Any], Any] = await s3.handle_request(method, path, headers, b"", {})
    if method == "GET":
        return answer
    return s3.format_head_response(path, headers, answer)  # type: ignore[no-any-return]
