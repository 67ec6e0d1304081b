"""Validating and masking: the transformation Lambda against regular expressions over the raw line."""

import base64
import re
import sys
from datetime import UTC, datetime

import orjson

from benchmarks.measure import Work, compare
from firehose.transform import transform
from producer.events import Generator, Stream

START_MS = 1_795_303_867_456
NOW = datetime(2026, 11, 21, 23, 40, tzinfo=UTC)
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
        rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        rb"\b(?:\d[ -]?){13,19}\b",
        rb"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        rb"(?i)(?:bearer|token|password|secret)[=: ]+\S+",
    )
)


def encoded_events() -> list[str]:
    """Return a thousand real events, as the delivery stream hands them over."""
    block = Stream(Generator(1), lambda running: START_MS + running, START_MS, 300).next_block()
    return [base64.b64encode(payload).decode() for payload in block.payloads][:1000]


def by_regexes() -> Work:
    """Return the naive way: every pattern over every line, then parse and return keys."""
    data = encoded_events()

    def work() -> int:
        for record in data:
            line = base64.b64decode(record)
            for pattern in PATTERNS:
                line = pattern.sub(b"[masked]", line)
            event = orjson.loads(line)
            day = datetime.fromisoformat(event["timestamp"])
            base64.b64encode(line).decode()
            {"service": event["service"], "year": day.strftime("%Y"), "month": day.strftime("%m")}
        return len(data)

    return work


def by_us() -> Work:
    """Return the handler's own work on one batch."""
    event = {"records": [{"recordId": str(place), "data": data} for place, data in enumerate(encoded_events())]}
    return lambda: len(transform(event, NOW)["records"])


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    ways = {"regexes over the line": by_regexes(), "loglake": by_us()}
    return int(not compare("transforming", ways, "regexes over the line", {"loglake": 5.0}))


if __name__ == "__main__":
    sys.exit(main())
