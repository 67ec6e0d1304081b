"""Lists an S3 place again and again, at a cost that does not grow with all that has ever arrived there.

A whole listing finds everything. Between two of them, as long as they would take more than a twentieth of the time,
only the folders that lately got objects are listed, and folders that were not there before: an object that arrives in
an old folder is found by the next whole listing.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from localcloud.jobs.arguments import Place

SHARE = 20
"""A whole listing is due once this many times its own duration has passed."""
HOT_SECONDS = 2 * 3600
"""A folder whose newest object is younger than this is listed every time."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing."""

    key: str
    size: int
    modified: float


class Listing:
    """What is known of one place."""

    def __init__(self, s3: Callable[[], Any], place: Place) -> None:
        self._s3 = s3
        self._place = place
        self._newest: dict[str, float] = {}
        self._due = 0.0

    def objects(self, thorough: bool) -> list[Listed]:
        """Return every object that may be new since the last call; all there are when `thorough`."""
        if thorough or not self._newest or time.monotonic() >= self._due:
            return self._whole()
        return self._recent()

    def _whole(self) -> list[Listed]:
        started = time.monotonic()
        found = list(self._below(self._place.prefix))
        self._due = time.monotonic() + SHARE * (time.monotonic() - started)
        return found

    def _recent(self) -> list[Listed]:
        hot = [folder for folder, newest in self._newest.items() if time.time() - newest < HOT_SECONDS]
        known = {prefix for folder in self._newest for prefix in self._lineage(folder)}
        parents = {prefix for folder in hot for prefix in self._lineage(folder)} - set(hot) | {self._place.prefix}
        fresh = {prefix for parent in sorted(parents) for prefix in self._children(parent)} - known
        return [item for prefix in sorted({*hot, *fresh}) for item in self._below(prefix)]

    def _lineage(self, folder: str) -> Iterator[str]:
        """Yield the folder and those above it, down to the place's own."""
        while len(folder) > len(self._place.prefix):
            yield folder
            folder = folder.rstrip("/").rpartition("/")[0] + "/"

    def _below(self, prefix: str) -> Iterator[Listed]:
        for page in self._pages(Prefix=prefix):
            for item in page.get("Contents", []):
                listed = Listed(item["Key"], item["Size"], item["LastModified"].timestamp())
                folder = listed.key.rpartition("/")[0] + "/"
                self._newest[folder] = max(listed.modified, self._newest.get(folder, 0.0))
                yield listed

    def _children(self, parent: str) -> Iterator[str]:
        for page in self._pages(Prefix=parent, Delimiter="/"):
            yield from (item["Prefix"] for item in page.get("CommonPrefixes", []))

    def _pages(self, **parameters: str) -> Any:
        return self._s3().get_paginator("list_objects_v2").paginate(Bucket=self._place.bucket, **parameters)
