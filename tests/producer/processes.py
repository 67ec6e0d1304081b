"""The producer as a process of its own, talking to an endpoint of the test's."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"


def environment(url: str = NOWHERE) -> dict[str, str]:
    """Return the environment of a producer that talks to `url`."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LOGLAKE_STREAM": "logs",
        "PYTHONPATH": str(ROOT),
    }


def produce(*flags: str, cwd: Path, url: str = NOWHERE, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the producer to its end."""
    command = [sys.executable, "-m", "producer", *flags]
    return subprocess.run(
        command, cwd=cwd, env=environment(url), capture_output=True, timeout=120, check=False, input=given
    )


def started(tmp_path: Path, url: str, *flags: str) -> subprocess.Popen[bytes]:
    """Start the producer; it prints its counts as JSON at its end."""
    command = [sys.executable, "-m", "producer", "--to", "kinesis", "--json", *flags]
    return subprocess.Popen(command, cwd=tmp_path, env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return once the condition holds; fail when it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
