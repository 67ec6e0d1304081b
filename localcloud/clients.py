"""boto3 clients of this very endpoint."""

import threading
from typing import Any

import boto3
from botocore.config import Config

from catalog.laptop import ACCESS_KEY, SECRET_KEY
from localcloud.engine import BYPASS_HEADER

_PATIENT = Config(
    proxies={},
    max_pool_connections=32,
    read_timeout=900,
    retries={"mode": "standard", "total_max_attempts": 3},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    s3={"addressing_style": "path", "payload_signing_enabled": False},  # from this process to itself: 0.2 s in 100 MB
)


class Clients:
    """Clients by service name, made once each; `bypass=True` makes clients that go past the engines. Thread-safe."""

    def __init__(self, endpoint_url: str, region: str, *, bypass: bool = False) -> None:
        self._endpoint_url = endpoint_url
        self._bypass = bypass
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session = boto3.session.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region
        )

    def __call__(self, service: str) -> Any:
        """Return the client of `service`, the same one every time."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        client = self._session.client(service, endpoint_url=self._endpoint_url, config=_PATIENT)
        if self._bypass:
            client.meta.events.register("before-sign", _mark_bypass)
        return client


def _mark_bypass(request: Any, **_: Any) -> None:
    request.headers[BYPASS_HEADER] = "1"
