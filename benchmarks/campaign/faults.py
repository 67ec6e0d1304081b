"""What is done to a running laptop, and undone."""

import mmap
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

FEW_FILES = 64
DISK_BYTES = 1_500_000_000
FILLING = bytes(2**20)
DAYS_OFF = 3
DST_ZONE = "America/New_York"
MIDNIGHT = datetime(2026, 10, 31, 4, tzinfo=UTC)
"""Midnight in New York, a day before the one on which its clocks go back."""
DST_ENDS = datetime(2026, 11, 1, 6, tzinfo=UTC)
CLOCK_STEPS = {
    "clock-forward": DST_ENDS - timedelta(seconds=20) + timedelta(days=DAYS_OFF),
    "clock-dst": DST_ENDS - timedelta(seconds=20),
}


class Skipped(Exception):
    """A scenario that can't be run here; the text says why."""


def kill(processes: list[psutil.Process], source: random.Random) -> psutil.Process | None:
    """SIGKILL one of the processes; return it, or None when there was none."""
    victim = source.choice(sorted(processes, key=lambda each: each.pid)) if processes else None
    return victim if victim and _send(victim, signal.SIGKILL) else None


def pause(process: psutil.Process) -> bool:
    """SIGSTOP it; return whether it was there."""
    return _send(process, signal.SIGSTOP)


def go_on(process: psutil.Process) -> bool:
    """SIGCONT it; return whether it was there still."""
    return _send(process, signal.SIGCONT)


def fill(folder: Path) -> Path:
    """Take all of a disk's free bytes with one file; return it: removing it frees the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(FILLING)
    return filler


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system in memory on a folder; raise `Skipped` where that is not allowed. Always unmounted."""
    if os.geteuid() != 0:
        raise Skipped("a file system can be mounted by root only")
    mount = folder / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(mount)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def few_files() -> None:
    """Allow this process and its children few open files at first, as many shells do."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def few_files_at_most() -> None:
    """Allow this process and its children few open files for good: what `ulimit -n` does."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))


def no_limit() -> None:
    """Leave the limits as they are."""


def clock(folder: Path) -> tuple[dict[str, str], Path]:
    """Return the variables that give a process and its children a clock that a file moves, and that file.

    It begins a minute and a half before a midnight, which in New York is three hours before the summer time ends.
    The monotonic clock stays the machine's own, as when a clock is set. Raises `Skipped` without a C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("a C compiler is needed for a clock of its own; run 'apt-get install gcc'")
    library, file = folder / "clock.so", folder / "clock"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True)
    set_clock(file, MIDNIGHT - timedelta(seconds=90))
    return {"LD_PRELOAD": str(library), "CAMPAIGN_CLOCK": str(file), "TZ": DST_ZONE}, file


def set_clock(file: Path, now: datetime) -> None:
    """Have the clock show a moment from now on; whoever reads it sees all of the change or nothing."""
    seconds = struct.pack("q", round((now - datetime.now(UTC)).total_seconds()))
    if not file.exists():
        file.write_bytes(seconds)
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), len(seconds)) as shared:
        shared[:] = seconds


def _send(process: psutil.Process, number: signal.Signals) -> bool:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
