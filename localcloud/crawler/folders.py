"""From a listing to folders: what each folder of a target holds, without keeping the listing itself."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Path = tuple[str, ...]
"""A folder's place: the bucket first (Glue's level 1), then its folders."""


@dataclass(frozen=True, slots=True)
class S3Object:
    key: str
    size: int
    modified: float


@dataclass(slots=True)
class Folder:
    """What one folder holds directly; `samples` are the objects worth reading, the oldest and the newest ones."""

    path: Path
    object_count: int = 0
    total_bytes: int = 0
    oldest: list[S3Object] = field(default_factory=list)
    newest: list[S3Object] = field(default_factory=list)

    def add(self, item: S3Object, sample_size: int) -> None:
        self.object_count += 1
        self.total_bytes += item.size
        self.newest = sorted([*self.newest, item], key=_age, reverse=True)[: (sample_size + 1) // 2]
        self.oldest = sorted([*self.oldest, item], key=_age)[: max(1, sample_size // 2)]

    @property
    def samples(self) -> list[S3Object]:
        return list({item.key: item for item in [*self.oldest, *self.newest]}.values())

    @property
    def fingerprint(self) -> str:
        """What changes whenever an object is added, removed or replaced by a later one."""
        return f"{self.object_count}:{self.total_bytes}:{self.newest[0].modified if self.newest else 0}"

    @property
    def location(self) -> str:
        return location(self.path)


def _age(item: S3Object) -> tuple[float, str]:
    return item.modified, item.key


def location(path: Path) -> str:
    return "s3://" + "/".join(path) + "/"


def include_path(uri: str) -> Path:
    """Return a target's path as bucket and folders: `s3://bucket/logs/` is `("bucket", "logs")`."""
    return tuple(part for part in uri.removeprefix("s3://").removeprefix("s3a://").split("/") if part)


class Folders:
    """Gathers the folders of one target as its listing goes by.

    Keys with a part that starts with `_` or `.` below the include path, empty objects, folder markers and excluded keys
    are left out and counted in `ignored`, by reason.
    """

    def __init__(self, include: Path, excluded: Callable[[str], bool], sample_size: int) -> None:
        self._include = include
        self._excluded = excluded
        self._sample_size = sample_size
        self.by_path: dict[Path, Folder] = {}
        self.ignored: Counter[str] = Counter()

    def add_all(self, objects: Iterable[S3Object]) -> None:
        for item in objects:
            self._add(item)

    def _add(self, item: S3Object) -> None:
        parts = tuple(item.key.split("/"))
        inside = (self._include[0], *parts)
        if inside[: len(self._include)] != self._include:
            return
        below = inside[len(self._include) :]
        reason = self._reason_to_ignore(item, below)
        if reason:
            self.ignored[reason] += 1
            return
        path = inside[:-1]
        folder = self.by_path.setdefault(path, Folder(path))
        folder.add(item, self._sample_size)

    def _reason_to_ignore(self, item: S3Object, below: Path) -> str | None:
        if item.key.endswith("/"):
            return "folder marker"
        if any(part.startswith(("_", ".")) for part in below):
            return "hidden"
        if self._excluded("/".join(below) if below else item.key.rsplit("/", 1)[-1]):
            return "excluded"
        return None if item.size else "empty"
