"""Log rows: the statements that fetch them page by page, and the records that come back.

Rows come from the curated `logs`, or from the raw tables, one per service, when a level is asked for that `logs` leaves
out. Pages are keysets: newest first, each starts below the last row of the page before, so late rows shift nothing.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.names import key_name, table_name
from catalog.schema import EVENT_COLUMNS, LEVELS, NO_VALUE, OTHER_LEVEL
from dashboard.athena import read_csv
from dashboard.patterns import like, pattern_id
from dashboard.statements import Statement, iso_literal, partitions, text_literal, timestamp_literal
from dashboard.timerange import Window
from dashboard.view import View

PAGE_ROWS = 1000
MAX_ROWS = 10_000
FIELDS: tuple[str, ...] = tuple(column.name for column in EVENT_COLUMNS) + ("received_at", "extra")
STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
NEWEST_FIRST = "ORDER BY \"timestamp\" DESC, COALESCE(event_id, '') DESC"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Record = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """One table to read rows of: its columns, and whether it is a raw one, whose timestamps are texts."""

    table: str
    columns: tuple[str, ...]
    is_raw: bool


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the rows of a view are: the tables, the services whose raw table is not catalogued yet, and whether the
    curated table, which the stack makes, is missing.
    """

    sources: tuple[Source, ...]
    is_raw: bool
    missing_services: tuple[str, ...] = ()
    has_no_logs: bool = False


def choose_sources(
    view: View, services: Sequence[str], drop_levels: Sequence[str], tables: Mapping[str, tuple[str, ...]]
) -> Sources:
    """Return the tables that hold a view's rows; `tables` is the Glue catalog's list: all identifiers come from it."""
    if not set(view.levels) & set(drop_levels):
        has_logs = "logs" in tables
        return Sources((Source("logs", tables["logs"], False),) if has_logs else (), False, has_no_logs=not has_logs)
    names = services if not view.services or NO_VALUE in view.services else view.services
    wanted = {service: table_name(key_name(service)) for service in names if service != NO_VALUE}
    found = tuple(Source(name, tables[name], True) for name in dict.fromkeys(wanted.values()) if name in tables)
    return Sources(found, True, tuple(service for service, name in wanted.items() if name not in tables))


def page_statement(
    sources: Sources, view: View, window: Window, after: Record | None = None, limit: int = PAGE_ROWS
) -> Statement:
    """Return the statement for the page of rows below `after`, the first one when there is none."""
    parts = [_select(source, view, window, after, limit) for source in sources.sources]
    union = " UNION ALL ".join(sql for sql, _ in parts)
    parameters = tuple(value for _, values in parts for value in values)
    return Statement(f"SELECT * FROM ({union}) AS found {NEWEST_FIRST} LIMIT {limit}", parameters)


def counts_statement(sources: Sources, view: View, window: Window) -> Statement:
    """Return the statement that counts a view's rows per minute: for filters that the rollup can't answer."""
    parts = []
    for source in sources.sources:
        moment = 'from_iso8601_timestamp("timestamp")' if source.is_raw else '"timestamp"'
        where, parameters = _where(source, view, window)
        slot = f"CAST(floor(to_unixtime({moment}) / 60) AS bigint) * 60"
        texts = f"{_text(source, 'service')} AS service, {_text(source, 'level')} AS level"
        columns = f"{slot} AS slot, {texts}, {_status_class(source)} AS status_class"
        parts.append((f'SELECT {columns} FROM "{source.table}" WHERE {where}', parameters))
    union = " UNION ALL ".join(sql for sql, _ in parts)
    groups = "slot, service, level, status_class"
    sql = f"SELECT {groups}, count(*) AS events, 0 AS response_bytes FROM ({union}) AS found GROUP BY {groups}"
    return Statement(sql, tuple(value for _, values in parts for value in values))


def read_page(content: bytes) -> list[Record]:
    """Return a page's records; a raw table's ISO timestamps come out as the curated ones do."""
    header, rows = read_csv(content)
    records: list[Record] = [dict(zip(header, row, strict=True)) for row in rows]
    for record in records:
        record["timestamp"] = (record["timestamp"] or "").replace("T", " ").removesuffix("Z")
    return records


def to_csv(records: Sequence[Mapping[str, str | None]], columns: Sequence[str]) -> str:
    """Return records as CSV; a cell that a spreadsheet would run as a formula is prefixed with a quote."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[safe_cell(record.get(column) or "") for column in columns] for record in records])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return a cell's text, prefixed with `'` when it starts as a formula does."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _select(
    source: Source, view: View, window: Window, after: Record | None, limit: int
) -> tuple[str, tuple[str, ...]]:
    where, parameters = _where(source, view, window)
    if after:
        where += ' AND ("timestamp" < ? OR ("timestamp" = ? AND ' + f"COALESCE({_text(source, 'event_id')}, '') < ?))"
        moment = _cursor(source, after)
        parameters += (moment, moment, text_literal(after["event_id"] or ""))
    columns = ", ".join(_column(source, name) for name in FIELDS)
    sql = f'SELECT {columns} FROM "{source.table}" WHERE {where}'
    if source.is_raw:
        sql = f"SELECT * FROM ({sql} {NEWEST_FIRST} LIMIT {limit}) AS {source.table}_page"
    return sql, parameters


def _column(source: Source, name: str) -> str:
    if name in source.columns and not source.is_raw:
        return f'"{name}"'
    return f'{_text(source, name)} AS "{name}"'


def _text(source: Source, name: str) -> str:
    """Return a column as a text: a raw table has the columns, and of them the types, that the crawler found."""
    if name not in source.columns:
        return "CAST(NULL AS varchar)"
    return f'CAST("{name}" AS varchar)' if source.is_raw else f'"{name}"'


def _where(source: Source, view: View, window: Window) -> tuple[str, tuple[str, ...]]:
    days, parameters = partitions(window)
    literal = iso_literal if source.is_raw else timestamp_literal
    clauses = [days, '"timestamp" >= ?', '"timestamp" < ?']
    parameters += (literal(window.start), literal(window.end))
    if view.levels:
        clause, values = _levels(source, view.levels)
        clauses.append(clause)
        parameters += values
    if view.services:
        clause, values = _among(_text(source, "service"), view.services)
        clauses.append(clause)
        parameters += values
    if view.search:
        clauses.append(f"strpos(lower({_text(source, 'message')}), lower(?)) > 0")
        parameters += (text_literal(view.search),)
    for name, values in view.facets.items():
        clause, values = _facet(source, name, values)
        clauses.append(clause)
        parameters += values
    return " AND ".join(clauses), parameters


def _facet(source: Source, name: str, values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if name == "pattern":
        return _by_words(values)
    column = _status_class(source) if name == "status_class" else _text(source, name)
    blanks = (pattern_id(""),) if name == "pattern_id" else ()
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    parts = [_among(column, wanted, blanks)] if wanted else []
    if unwanted:
        clause, parameters = _among(column, unwanted, blanks)
        parts.append((f"NOT COALESCE({clause}, FALSE)", parameters))
    return " AND ".join(clause for clause, _ in parts), tuple(value for _, values in parts for value in values)


def _among(column: str, values: Sequence[str], blanks: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
    """Return the predicate for rows of certain texts: `NO_VALUE` is one that is missing, empty, or of `blanks`."""
    texts = tuple(dict.fromkeys((*values, *(("", *blanks) if NO_VALUE in values else ()))))
    listed = f"{column} IN ({', '.join('?' * len(texts))})"
    clause = f"({column} IS NULL OR {listed})" if NO_VALUE in values else listed
    return clause, tuple(text_literal(value) for value in texts)


def _levels(source: Source, levels: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the predicate for rows of certain levels: `OTHER_LEVEL` is a missing one, or one that nobody knows."""
    column = _text(source, "level")
    if OTHER_LEVEL not in levels:
        return _among(column, levels)
    others = [level for level in LEVELS if level not in levels]
    clause, parameters = _among(column, others) if others else ("FALSE", ())
    return f"({column} IS NULL OR NOT {clause})", parameters


def _by_words(values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the predicate for messages that read like patterns, for tables that hold no pattern ids."""
    wanted = tuple(text_literal(like(value)) for value in values if not value.startswith("!"))
    unwanted = tuple(text_literal(like(value[1:])) for value in values if value.startswith("!"))
    clause = "COALESCE(message, '') LIKE ? ESCAPE '\\'"
    clauses = ["(" + " OR ".join([clause] * len(wanted)) + ")"] if wanted else []
    clauses += [f"NOT ({clause})"] * len(unwanted)
    return " AND ".join(clauses), wanted + unwanted


def _status_class(source: Source) -> str:
    if "status_code" not in source.columns:
        return "CAST(NULL AS varchar)"
    number = f"TRY_CAST({_text(source, 'status_code')} AS bigint)"
    cases = " ".join(f"WHEN {number} BETWEEN {name[0]}00 AND {name[0]}99 THEN '{name}'" for name in STATUS_CLASSES)
    return f"CASE {cases} END"


def _cursor(source: Source, after: Record) -> str:
    text = (after["timestamp"] or "")[:23]
    return text_literal(text.replace(" ", "T") + "Z") if source.is_raw else f"TIMESTAMP {text_literal(text)}"
