"""The named queries: one `.sql` file each in `catalog/queries/`, whose leading `--` lines describe it.

A line `-- ? deploy timestamp now-1h: its moment` describes the next `?`: its name, type, default and what it is.
The files say `"${DatabaseName}"` for the stack's database, as the template does.
"""

from dataclasses import dataclass
from importlib.resources import files

from catalog.errors import UsageError

DATABASE_PLACE = "${DatabaseName}"
PARAMETER_TYPES = ("timestamp", "string", "integer")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What one `?` stands for; the default of a timestamp may be relative (`now-1h`), an empty one must be given."""

    name: str
    type: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query in Athena's SQL; `?` stands for an execution parameter, described in `parameters` in the same order.

    `template` leaves the database open: two stacks ask the same thing of their own tables.
    """

    name: str
    description: str
    template: str
    parameters: tuple[Parameter, ...] = ()

    def sql(self, database: str) -> str:
        """Return the query as it is asked of `database`."""
        return self.template.replace(DATABASE_PLACE, database)


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
    comments = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    parameters = tuple(_parameter(line[1:].strip()) for line in comments if line.startswith("?"))
    description = " ".join(line for line in comments if not line.startswith("?"))
    template = "\n".join(line for line in lines if not line.startswith("--")).strip()
    return NamedQuery(name, description, template, parameters)


def _parameter(line: str) -> Parameter:
    head, _, description = line.partition(": ")
    name, type_, *default = head.split(" ", 2)
    return Parameter(name, type_, default[0] if default else "", description)
