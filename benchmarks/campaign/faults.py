"""What is done to a running laptop, and undone."""

import os
import random
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

FEW_FILES = 64
DISK_BYTES = 1_500_000_000
FILLING = bytes(2**20)
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
DAYS_OFF = 3
DST_ZONE = "America/New_York"
CLOCK_STEPS = {"clock-forward": f"+{DAYS_OFF}d", "clock-back": "+0"}


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


def clock(folder: Path, start: str) -> tuple[dict[str, str], Path]:
    """Return the variables that give a process and its children a clock that a file moves, and that file.

    `start` is libfaketime's offset or moment. The monotonic clock stays the machine's own, as when a clock is set.
    """
    if not FAKETIME.exists():
        raise Skipped(f"libfaketime must be installed; {FAKETIME} is not there; run 'apt-get install faketime'")
    file = folder / "clock"
    file.write_text(start + "\n", encoding="utf-8")
    variables = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
        "TZ": DST_ZONE,
    }
    return variables, file


def _send(process: psutil.Process, number: signal.Signals) -> bool:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
