"""What a `loglake up` that was killed left running: found again and ended, whether it was written down or not."""

import os
from collections.abc import Callable

import psutil

from catalog.laptop import process_of
from localcloud.processes import end
from localcloud.workspace import Workspace, read_object

MARK = "LOGLAKE_UP_DATA_DIR"
"""In the environment of every process of a `loglake up`: its data directory. Their own children inherit it."""
STOP_ORDER = ("producer", "consumer", "alerts", "dashboard", "deploy", "endpoint")
"""The producer first, so that what it acknowledged is on disk; the endpoint last, because all others ask it."""

_COMMANDS = {
    "localcloud": "endpoint",
    "produce": "producer",
    "consume": "consumer",
    **{name: name for name in ("dashboard", "alerts", "deploy")},
}


def find_leftovers(workspace: Workspace) -> list[tuple[str, psutil.Process]]:
    """Return the stages that still run on the directory, by name and in the order in which to end them.

    Those that the run's file names, and those that bear the mark but were not written down before the kill.
    """
    recorded = {
        name: process_of(record) for name, record in read_object(workspace.run_file).get("processes", {}).items()
    }
    known = {process.pid for process in recorded.values() if process}
    found = [(name, process) for name, process in recorded.items() if process]
    found += [
        (_stage(each), each) for each in psutil.process_iter() if each.pid not in known and _marked(each, workspace)
    ]
    return sorted(found, key=lambda pair: STOP_ORDER.index(pair[0]) if pair[0] in STOP_ORDER else len(STOP_ORDER))


def end_leftovers(workspace: Workspace, say: Callable[[str], None]) -> int:
    """End what an earlier `loglake up` on this directory left behind when it was killed; return how many there were."""
    count = 0
    for name, process in find_leftovers(workspace):
        if process.is_running():  # a worker ends with the stage that was ended before it
            say(f"ending {name} (process {process.pid}), which an earlier 'loglake up' left behind")
            end(process)
            count += 1
    workspace.run_file.unlink(missing_ok=True)
    return count


def _marked(process: psutil.Process, workspace: Workspace) -> bool:
    try:
        bears = process.pid != os.getpid() and process.environ().get(MARK) == str(workspace.path)
        return bool(bears and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, OSError):
        return False


def _stage(process: psutil.Process) -> str:
    """Name a process by the stage whose command it runs; by its program when it runs none."""
    try:
        found = [_COMMANDS[word] for word in process.cmdline() if word in _COMMANDS]
        return found[0] if found else str(process.name())
    except psutil.Error:
        return "process"
