"""The samples as if they had been written just now: every time in them moved by the same amount."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

WRITTEN = datetime(2026, 11, 28, 7, 0, tzinfo=UTC)
"""No time in a sample is later; the earliest is an hour before."""

_ISO = re.compile(rb"2026-11-28([T ])(0\d:\d\d:\d\d)")
_ACCESS = re.compile(rb"28/Nov/2026:(0\d:\d\d:\d\d)")
_EPOCH = re.compile(rb"(?<![\d.])(17958\d{5})(?=(?:\d{3}|\d{6}|\d{9})?(?!\d))")


def freshened(sample: bytes, now: datetime) -> bytes:
    """Return a sample moved so that what was written last was written at `now`, or up to minutes before."""
    by = timedelta(seconds=int((now - WRITTEN).total_seconds()))

    def iso(match: re.Match[bytes]) -> bytes:
        return f"{_moment(match[2]) + by:%Y-%m-%d{match[1].decode()}%H:%M:%S}".encode()

    def access(match: re.Match[bytes]) -> bytes:
        return f"{_moment(match[1]) + by:%d/%b/%Y:%H:%M:%S}".encode()

    def epoch(match: re.Match[bytes]) -> bytes:
        return b"%d" % (int(match[1]) + by.total_seconds())

    return _EPOCH.sub(epoch, _ACCESS.sub(access, _ISO.sub(iso, sample)))


def write_fresh(source: Path, folder: Path, now: datetime) -> Path:
    """Write a sample into `folder` under its own name, moved to `now`; return its path."""
    path = folder / source.name
    path.write_bytes(freshened(source.read_bytes(), now))
    return path


def _moment(clock: bytes) -> datetime:
    return datetime.fromisoformat(f"2026-11-28T{clock.decode()}")
