"""Why a query fails, in Athena's words: an error name, its text, and whose fault it is."""

import re

USER = 2
SYSTEM = 1

_POSITION = re.compile(r"\bLINE (\d+):.*\n\s*\^", re.DOTALL)


class QueryFailure(Exception):
    """A query that can't be answered: `name` is Trino's error name, `category` Athena's 1 (system) or 2 (user)."""

    def __init__(self, name: str, message: str, category: int = USER) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.category = category

    @property
    def text(self) -> str:
        """The `StateChangeReason` that Athena gives."""
        return str(self)


class ObjectGone(QueryFailure):
    """An object was listed and is not there any more."""

    def __init__(self, uri: str) -> None:
        super().__init__("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {uri}: it does not exist", SYSTEM)


class ScanLimitExceeded(QueryFailure):
    """The query would read more than its workgroup allows: Athena cancels it, it does not fail."""

    def __init__(self) -> None:
        super().__init__("EXCEEDED_SCAN_LIMIT", "Query cancelled! : Bytes scanned limit was exceeded")

    @property
    def text(self) -> str:
        return "Query cancelled! : Bytes scanned limit was exceeded"


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|/\*|['\"]", re.DOTALL)
_COLUMN = re.compile(r'Referenced column "(?P<a>[^"]+)"|does not have a column named "(?P<b>[^"]+)"')
_MALFORMED = re.compile(r'Malformed JSON in file "(?P<file>[^"]+)".* in line (?P<line>\d+)')
_TABLE = re.compile(r'Referenced table "(?P<a>[^"]+)" not found')
_NAMES: tuple[tuple[str, str], ...] = (
    ("must appear in the GROUP BY clause", "EXPRESSION_NOT_AGGREGATE"),
    ("No function matches", "FUNCTION_NOT_FOUND"),
    ("Cannot compare values of type", "TYPE_MISMATCH"),
    ("Binder Error", "SYNTAX_ERROR"),
    ("Parser Error", "SYNTAX_ERROR"),
    ("Catalog Error", "SYNTAX_ERROR"),
    ("Conversion Error", "INVALID_CAST_ARGUMENT"),
    ("Out of Range Error", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("Out of Memory Error", "EXCEEDED_LOCAL_MEMORY_LIMIT"),
    ("Permission Error", "PERMISSION_DENIED"),
    ("Not implemented Error", "NOT_SUPPORTED"),
    ("Invalid Input Error", "INVALID_FUNCTION_ARGUMENT"),
    ("IO Error", "HIVE_CANNOT_OPEN_SPLIT"),
    ("HTTP Error", "HIVE_CANNOT_OPEN_SPLIT"),
)


def locate(sql: str, word: str) -> str:
    """Return Trino's `line 1:8` of the first whole `word` in `sql`; `line 1:1` when it is not there."""
    found = re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", sql, re.IGNORECASE)
    return position(sql, found.start() if found else 0)


def position(sql: str, offset: int) -> str:
    """Return Trino's `line 1:8` of an offset in `sql`."""
    before = sql[:offset]
    return f"line {before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def from_duckdb(error: Exception, sql: str) -> QueryFailure:
    """Return the failure that says in Athena's words what DuckDB said about the user's `sql`."""
    said = str(error)
    column = _COLUMN.search(said) or _TABLE.search(said)
    if column:
        name = next(group for group in column.groups() if group).lower()
        return QueryFailure(
            "COLUMN_NOT_FOUND",
            f"{locate(sql, name)}: Column '{name}' cannot be resolved or requester is not authorized to access "
            "requested resources",
        )
    malformed = _MALFORMED.search(said)
    if malformed:
        return QueryFailure(
            "HIVE_CURSOR_ERROR",
            f"Row is not a valid JSON Object: {malformed['file']}, line {int(malformed['line']) - 1}; "
            "with the SerDe property 'ignore.malformed.json' = 'true' such rows are NULL",
        )
    if "Division by zero" in said:
        return QueryFailure("DIVISION_BY_ZERO", "Division by zero")
    first = _POSITION.sub("", said).split("\n")[0].strip()
    name = next((name for mark, name in _NAMES if mark in said), "GENERIC_INTERNAL_ERROR")
    category = SYSTEM if name in {"GENERIC_INTERNAL_ERROR", "HIVE_CANNOT_OPEN_SPLIT"} else USER
    message = re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", first)
    prefix = f"{locate(sql, 'select')}: " if name == "SYNTAX_ERROR" else ""
    return QueryFailure(name, prefix + message, category)


def syntax_error(error: Exception, sql: str) -> QueryFailure:
    """Return the failure that says in Athena's words what sqlglot said about the user's `sql`."""
    details = getattr(error, "errors", None)
    if not details:
        return _unclosed(sql)
    word = details[0].get("highlight") or ""
    said = (details[0].get("description") or "").partition(" but got <Token")[0].rstrip(".")
    column = max(1, (details[0].get("col") or 1) - len(word) + 1)
    place = f"line {details[0].get('line') or 1}:{column}"
    expecting = "Expecting an expression" if "<class" in said else said
    return QueryFailure("SYNTAX_ERROR", f"{place}: mismatched input '{word or '<EOF>'}'. {expecting}")


def _unclosed(sql: str) -> QueryFailure:
    """Return the failure of a text that can't be cut into words: the quote or comment that is not closed."""
    opened = next((found for found in _QUOTED.finditer(sql) if len(found[0]) < 2 or found[0] == "/*"), None)
    place = position(sql, opened.start() if opened else len(sql))
    return QueryFailure("SYNTAX_ERROR", f"{place}: {opened[0] if opened else 'a quote or comment'} is not closed")
