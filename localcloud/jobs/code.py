"""A job's code: its script and Python libraries, fetched from S3 into folders named by their content."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.jobs.arguments import place


class CodeError(Exception):
    """The script or a library can't be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Code:
    """Local copies; equal content has equal paths, so changed code is told by its path."""

    script: Path
    libraries: tuple[Path, ...]


class CodeStore:
    def __init__(self, root: Path, s3: Callable[[], Any]) -> None:
        self._root = root
        self._s3 = s3

    def fetch(self, script: str, libraries: Sequence[str]) -> Code:
        """Return the code as it is in S3 now; raise `CodeError` naming what is missing."""
        return Code(
            self._fetch(script, "ScriptLocation"), tuple(self._fetch(uri, "--extra-py-files") for uri in libraries)
        )

    def _fetch(self, uri: str, role: str) -> Path:
        where = place(uri)
        if where is None or not where.prefix or where.prefix.endswith("/"):
            raise CodeError(f"{role} must name an S3 object; got {uri!r}")
        s3 = self._s3()
        try:
            content = s3.get_object(Bucket=where.bucket, Key=where.prefix)["Body"].read()
        except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
            raise CodeError(f"{role} must exist in S3; got {uri!r}; run 'loglake deploy'") from None
        path = self._root / hashlib.sha256(content).hexdigest()[:16] / where.prefix.rsplit("/", 1)[-1]
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f".{path.name}.tmp")
            scratch.write_bytes(content)
            scratch.replace(path)
        return path
