"""To files, in the layout of the lake: `<service>/year=YYYY/month=MM/day=DD/logs_<service>_<YYYYMMDD>.json`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from catalog.errors import LoglakeError
from catalog.names import key_name
from producer.counts import Counts
from producer.events import Block

_PART = ".part"


def file_of(folder: Path, service: str, day: datetime) -> Path:
    """Return where the events of one service and day go."""
    name = key_name(service)
    return folder / name / f"{day:year=%Y/month=%m/day=%d}" / f"logs_{name}_{day:%Y%m%d}.json"


class FilesSink:
    """Writes one file per service and day; a file of that name is replaced when its day is whole, never half-way."""

    def __init__(self, folder: Path, services: tuple[str, ...], counts: Counts) -> None:
        self._folder = folder
        self._services = services
        self._counts = counts
        self._open: dict[Path, BinaryIO] = {}
        self._day = -1
        self.files = 0

    def write(self, block: Block) -> None:
        minutes = block.keys >> 16
        for day in range(int(minutes.min()) // 1440, int(minutes.max()) // 1440 + 1) if block.payloads else ():
            if day != self._day:
                self._finish_day()
                self._day = day
            chosen = minutes // 1440 == day
            for number, service in enumerate(self._services):
                places = (chosen & (block.keys >> 8 & 0xFF == number)).nonzero()[0].tolist()
                self._append(service, day, [block.payloads[place] for place in places])

    def tick(self) -> None:
        pass

    def hurry(self, grace_s: float) -> None:
        pass

    def close(self, grace_s: float) -> None:
        self._finish_day()

    def _append(self, service: str, day: int, payloads: list[bytes]) -> None:
        if not payloads:
            return
        path = file_of(self._folder, service, datetime.fromtimestamp(day * 86_400, UTC))
        data = b"\n".join(payloads) + b"\n"
        try:
            self._file(path).write(data)
        except OSError as error:
            raise LoglakeError(f"--output-dir must be writable; got {error.strerror} for {str(path)!r}") from error
        self._counts.add(acknowledged=len(payloads), bytes=len(data))

    def _file(self, path: Path) -> BinaryIO:
        if path not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[path] = path.with_name(path.name + _PART).open("wb")
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
