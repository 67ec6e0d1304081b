"""What an engine is: a few operations of one AWS service that the endpoint answers itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

BYPASS_HEADER = "x-loglake-bypass"
"""A request that carries this header goes past the engines, straight to the emulator behind them."""

Parameters = dict[str, Any]
Operation = Callable[[Parameters], Parameters]


class ServiceError(Exception):
    """What an operation answers instead of a result: an AWS error code, its text and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Context:
    """What an engine is given to work with.

    `client(service)` is a boto3 client of this very endpoint, engines included; `upstream(service)` one that bypasses
    the engines and reads or writes the emulator's own records. Both are cached and safe to use from threads.
    """

    client: Callable[[str], Any]
    upstream: Callable[[str], Any]
    data_dir: Path
    endpoint_url: str
    account_id: str = "000000000000"
    region: str = "us-east-1"
    job_interval_seconds: float | None = None
    """With it, scheduled triggers that start a Glue job fire at this interval too, besides their cron;
    crawlers that have a schedule start at five times the interval."""
    catalog_changes: Callable[[], int] | None = None
    """Counts the requests so far that may have changed the Glue catalog; None where nobody counts them."""


class Engine(Protocol):
    """One engine.

    `operations` maps an `X-Amz-Target` (`Firehose_20150804.PutRecord`) to a plain function from the request's JSON to
    the answer's, called on a worker thread, many at once; it raises `ServiceError` for an AWS error.
    An engine may have a `status()` that returns a JSON object; the health route shows it.
    """

    name: str
    operations: Mapping[str, Operation]

    def start(self) -> None:
        """Begin background work; called once when the endpoint answers requests already."""
        ...

    def stop(self) -> None:
        """End background work and leave everything acknowledged on disk; called once."""
        ...
