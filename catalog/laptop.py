"""Finding what `loglake up` runs on this machine: its data directory, and the variables that point at its endpoint.

A data directory whose `up.json` names a living process is running. `$XDG_STATE_HOME/loglake/running/` (by default below
`~/.local/state`) holds one small file per directory on which `loglake up` was started, so that a command finds it from
any folder. Files that another user could have written are not believed.
"""

import hashlib
import json
import os
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "LOGLAKE_DATA_DIR"
DEFAULT = Path(".loglake")
RUN_FILE = "up.json"
REGION = "us-east-1"
STACK = "loglake"
ACCESS_KEY = SECRET_KEY = "test"

AWS_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""A shell with one of these set says itself which AWS it means."""


@dataclass(frozen=True, slots=True)
class Found:
    """A data directory, and whether it was taken without being named: then the command says which it took."""

    path: Path
    is_guess: bool = False


def data_dir(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the data directory of a command that starts something: as given, else the variable's, else `.loglake`."""
    return (given or Path(environment.get(VARIABLE) or DEFAULT)).absolute()


def find(given: Path | None, environment: Mapping[str, str]) -> Found:
    """Return the data directory of a command that asks something that runs.

    It is the one given, else the variable's, else `.loglake` here if it runs, else the newest that runs, else
    `.loglake` here.
    """
    here = data_dir(given, environment)
    if given or environment.get(VARIABLE) or is_running(here):
        return Found(here)
    newest = max(_running(environment), key=_started, default=None)
    return Found(here) if newest is None else Found(newest, is_guess=True)


def is_running(path: Path) -> bool:
    """Tell whether a process of a `loglake up` lives there, be it only one that a killed `up` left behind."""
    run = read_run(path)
    return any(process_of(record) is not None for record in (run, *run.get("processes", {}).values()))


def read_run(path: Path) -> dict[str, Any]:
    """Return what the last `loglake up` on a directory wrote down; empty when it ended, or the file isn't ours."""
    return _own_json(path / RUN_FILE)


def process_of(record: Mapping[str, Any]) -> Any:
    """Return the `psutil.Process` that a record names; None when it has ended, also if its id names another now."""
    import psutil

    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["created"])) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (KeyError, psutil.NoSuchProcess):
        return None


def register(path: Path, environment: Mapping[str, str]) -> None:
    """Let commands in other folders find a data directory; entries of directories that no longer run are dropped."""
    folder = _registry(environment)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for entry in folder.glob("*.json"):
        if not is_running(_named_by(entry)):
            entry.unlink(missing_ok=True)
    _entry(folder, path).write_text(json.dumps({"data_dir": str(path)}) + "\n", encoding="utf-8")


def forget(path: Path, environment: Mapping[str, str]) -> None:
    """Take a data directory out again."""
    _entry(_registry(environment), path).unlink(missing_ok=True)


def variables(endpoint_url: str, path: Path) -> dict[str, str]:
    """Return the variables that point any AWS client, and every command of ours, at a laptop's stack."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LOGLAKE_STACK": STACK,
        VARIABLE: str(path),
    }


def names_aws(environment: Mapping[str, str]) -> bool:
    """Tell whether a shell says itself which AWS it means."""
    return any(environment.get(name) for name in AWS_VARIABLES)


def commands_folder() -> str:
    """Return the folder in which this Python's `loglake` lies."""
    return sysconfig.get_path("scripts")


def _registry(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "loglake" / "running"


def _entry(folder: Path, path: Path) -> Path:
    return folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.json"


def _running(environment: Mapping[str, str]) -> Iterator[Path]:
    for entry in _registry(environment).glob("*.json"):
        path = _named_by(entry)
        if is_running(path):
            yield path


def _named_by(entry: Path) -> Path:
    return Path(str(_own_json(entry).get("data_dir") or entry / "torn"))


def _started(path: Path) -> float:
    return float(read_run(path).get("started", 0.0))


def _own_json(path: Path) -> dict[str, Any]:
    """Return the object in a file of this user's; empty when there is none, it is torn, or it is another user's."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return {}
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
