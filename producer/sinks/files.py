"""To files, in the layout of the lake: `<service>/year=YYYY/month=MM/day=DD/logs_<service>_<YYYYMMDD>.json`."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from catalog.errors import LoglakeError
from catalog.names import key_name
from producer import counting
from producer.counts import Counts
from producer.events import Block
from producer.sinks.file_formats import FileFormat, JsonLines, open_packed

_PART = ".part"


def file_of(folder: Path, service: str, day: datetime, suffix: str = ".json") -> Path:
    """Return where the events of one service and day go."""
    name = key_name(service)
    return folder / name / f"{day:year=%Y/month=%m/day=%d}" / f"logs_{name}_{day:%Y%m%d}{suffix}"


class FilesSink:
    """Writes one file per service and day; a file of that name is replaced when its day is whole, never half-way."""

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
        self._open: dict[Path, BinaryIO] = {}
        self._day = -1
        self.files = 0

    def write(self, block: Block) -> None:
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

    def tick(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def hurry(self, grace_s: float) -> None:
        pass

    def close(self, grace_s: float) -> None:
        self._finish_day()

    def _append(self, service: str, day: int, payloads: list[bytes]) -> None:
        if not payloads:
            return
        suffix = self._format.suffix + (".gz" if self._packed else "")
        path = file_of(self._folder, service, datetime.fromtimestamp(day * 86_400, UTC), suffix)
        data = self._format.encode(payloads)
        began = time.monotonic()
        try:
            self._file(path).write(data)
        except OSError as error:
            raise LoglakeError(f"--output-dir must be writable; got {error.strerror} for {str(path)!r}") from error
        self._counts.waited(time.monotonic() - began)
        self._counts.add(acknowledged=len(payloads), event_bytes=sum(map(len, payloads)), bytes=len(data))

    def _file(self, path: Path) -> BinaryIO:
        if path not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + _PART)
            self._open[path] = open_packed(part) if self._packed else part.open("wb")
            self._open[path].write(self._format.head)
        return self._open[path]

    def _finish_day(self) -> None:
        for path, file in self._open.items():
            try:
                file.close()
                path.with_name(path.name + _PART).replace(path)
            except OSError as error:
                raise LoglakeError(f"--output-dir must be writable; got {error.strerror} for {str(path)!r}") from error
            self.files += 1
        self._open = {}
