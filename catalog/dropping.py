"""Whether a statement drops what a stack made: a curated table, or its database."""

import re

from catalog.tables import TABLES

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_DROP = re.compile(r"DROP\s+(TABLE|VIEW|DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?([\w.\"`-]+)", re.IGNORECASE)


def dropped_by(sql: str, database: str, stack_database: str) -> str | None:
    """Return what `sql`, asked of `database`, drops of the stack's own, as a person says it; None if it does not."""
    found = _DROP.match(_COMMENT.sub(" ", sql).strip())
    if not found:
        return None
    kind, names = found[1].upper(), re.sub(r"[\"`]", "", found[2]).lower().split(".")
    if kind in ("DATABASE", "SCHEMA"):
        return f"the database {names[-1]}" if names[-1] == stack_database else None
    place = names[-2] if len(names) > 1 else database
    is_ours = place == stack_database and names[-1] in {table.name for table in TABLES}
    return f"the table {names[-1]}" if is_ours else None
