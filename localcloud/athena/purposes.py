"""Statements that hold a query and do more than answer it: INSERT, CREATE TABLE AS, UNLOAD, CREATE VIEW, EXPLAIN."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.athena.ddl import NAME
from localcloud.athena.failures import QueryFailure

Property = str | list[str]

_INSERT = re.compile(rf"INSERT\s+INTO\s+{NAME}\s*", re.IGNORECASE)
_CTAS = re.compile(rf"CREATE\s+TABLE(?P<if_not>\s+IF\s+NOT\s+EXISTS)?\s+{NAME}\s*", re.IGNORECASE)
_VIEW = re.compile(rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+{NAME}\s+AS\b", re.IGNORECASE)
_UNLOAD = re.compile(r"UNLOAD\s*(?=\()", re.IGNORECASE)
_EXPLAIN = re.compile(r"EXPLAIN\b\s*(?P<analyze>ANALYZE\b(?:\s+VERBOSE\b)?)?\s*", re.IGNORECASE)
_AS = re.compile(r"\s*AS\b", re.IGNORECASE)
_COMMENT = re.compile(r"\s*COMMENT\s+'(?:[^']|'')*'", re.IGNORECASE)
_WITH = re.compile(r"\s*WITH\s*(?=\()", re.IGNORECASE)
_NO_DATA = re.compile(r"\s+WITH\s+(?P<no>NO\s+)?DATA\s*$", re.IGNORECASE)


_TEXT = r"'(?:[^']|'')*'"
_PROPERTY = re.compile(
    rf"\s*(?P<name>\w+)\s*=\s*(?P<value>ARRAY\s*\[(?:\s*{_TEXT}\s*,?)*\s*\]|{_TEXT}|[\w.]+)\s*(?:,|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a statement does with the query in it: `kind` is insert, ctas, unload, view or explain.

    `flag` is IF NOT EXISTS of a table, OR REPLACE of a view, ANALYZE of an explanation.
    """

    kind: str
    query: str
    database: str = ""
    name: str = ""
    columns: tuple[str, ...] = ()
    properties: Mapping[str, Property] = field(default_factory=dict)
    location: str = ""
    flag: bool = False
    with_data: bool = True

    def placed_in(self, sql: str) -> str:
        """Return the query at the place it has in `sql`, behind blanks: what is said of it tells where it stands."""
        return re.sub(r"[^\n]", " ", sql[: max(0, sql.find(self.query))]) + self.query


def purpose_of(sql: str) -> Purpose | None:
    """Return what a statement does with its query; None for one that is a query itself, or holds none.

    Raises `QueryFailure` for a statement that begins as one of these and is not well formed.
    """
    text = strip(sql)
    for form, read in ((_INSERT, _insert), (_CTAS, _ctas), (_VIEW, _view), (_UNLOAD, _unload), (_EXPLAIN, _explain)):
        found = form.match(text)
        if found:
            return read(found, text[found.end() :])
    return None


def strip(sql: str) -> str:
    """Return a statement without the comments before it and the semicolon after it."""
    return re.sub(r"^(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)+", "", sql, flags=re.DOTALL).rstrip().rstrip(";").rstrip()


def _named(found: re.Match[str]) -> tuple[str, str]:
    return (found["database"] or "").lower(), found["table"].lower()


def _insert(found: re.Match[str], rest: str) -> Purpose:
    database, name = _named(found)
    columns: tuple[str, ...] = ()
    if rest.startswith("(") and not re.match(r"\(\s*(?:SELECT|WITH|VALUES|TABLE)\b", rest, re.IGNORECASE):
        inside, rest = parenthesised(rest)
        columns = tuple(part.strip().strip('"`').lower() for part in inside.split(","))
    return Purpose("insert", rest, database, name, columns)


def _ctas(found: re.Match[str], rest: str) -> Purpose | None:
    database, name = _named(found)
    rest = _after(_COMMENT, rest)
    properties: Mapping[str, Property] = {}
    if with_ := _WITH.match(rest):
        inside, rest = parenthesised(rest[with_.end() :])
        properties = read_properties(inside)
    if not _AS.match(rest):
        return None
    query = _after(_AS, rest)
    data = _NO_DATA.search(query)
    query = query[: data.start()] if data else query
    return Purpose(
        "ctas",
        _unwrapped(query),
        database,
        name,
        properties=properties,
        flag=bool(found["if_not"]),
        with_data=not (data and data["no"]),
    )


def _view(found: re.Match[str], rest: str) -> Purpose:
    database, name = _named(found)
    return Purpose("view", rest.strip(), database, name, flag=bool(found["replace"]))


def _unload(found: re.Match[str], rest: str) -> Purpose:
    query, rest = parenthesised(rest)
    to = re.match(r"\s*TO\s+'(?P<location>[^']+)'", rest, re.IGNORECASE)
    rest = rest[to.end() :] if to else rest
    with_ = _WITH.match(rest)
    if not to or not with_:
        raise _malformed(rest, "UNLOAD (SELECT …) TO 's3://…/' WITH (format = '…')")
    inside, rest = parenthesised(rest[with_.end() :])
    if rest.strip():
        raise _malformed(rest, "<EOF>")
    return Purpose("unload", query, properties=read_properties(inside), location=to["location"])


def _explain(found: re.Match[str], rest: str) -> Purpose:
    if rest.startswith("(") and not re.match(r"\(\s*(?:SELECT|WITH|VALUES|TABLE)\b", rest, re.IGNORECASE):
        options, rest = parenthesised(rest)
        if re.search(r"\bIO\b|\bGRAPHVIZ\b|\bJSON\b", options, re.IGNORECASE):
            raise QueryFailure(
                "NOT_SUPPORTED", f"line 1:9: EXPLAIN ({options.strip()}) is not supported by this engine"
            )
    return Purpose("explain", rest.strip(), flag=bool(found["analyze"]))


def _after(form: re.Pattern[str], text: str) -> str:
    found = form.match(text)
    return text[found.end() :] if found else text


def _unwrapped(query: str) -> str:
    query = query.strip()
    if query.startswith("("):
        inside, rest = parenthesised(query)
        return inside if not rest.strip() else query
    return query


def _malformed(rest: str, expected: str) -> QueryFailure:
    word = rest.split()[0] if rest.split() else "<EOF>"
    return QueryFailure("SYNTAX_ERROR", f"line 1:1: mismatched input '{word}'. Expecting: {expected}")


def parenthesised(text: str) -> tuple[str, str]:
    """Return what stands in the parentheses that `text` begins with, and what follows them; quotes are respected."""
    depth = 0
    for found in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|[()]", text, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return text[1 : found.start()], text[found.end() :]
    raise _malformed("", "')'")


def read_properties(text: str) -> dict[str, Property]:
    """Return the `name = value` pairs of a WITH clause, names in lower case, values as text or lists of text."""
    properties: dict[str, Property] = {}
    rest = text.strip()
    while rest:
        found = _PROPERTY.match(rest)
        if found is None:
            raise _malformed(rest, "property = value")
        value = found["value"]
        texts = [part[1:-1].replace("''", "'") for part in re.findall(r"'(?:[^']|'')*'", value)]
        properties[found["name"].lower()] = texts if value[:5].upper() == "ARRAY" else texts[0] if texts else value
        rest = rest[found.end() :]
    return properties
