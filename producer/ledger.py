"""The ledger: what was sent, acknowledged or refused, written so that a kill at any moment loses no acknowledgement.

One file of JSON lines per producer run; several producers may share a folder. A call's first line is written before its
events leave:

    {"call": 7, "state": "sent", "at": 1795303867,
     "counts": {"payment": {"2026-11-21T23:31": {"INFO": 4}}}, "unreadable": 1}

then any number of `acknowledged` and `refused` lines for it. One without counts settles all that is left of its call.
What a call has neither acknowledged nor refused is in doubt: it may be in the stream or not. Each line is one `write()`
to a file opened for appending, so it survives the death of the process; a torn last line is ignored.

A run may go on for weeks: after `SEGMENT_CALLS` calls, at a moment when none is open, its file is replaced by one line
that sums it up (`{"call": 0, "state": "total", …}`), and the next file begins.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from catalog.errors import LoglakeError
from catalog.schema import LEVELS
from producer import counting
from producer.counting import Integers, Kind

REJECTED = "REJECTED"
"""Stands in a level's place for events that are delivered and then rejected by the job."""

SEGMENT_CALLS = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cell = tuple[str, str, str]
"""Service, minute (`YYYY-MM-DDTHH:MM`) and level."""


@dataclass(slots=True)
class Tally:
    """Counts by service, minute and level, and of what no one can read."""

    cells: Counter[Cell] = field(default_factory=Counter)
    unreadable: int = 0

    def add(self, other: "Tally", sign: int = 1) -> None:
        """Add `other`, or take it away when `sign` is -1."""
        for cell, count in other.cells.items():
            self.cells[cell] += sign * count
        self.unreadable += sign * other.unreadable

    @property
    def total(self) -> int:
        """All events counted."""
        return sum(self.cells.values()) + self.unreadable


@dataclass(slots=True)
class Balance:
    """What all runs together have acknowledged, and what is in doubt."""

    acknowledged: Tally = field(default_factory=Tally)
    in_doubt: Tally = field(default_factory=Tally)


def minute_name(moment: datetime) -> str:
    """Return the minute of a moment in UTC as a cell names it."""
    return moment.isoformat()[:16]


def tally_of(keys: Iterable[Integers], services: Sequence[str]) -> Tally:
    """Return the tally of packed keys."""
    tally = Tally()
    for key, count in counting.tally(keys):
        minute, service, level, kind = counting.unpack(key)
        if kind is Kind.UNREADABLE:
            tally.unreadable += count
            continue
        level_name = REJECTED if kind is Kind.REJECTED else LEVELS[level]
        tally.cells[services[service], minute_name(_EPOCH + timedelta(minutes=minute)), level_name] += count
    return tally


class Ledger:
    """The ledger of one run; safe to use from several threads. Raises `LoglakeError` if its file can't be written.

    While `doubting`, nothing is acknowledged: these events may have arrived, and been counted, in a run before.
    """

    def __init__(self, folder: Path, services: Sequence[str], segment_calls: int = SEGMENT_CALLS) -> None:
        self._services = services
        self.doubting = False
        self._segment_calls = segment_calls
        self._lock = Lock()
        self._calls = 0
        self._segment = 0
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._folder = folder
        self._begin_segment()

    def sent(self, keys: Iterable[Integers]) -> int:
        """Note that these events are about to leave; return the number of their call."""
        tally = tally_of(keys, self._services)
        with self._lock:
            self._calls += 1
            call = self._calls
            self._open[call] = tally
            self._write({"call": call, "state": "sent", "at": int(time.time()), **_as_json(tally)})
        return call

    def acknowledged(self, call: int, keys: Iterable[Integers] | None = None) -> None:
        """Note that these events of the call are in the stream; None means all that is left of it."""
        if not self.doubting:
            self._settle(call, "acknowledged", keys)
        elif keys is None:
            self.abandoned(call)

    def refused(self, call: int, keys: Iterable[Integers] | None = None) -> None:
        """Note that these events of the call are for certain not in the stream and won't be sent again."""
        self._settle(call, "refused", keys)

    def abandoned(self, call: int) -> None:
        """Leave what is left of the call in doubt for good: it may be in the stream, and won't be sent again."""
        with self._lock:
            self._doubted.add(self._open.pop(call))

    def close(self) -> None:
        """Close the file; nothing is buffered."""
        os.close(self._file)

    def _settle(self, call: int, state: str, keys: Iterable[Integers] | None) -> None:
        part = None if keys is None else tally_of(keys, self._services)
        with self._lock:
            self._write({"call": call, "state": state, **(_as_json(part) if part else {})})
            if part is None:
                part = self._open.pop(call)
            else:
                self._open[call].add(part, -1)
            if state == "acknowledged":
                self._total.add(part)
            if not self._open and self._calls >= self._first_call + self._segment_calls:
                self._end_segment()

    def _begin_segment(self) -> None:
        self._segment += 1
        self._first_call = self._calls
        self._open: dict[int, Tally] = {}
        self._total = Tally()
        self._doubted = Tally()
        self.path = self._folder / f"{self._name}-{self._segment:04}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, 0o644)
        except OSError as error:
            raise LoglakeError(
                f"the ledger must be writable; got {error.strerror} for {str(self._folder)!r}"
            ) from error

    def _end_segment(self) -> None:
        """Put the sum in the place of the lines, all at once: a reader sees the one or the other."""
        summed = self.path.with_suffix(".tmp")
        lines = [orjson.dumps({"call": 0, "state": "total", **_as_json(self._total)})]
        if self._doubted.total:
            lines.append(orjson.dumps({"call": 1, "state": "sent", **_as_json(self._doubted)}))
        try:
            summed.write_bytes(b"".join(line + b"\n" for line in lines))
            summed.replace(self.path)
        except OSError as error:
            raise LoglakeError(f"the ledger must be writable; got {error.strerror} for {str(summed)!r}") from error
        os.close(self._file)
        self._begin_segment()

    def _write(self, line: Mapping[str, Any]) -> None:
        data = orjson.dumps(line) + b"\n"
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise LoglakeError(f"the ledger must be writable; got {error.strerror} for {str(self.path)!r}") from error
        if written != len(data):
            raise LoglakeError(f"the ledger must be writable; got a full disk for {str(self.path)!r}")


def _as_json(tally: Tally) -> dict[str, Any]:
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for (service, minute, level), count in tally.cells.items():
        counts.setdefault(service, {}).setdefault(minute, {})[level] = count
    return {"counts": counts, "unreadable": tally.unreadable}


def find_ledgers(data_dir: Path) -> list[Path]:
    """Return the ledgers of a data directory: its folders `ledger…`, and those in them, that a producer wrote into."""
    return sorted({path.parent for folder in data_dir.glob("ledger*") for path in folder.rglob("*.jsonl")})


def read_ledgers(folders: Iterable[Path]) -> Balance:
    """Return what all runs in the folders acknowledged and left in doubt, each run once; none where there is no folder.

    Raises `LoglakeError` when one can't be read.
    """
    balance = Balance()
    for path in sorted({path.resolve() for folder in folders for path in folder.glob("*.jsonl")}):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LoglakeError(f"the ledger must be readable; got {error.strerror} for {str(path)!r}") from error
        read_run(data, balance)
    return balance


def read_run(data: bytes, balance: Balance) -> None:
    """Add one run's lines to `balance`. A line that can't be read is torn and counts for nothing.

    What a call acknowledged counts although the line that it was sent is torn, as far as it says how much that was.
    """
    calls: dict[int, Tally] = {}
    for text in data.split(b"\n"):
        line = _line_of(text)
        if line is None:
            continue
        if line.state == "total":
            balance.acknowledged.add(line.counts or Tally())
        elif line.state == "sent":
            calls[line.call] = line.counts or Tally()
        else:
            settled = line.counts or calls.pop(line.call, Tally())
            if line.counts and line.call in calls:
                calls[line.call].add(settled, -1)
            if line.state == "acknowledged":
                balance.acknowledged.add(settled)
    for left in calls.values():
        balance.in_doubt.add(left)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a ledger. No counts are all that is left of the call."""

    call: int
    state: str
    counts: Tally | None


def _line_of(text: bytes) -> _Line | None:
    try:
        line = orjson.loads(text)
        return _Line(int(line["call"]), line["state"], _from_json(line) if "counts" in line else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _from_json(line: Mapping[str, Any]) -> Tally:
    tally = Tally(unreadable=line.get("unreadable", 0))
    for service, minutes in line["counts"].items():
        for minute, levels in minutes.items():
            for level, count in levels.items():
                tally.cells[service, minute, level] += count
    return tally
