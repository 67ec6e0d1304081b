"""From folders and what they hold to tables: where each table starts, its name, its partition keys and partitions."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from catalog.names import table_name
from localcloud.crawler.configuration import Options
from localcloud.crawler.folders import Folder, Path, location
from localcloud.crawler.glue_types import Schema, merge_schemas
from localcloud.crawler.samples import Sample

SIMILAR_SHARE = 0.7
"""Two schemas are similar when they share this part of their columns."""
MAX_NAME_CHARS = 128


@dataclass(frozen=True, slots=True)
class Leaf:
    """A folder that holds objects, and what they are."""

    folder: Folder
    sample: Sample


@dataclass(frozen=True, slots=True)
class Partition:
    values: tuple[str, ...]
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the crawl saw it. Without partition keys, its one partition is the table's own folder."""

    name: str
    path: Path
    schema: Schema
    partition_keys: tuple[str, ...]
    partitions: tuple[Partition, ...]

    @property
    def location(self) -> str:
        return location(self.path)

    @property
    def leaves(self) -> list[Leaf]:
        return [partition.leaf for partition in self.partitions]


@dataclass(frozen=True, slots=True)
class Detected:
    tables: tuple[Table, ...]
    ignored: Mapping[str, int]


def detect_tables(leaves: Sequence[Leaf], include_paths: Iterable[Path], options: Options) -> Detected:
    """Return the tables that the leaves make: at the table level if one is set, else where schemas stop being similar.

    Folders above the table level, or at another depth than most of their table's, are left out and counted.
    """
    roots, ignored = _roots(leaves, list(include_paths), options)
    names: set[str] = set()
    tables = []
    for path in sorted(roots):
        kept, dropped = _usual(path, roots[path])
        ignored.update(dropped)
        name = _unique(_name(path, options.table_prefix), path, names)
        names.add(name)
        tables.append(_table(name, path, kept))
    return Detected(tuple(tables), {reason: count for reason, count in ignored.items() if count})


def _roots(
    leaves: Sequence[Leaf], include_paths: list[Path], options: Options
) -> tuple[dict[Path, list[Leaf]], Counter[str]]:
    roots: dict[Path, list[Leaf]] = {}
    ignored: Counter[str] = Counter()
    if options.table_level is None:
        for include in include_paths:
            inside = [leaf for leaf in leaves if leaf.folder.path[: len(include)] == include]
            roots.update(_similar_roots(include, inside, options.combine_compatible))
        return roots, ignored
    for leaf in leaves:
        if len(leaf.folder.path) < options.table_level:
            ignored["above the table level"] += leaf.folder.object_count
        else:
            roots.setdefault(leaf.folder.path[: options.table_level], []).append(leaf)
    return roots, ignored


def _similar_roots(path: Path, leaves: list[Leaf], combine: bool) -> dict[Path, list[Leaf]]:
    """Return table roots at or below `path`: `path` itself when everything below it is alike, else its children's."""
    if not leaves:
        return {}
    children: dict[Path, list[Leaf]] = {}
    for leaf in leaves:
        if len(leaf.folder.path) > len(path):
            children.setdefault(leaf.folder.path[: len(path) + 1], []).append(leaf)
    direct = [leaf for leaf in leaves if leaf.folder.path == path]
    below = {
        root: found for child in children for root, found in _similar_roots(child, children[child], combine).items()
    }
    one_each = set(below) == set(children)
    if one_each and _alike([direct, *below.values()], combine):
        return {path: leaves}
    return {**below, path: direct} if direct else below


def _alike(groups: Iterable[list[Leaf]], combine: bool) -> bool:
    found = [group for group in groups if group]
    if len({leaf.sample.classification for group in found for leaf in group}) > 1:
        return False
    if combine or len(found) == 1:
        return True
    schemas = [_merged(group) for group in found]
    like_first = sum(_similar(schemas[0], schema) for schema in schemas)
    return like_first * 2 > len(schemas)


def _similar(left: Schema, right: Schema) -> bool:
    shared = len(left.keys() & right.keys())
    return shared >= SIMILAR_SHARE * max(len(left), len(right))


def _merged(leaves: Iterable[Leaf]) -> Schema:
    schema: Schema = {}
    for leaf in leaves:
        schema = merge_schemas(schema, leaf.sample.schema)
    return schema


def _usual(path: Path, leaves: list[Leaf]) -> tuple[list[Leaf], dict[str, int]]:
    """Keep the leaves of the depth and the classification that most of the table's folders have; count the others."""
    depth = Counter(len(leaf.folder.path) for leaf in leaves).most_common(1)[0][0]
    level = [leaf for leaf in leaves if len(leaf.folder.path) == depth]
    kind = Counter(leaf.sample.classification for leaf in level).most_common(1)[0][0]
    kept = [leaf for leaf in level if leaf.sample.classification == kind]
    where = location(path)
    return kept, {
        f"at another depth under {where}": _objects(leaves) - _objects(level),
        f"not {kind} under {where}": _objects(level) - _objects(kept),
    }


def _objects(leaves: Iterable[Leaf]) -> int:
    return sum(leaf.folder.object_count for leaf in leaves)


def _table(name: str, path: Path, leaves: list[Leaf]) -> Table:
    ordered = sorted(leaves, key=lambda leaf: leaf.folder.path)
    below = [leaf.folder.path[len(path) :] for leaf in ordered]
    keys = partition_keys(below)
    partitions = tuple(Partition(partition_values(parts), leaf) for parts, leaf in zip(below, ordered, strict=True))
    return Table(name, path, _merged(ordered), keys, partitions)


def partition_keys(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return one key per folder level: the name of `name=value` folders, else `partition_N` by position."""
    keys: list[str] = []
    for position, parts in enumerate(zip(*folders, strict=True)):
        names = {part.partition("=")[0].lower() if "=" in part else "" for part in parts}
        name = table_name(names.pop()) if len(names) == 1 else ""
        keys.append(name if name and name not in keys else f"partition_{position}")
    return tuple(keys)


def partition_values(parts: Path) -> tuple[str, ...]:
    """Return a folder's values: what follows the `=`, unquoted, or the folder's whole name."""
    return tuple(unquote(part.partition("=")[2]) if "=" in part else part for part in parts)


def _name(path: Path, prefix: str) -> str:
    return table_name(prefix + path[-1])[:MAX_NAME_CHARS]


def _unique(name: str, path: Path, taken: set[str]) -> str:
    return suffixed(name, location(path)) if name in taken else name


def suffixed(name: str, where: str) -> str:
    """Return the name Glue gives when another table has it already: with a hash of the location behind it."""
    digest = hashlib.md5(where.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: MAX_NAME_CHARS - 33]}_{digest}"
