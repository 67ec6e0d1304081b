"""Raw events and raw objects, as the delivery stream leaves them."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(number: int = 0, moment: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """Return a valid event; `changes` replace keys, and those that are `...` leave theirs out."""
    whole = {
        "event_id": f"0193-{number:08d}",
        "timestamp": stamp(moment),
        "level": "ERROR",
        "service": "payment",
        "environment": "production",
        "host": "host-1",
        "http_method": "GET",
        "endpoint": "/charges/{id}",
        "status_code": 500,
        "response_time_ms": 12.5,
        "request_bytes": 10,
        "response_bytes": 2000,
        "client_ip": "192.0.2.0",
        "user_id": None,
        "user_agent": "curl/8",
        "trace_id": "0" * 32,
        "message": "charge failed",
        "error_type": "Timeout",
        "received_at": stamp(moment + timedelta(seconds=2)),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not ...}


def line(*arguments: Any, **changes: Any) -> bytes:
    return json.dumps(event(*arguments, **changes), separators=(",", ":")).encode()


def put(raw: Path, name: str, *lines: bytes, folder: str = "payment/year=2026/month=11/day=21") -> Path:
    """Write lines as one raw object, gzipped if its name ends in `.gz`."""
    path = raw / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"".join(text + b"\n" for text in lines)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path
