"""To files, in the layout of the lake: `<service>/year=YYYY/month=MM/day=DD/logs_<service>_<YYYYMMDD>.json`."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from catalog.errors import LoglakeError
from catalog.names import key_name
from producer import counting
from producer.counts import Counts
from producer.events import Block
from producer.sinks.file_formats import FileFormat, JsonLines, open_packed


def file_of(folder: Path, service: str, day: datetime, suffix: str = ".json") -> Path:
    """Return where the events of one service and day go."""
    name = key_name(service)
    return folder / name / f"{day:year=%Y/month=%m/day=%d}" / f"logs_{name}_{day:%Y%m%d}{suffix}"


@dataclass(slots=True)
class _DayFile:
    """A file that is being written, and what is in it so far."""

    path: Path
    file: BinaryIO
    events: int = 0
    event_bytes: int = 0
    bytes: int = 0

    @property
    def part(self) -> Path:
        """Return its name until it is whole."""
        return _part_of(self.path)


class FilesSink:
    """Writes one file per service and day; a file of that name is replaced when its day is whole, never half-way.

    An event is acknowledged when its file is whole. When the disk is full, the days that are whole stay, what is left
    of the unfinished one is removed, and its events count as failed.
    """

    def __init__(
        self,
        folder: Path,
        services: Sequence[str],
        counts: Counts,
        file_format: FileFormat | None = None,
        packed: bool = False,
    ) -> None:
        self._folder = folder
        self._services = services
        self._counts = counts
        self._format = file_format or JsonLines()
        self._packed = packed
        self._open: dict[Path, _DayFile] = {}
        self._unfinished = 0
        self._day = -1

    def write(self, block: Block) -> None:
        self._unfinished += len(block.payloads)
        try:
            self._write(block)
        except OSError as error:
            raise self._given_up(error) from error

    def tick(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def hurry(self, grace_s: float) -> None:
        pass

    def close(self, grace_s: float) -> None:
        try:
            self._finish_day()
        except OSError as error:
            raise self._given_up(error) from error

    def _write(self, block: Block) -> None:
        minutes = counting.minutes(block.keys)
        numbers = counting.services(block.keys)
        for day in range(int(minutes.min()) // 1440, int(minutes.max()) // 1440 + 1) if block.payloads else ():
            if day != self._day:
                self._finish_day()
                self._day = day
            chosen = minutes // 1440 == day
            for number, service in enumerate(self._services):
                places = (chosen & (numbers == number)).nonzero()[0].tolist()
                self._append(service, day, [block.payloads[place] for place in places])

    def _append(self, service: str, day: int, payloads: list[bytes]) -> None:
        if not payloads:
            return
        suffix = self._format.suffix + (".gz" if self._packed else "")
        day_file = self._file(file_of(self._folder, service, datetime.fromtimestamp(day * 86_400, UTC), suffix))
        data = self._format.encode(payloads)
        began = time.monotonic()
        day_file.file.write(data)
        self._counts.waited(time.monotonic() - began)
        self._counts.add(sent=len(payloads))
        day_file.events += len(payloads)
        day_file.event_bytes += sum(map(len, payloads))
        day_file.bytes += len(data)

    def _file(self, path: Path) -> _DayFile:
        if path not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = _part_of(path)
            self._open[path] = _DayFile(path, open_packed(part) if self._packed else part.open("wb"))
            self._open[path].file.write(self._format.head)
        return self._open[path]

    def _finish_day(self) -> None:
        for path, day_file in list(self._open.items()):
            day_file.file.close()
            day_file.part.replace(path)
            del self._open[path]
            self._unfinished -= day_file.events
            self._counts.add(acknowledged=day_file.events, event_bytes=day_file.event_bytes, bytes=day_file.bytes)

    def _given_up(self, error: OSError) -> LoglakeError:
        for day_file in self._open.values():
            with suppress(OSError):  # it may want to write what it still holds
                day_file.file.close()
            with suppress(OSError):
                day_file.part.unlink()
        self._open = {}
        self._counts.add(failed=self._unfinished)
        self._unfinished = 0
        return LoglakeError(f"--output-dir must be writable; got {error.strerror} for {str(self._folder)!r}")


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")
