"""The template as everybody reads it, and an emulator to deploy it to."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from cloudformation.sections import TEMPLATE
from cloudformation.template import parse_template

ROOT = TEMPLATE.parent.parent

Run = Callable[..., subprocess.CompletedProcess[str]]
Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def template() -> Mapping[str, Any]:
    return parse_template(TEMPLATE.read_text(encoding="utf-8"))


@contextmanager
def emulator(folder: Path, **more: str) -> Iterator[Mapping[str, str]]:
    """Run the emulator on a free port with `more` variables; yield the environment of a command that talks to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    variables = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "S3_DATA_DIR": str(folder / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOGLAKE_"))}
    command = [sys.executable, "-m", "hypercorn", "tests.cloudformation.endpoint:app", "--bind", f"127.0.0.1:{port}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=clean | variables | more, stdout=log, stderr=log)
    try:
        _await_answer(url, process, folder / "log")
        yield clean | variables
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Start the emulator; yield the environment of a command that shall talk to it."""
    with emulator(tmp_path_factory.mktemp("emulator")) as variables:
        yield variables


@pytest.fixture(scope="session")
def client(environment: Mapping[str, str]) -> Client:
    """Return a maker of clients of the emulator."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])


@pytest.fixture(scope="session")
def loglake(environment: Mapping[str, str]) -> Run:
    """Return a runner of the `loglake` command; its standard input is no terminal."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "loglake.py", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def deployed(loglake: Run, client: Client) -> None:
    """Deploy the stack `loglake`, unless it is there from the test before."""
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    if "loglake" not in {stack["StackName"] for stack in stacks}:
        run = loglake("deploy", "--yes", "--json")
        assert run.returncode == 0, run.stdout + run.stderr
        assert json.loads(run.stdout)["status"] == "created"


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url + "/_ministack/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the emulator did not answer:\n{log.read_text()}")
