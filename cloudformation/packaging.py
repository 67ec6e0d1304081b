"""Building what the stack is made of: the Lambda's zip, the Glue job's script and its libraries, the nested templates.

The same sources give the same bytes on any machine: entries are sorted, stored uncompressed (deflate differs between
zlib builds) and carry a fixed time and mode. An artifact's key holds its hash, so new code is a new key, which is what
makes CloudFormation notice it.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import LoglakeError
from cloudformation.sections import BOARD, QUERIES

SOURCES = Path(__file__).resolve().parent.parent
"""Where the stages' folders lie side by side: the checkout, or site-packages."""

_FIRST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_COMMANDS = "cli.py"
"""Commands run on somebody's machine, not in AWS; leaving them out keeps a change of theirs from redeploying code."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One thing to upload, and the template's parameter that takes its key."""

    parameter: str
    file_name: str
    body: bytes

    @property
    def key(self) -> str:
        """The S3 key: `code/<first 16 hex digits of the SHA-256>/<file name>`."""
        return f"code/{hashlib.sha256(self.body).hexdigest()[:16]}/{self.file_name}"


def build_artifacts(sources: Path = SOURCES) -> tuple[Artifact, ...]:
    """Return what the template's code parameters name, from `sources`; raise `LoglakeError` if code is missing."""
    for path in ("firehose/transform.py", "glue_streaming/job.py"):
        if not (sources / path).is_file():
            raise LoglakeError(f"the code to deploy must lie beside this package: {path}; got none in {sources}")
    return (
        Artifact("LambdaKey", "transform.zip", zip_packages(sources, ("firehose", "catalog"))),
        Artifact("JobScriptKey", "job.py", (sources / "glue_streaming/job.py").read_bytes()),
        Artifact("LibrariesKey", "libraries.zip", zip_packages(sources, ("glue_streaming", "catalog"))),
        Artifact("QueriesKey", "queries.yaml", QUERIES.read_bytes()),
        Artifact("BoardKey", "board.yaml", BOARD.read_bytes()),
    )


def zip_packages(sources: Path, packages: Iterable[str]) -> bytes:
    """Return a zip of the packages' Python files, commands left out; the same files always give the same bytes."""
    paths = sorted(
        path.relative_to(sources).as_posix()
        for package in packages
        for path in (sources / package).rglob("*.py")
        if path.name != _COMMANDS and "__pycache__" not in path.parts
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path, _FIRST_ZIP_TIME)
            entry.create_system = 3  # Unix, also when built on Windows
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (sources / path).read_bytes())
    return buffer.getvalue()
