"""How a statement of Athena's SQL may begin: what begins otherwise is a slip of the finger, not what we do not do."""

from collections.abc import Mapping

from localcloud.athena.failures import QueryFailure, position
from localcloud.athena.purposes import strip

_ANY: frozenset[str] = frozenset()
_BEGINNINGS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE", "PREPARE", "DEALLOCATE", "UNLOAD"), _ANY),
    **dict.fromkeys(("EXPLAIN", "DESCRIBE", "DESC", "UPDATE", "VACUUM", "USING", "ANALYZE"), _ANY),
    "INSERT": frozenset({"INTO"}),
    "MERGE": frozenset({"INTO"}),
    "DELETE": frozenset({"FROM"}),
    "OPTIMIZE": _ANY,
    "MSCK": frozenset({"REPAIR"}),
    "CREATE": frozenset({"DATABASE", "SCHEMA", "TABLE", "EXTERNAL", "VIEW", "OR", "PROTECTED"}),
    "DROP": frozenset({"DATABASE", "SCHEMA", "TABLE", "VIEW"}),
    "ALTER": frozenset({"DATABASE", "SCHEMA", "TABLE", "VIEW"}),
    "SHOW": frozenset({"DATABASES", "SCHEMAS", "TABLES", "VIEWS", "PARTITIONS", "COLUMNS", "CREATE", "TBLPROPERTIES"}),
}
"""First word of a statement (Athena user guide, DDL and DML) -> the words that may follow it; empty for any."""


def require_beginning(sql: str) -> None:
    """Raise Athena's syntax error for a statement whose first words begin none."""
    text = strip(sql)
    words = text.replace("(", " ( ").split(maxsplit=2)
    if not words or words[0] == "(":
        return
    followers = _BEGINNINGS.get(words[0].upper())
    if followers is None:
        raise _mismatch(sql, sql.rindex(text), words[0], [*_BEGINNINGS])
    second = words[1] if len(words) > 1 else "<EOF>"
    if followers and second.upper() not in followers:
        offset = sql.rindex(text) + (text.index(second, len(words[0])) if len(words) > 1 else len(text))
        raise _mismatch(sql, offset, second, sorted(followers))


def _mismatch(sql: str, offset: int, word: str, expected: list[str]) -> QueryFailure:
    told = ", ".join(f"'{name}'" for name in expected)
    return QueryFailure("SYNTAX_ERROR", f"{position(sql, offset)}: mismatched input '{word}'. Expecting: {told}")
