"""The mirror: S3 objects as local files, which is how Spark reads them without Hadoop's S3 jars.

Only ever grows: nothing local is removed, neither what a job wrote (checkpoints, staging) nor what S3 has no more,
because a checkpoint may still name it.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.jobs.arguments import Place, mirror_path
from localcloud.jobs.listing import Listing

FETCHERS = 8
_CHUNK_BYTES = 1024 * 1024


class Cancelled(Exception):
    """The run was stopped while its input was being fetched."""


@dataclass(frozen=True, slots=True)
class Remote:
    """One object that the mirror must have."""

    bucket: str
    key: str
    size: int
    modified: float
    path: Path


class Mirror:
    """A folder that holds the objects of S3 places, each under its bucket and key."""

    def __init__(self, root: Path, s3: Callable[[], Any]) -> None:
        self.root = root
        self._s3 = s3
        self._lock = threading.Lock()
        self._listings: dict[Place, Listing] = {}

    def fetch(self, where: Place, cancelled: Callable[[], bool], thorough: bool = True) -> int:
        """Bring every object of the place that is new or changed; return how many.

        Unless `thorough`, what arrived in an old folder may be left to a later call (see `Listing`).

        A file appears whole, by a rename, with the object's time. A place that ends with a slash exists afterwards,
        also when it is empty. Raises `Cancelled`, or the client's own error.
        """
        with self._lock:
            if where.prefix.endswith("/") or not where.prefix:
                mirror_path(self.root, where).mkdir(parents=True, exist_ok=True)
            missing = [remote for remote in self._remotes(where, thorough) if not _present(remote)]
            with ThreadPoolExecutor(FETCHERS, thread_name_prefix="mirror") as pool:
                for _ in pool.map(lambda remote: self._fetch_one(remote, cancelled), missing):
                    pass
            return len(missing)

    def _remotes(self, where: Place, thorough: bool) -> Iterator[Remote]:
        listing = self._listings.setdefault(where, Listing(self._s3, where))
        for item in listing.objects(thorough):
            parts = set(item.key.split("/"))
            if _inside(item.key, where.prefix) and not parts & {"", ".", ".."}:
                path = mirror_path(self.root, Place(where.bucket, item.key))
                yield Remote(where.bucket, item.key, item.size, item.modified, path)

    def _fetch_one(self, remote: Remote, cancelled: Callable[[], bool]) -> None:
        if cancelled():
            raise Cancelled
        remote.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = remote.path.with_name(f".{remote.path.name}.tmp")
        body = self._s3().get_object(Bucket=remote.bucket, Key=remote.key)["Body"]
        with scratch.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
        os.utime(scratch, (remote.modified, remote.modified))
        scratch.replace(remote.path)


def _inside(key: str, prefix: str) -> bool:
    return not prefix or prefix.endswith("/") or key == prefix or key.startswith(prefix + "/")


def _present(remote: Remote) -> bool:
    try:
        found = remote.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return found.st_size == remote.size and abs(found.st_mtime - remote.modified) < 1
