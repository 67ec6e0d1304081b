"""The named queries: one `.sql` file each in `catalog/queries/`, whose leading `--` lines describe it."""

from dataclasses import dataclass
from importlib.resources import files

from catalog.errors import UsageError


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query in Athena's SQL; `?` stands for an execution parameter."""

    name: str
    description: str
    sql: str


def named_queries() -> tuple[NamedQuery, ...]:
    """Return every named query, sorted by name."""
    paths = sorted(files("catalog").joinpath("queries").iterdir(), key=lambda path: path.name)
    return tuple(
        _parse(path.name[:-4], path.read_text(encoding="utf-8")) for path in paths if path.name.endswith(".sql")
    )


def named_query(name: str) -> NamedQuery:
    """Return one named query; raise `UsageError` listing the names there are if there is none so called."""
    queries = {query.name: query for query in named_queries()}
    if name not in queries:
        raise UsageError(f"a named query must be one of {', '.join(queries)}; got {name!r}")
    return queries[name]


def _parse(name: str, text: str) -> NamedQuery:
    lines = text.splitlines()  # our own files: no foreign line separators
    comment = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    return NamedQuery(name, " ".join(comment), "\n".join(line for line in lines if not line.startswith("--")).strip())
