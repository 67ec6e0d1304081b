"""What must hold before the chain can run here: `loglake doctor` prints it, `loglake up` refuses without it."""

import shutil
import socket
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog import kcl
from catalog.errors import LoglakeError
from localcloud.file_limit import MIN_FILES, most_files
from localcloud.jobs.java import JavaNotFound, find_java

MIN_FREE_BYTES = 1_000_000_000
"""A day at 200 events/s takes about 1.5 GB of disk; with less than this free, nothing is started."""


class PreflightError(LoglakeError):
    """Something that the chain needs is missing here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `mend` is empty when it is well."""

    subject: str
    found: str
    mend: str = ""

    @property
    def ok(self) -> bool:
        return not self.mend


def checks(
    data_dir: Path, ports: Mapping[str, int], environment: Mapping[str, str], held: Collection[int] = ()
) -> Iterator[Check]:
    """Yield what was found, one check each; `ports` maps a flag's name to the port it wants free.

    `held` are the ports of the `loglake up` that runs, which need not be free.
    """
    yield _python()
    yield _java(environment)
    yield _kcl()
    yield _disk(data_dir)
    yield _files()
    for flag, port in ports.items():
        yield Check(f"port {port}", "held by the 'loglake up' that runs") if port in held else port_check(flag, port)


def require(data_dir: Path, ports: Mapping[str, int], environment: Mapping[str, str]) -> None:
    """Raise `PreflightError` for the first check that fails."""
    for check in checks(data_dir, ports, environment):
        if not check.ok:
            raise PreflightError(f"{check.subject}: {check.found}; {check.mend}")


def port_check(flag: str, port: int) -> Check:
    """Say whether a port of 127.0.0.1 can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            mend = f"name a free one with {flag}, or 'loglake down' if an earlier 'loglake up' holds it"
            return Check(f"port {port}", f"can't be bound on 127.0.0.1 ({error.strerror})", mend)
    return Check(f"port {port}", f"free for {flag}")


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")


def _java(environment: Mapping[str, str]) -> Check:
    try:
        return Check("Java", str(find_java(environment)))
    except JavaNotFound as error:
        found, _, mend = str(error).rpartition("; ")
        return Check("Java", found, mend)


def _kcl() -> Check:
    """Say whether the live consumer can use the KCL; it needs it for more than one worker only."""
    jars = kcl.jars()
    if jars:
        return Check("KCL", f"{kcl.version(jars)}, {len(jars)} jars")
    return Check("KCL", f"not installed: 'loglake consume' polls; for --engine kcl {kcl.HOW}")


def _disk(data_dir: Path) -> Check:
    folder = next(path for path in (data_dir, *data_dir.resolve().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    mend = "" if free >= MIN_FREE_BYTES else "free at least 1 GB, or name a directory on another disk with --data-dir"
    return Check("disk", f"{free / 1e9:.1f} GB free for {data_dir}", mend)


def _files() -> Check:
    most = most_files()
    mend = f"allow at least {MIN_FILES} open files: 'ulimit -n {MIN_FILES}' in a new shell, or raise the hard limit"
    return Check("open files", f"{most:,} allowed", "" if most >= MIN_FILES else mend)
