"""Compressed answers: scripts and style sheets once for all workers and for good, the rest quickly each time."""

import gzip
import hashlib

from diskcache import FanoutCache
from flask import Flask, Response, request

LEAST_BYTES = 1200
STATIC_LEVEL, QUICK_LEVEL = 9, 1
KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")
STATIC_PLACES = ("_dash-component-suites/", "assets/")
KEPT_SECONDS = 30 * 86_400.0
KEPT_YEAR = 365 * 86_400


def install(server: Flask, cache: FanoutCache, prefix: str) -> None:
    """Compress what a browser takes compressed; streams, parts of files and pictures stay as they are."""

    @server.after_request
    def compress(response: Response) -> Response:
        is_static = request.path.removeprefix(prefix).startswith(STATIC_PLACES)
        if is_static and response.status_code == 200 and "m" in request.args:  # an address of this very version
            response.headers["Cache-Control"] = f"public, max-age={KEPT_YEAR}, immutable"
        if not _is_worth_it(response):
            return response
        response.direct_passthrough = False
        content = response.get_data()
        response.headers.add("Vary", "Accept-Encoding")
        if len(content) < LEAST_BYTES:
            return response
        response.set_data(_kept(cache, content) if is_static else gzip.compress(content, QUICK_LEVEL))
        response.headers["Content-Encoding"] = "gzip"
        if response.headers.get("ETag"):
            response.headers["ETag"] = response.headers["ETag"].rstrip('"') + '-gzip"'
        return response


def _is_worth_it(response: Response) -> bool:
    taken = "gzip" in request.headers.get("Accept-Encoding", "")
    plain = "Content-Encoding" not in response.headers and "Range" not in request.headers
    is_text = (response.mimetype or "").startswith(KINDS)
    is_file = response.is_streamed and not response.direct_passthrough
    return taken and plain and is_text and response.status_code == 200 and not is_file


def _kept(cache: FanoutCache, content: bytes) -> bytes:
    key = f"gzip:{hashlib.sha256(content).hexdigest()}"
    found = cache.get(key, retry=True)
    if found is None:
        found = gzip.compress(content, STATIC_LEVEL, mtime=0)
        cache.set(key, found, expire=KEPT_SECONDS, retry=True)
    return bytes(found)
