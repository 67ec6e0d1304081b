"""The sessions of `docs/transcripts/`: the commands that stand there, played against an endpoint, and their answers.

`python -m tests.cloudformation.transcripts` writes the answers of now into the files; a test fails while they differ.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import REPOSITORY, EndpointProcess

TRANSCRIPTS = tuple(sorted((REPOSITORY / "docs" / "transcripts").glob("*.md")))

_SESSION = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ .*\n(?:> .*\n)*", re.MULTILINE)
_VARYING: Mapping[str, str] = {
    r"^\d\d:\d\d:\d\d  ": "12:00:00  ",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "2026-11-22 12:00:00",
    r"code/[0-9a-f]{16}/": "code/0123456789abcdef/",
    r"package-deploy-\d+": "package-deploy-1234567890",
    r"\([\d,]+ bytes\)": "(… bytes)",
    r"Policy-[0-9A-F]{13}": "Policy-0123456789ABC",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "01234567-89ab-cdef-0123-456789abcdef",
    r"[ \t]+$": "",
}
"""What differs from one run to the next -> what stands for it."""


def commands(text: str) -> Iterator[str]:
    """Yield a transcript's commands as a shell takes them."""
    for session in _SESSION.findall(text):
        for command in _COMMAND.findall(session):
            yield re.sub(r"^(\$|>) ", "", command, flags=re.MULTILINE)


def played(text: str, environment: Mapping[str, str]) -> str:
    """Return the transcript with its commands answered anew, in one folder; what varies is made constant."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "cloudformation").symlink_to(REPOSITORY / "cloudformation")
        (place / "loglake").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY / "loglake.py"}" "$@"\n')
        (place / "loglake").chmod(0o755)
        variables = {**environment, "AWS_PAGER": "", "HOME": folder, "PATH": f"{folder}:{environment['PATH']}"}

        def play(session: re.Match[str]) -> str:
            return "".join(command + _answer(command, place, variables) for command in _COMMAND.findall(session[0]))

        return _SESSION.sub(play, text)


def _answer(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    (script,) = commands(f"```console\n{command}```\n")
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    answer = run.stdout
    for pattern, constant in _VARYING.items():
        answer = re.sub(pattern, constant, answer, flags=re.MULTILINE)
    return answer.strip("\n") + "\n" if answer.strip() else ""


def write_all() -> None:
    """Play every transcript on an endpoint of its own, and write it."""
    if shutil.which("aws") is None:
        sys.exit("the AWS CLI must be on PATH; got none; run 'pip install awscli' in an environment of its own")
    for path in TRANSCRIPTS:
        with tempfile.TemporaryDirectory() as folder:
            endpoint = EndpointProcess(Path(folder)).start()
            try:
                text = played(path.read_text(encoding="utf-8"), {**os.environ, **endpoint.environment()})
            finally:
                endpoint.stop()
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_all()
