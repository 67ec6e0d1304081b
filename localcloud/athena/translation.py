"""Athena's SQL, parsed by sqlglot and written in DuckDB's words with Trino's meaning.

Functions stay unparsed (name and arguments), so that `localcloud.athena.functions` alone decides what each one means,
and a function that it does not name can't run.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import TokenType  # type: ignore[attr-defined]

from localcloud.athena.column_types import Type
from localcloud.athena.column_types import literal as text_literal
from localcloud.athena.failures import QueryFailure, locate, syntax_error
from localcloud.athena.functions import NUMERIC, PYTHON, REFUSED, RENAMED, SAME, TEMPLATES, WHOLE
from localcloud.athena.macros import definitions
from localcloud.athena.patterns import joda_to_strftime, mysql_to_strftime
from localcloud.athena.special_functions import SPECIAL
from localcloud.athena.unnesting import unnest
from localcloud.athena.zones import MOMENTS, ZONED_TEXT, duckdb_zone, role_of, zone_of

_KEPT_PARSERS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG")
_INTEGERS = {exp.DataType.Type.TINYINT, exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT}


def _placeholder(parser: Any) -> exp.Placeholder:
    node = exp.Placeholder()
    node.meta["start"] = parser._prev.start
    return node


class Statement(Trino):
    """Trino's grammar with every function left as it was written."""

    class Parser(Trino.Parser):  # type: ignore[misc, valid-type]
        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: parser for name, parser in Trino.Parser.FUNCTION_PARSERS.items() if name in _KEPT_PARSERS
        }
        PLACEHOLDER_PARSERS: ClassVar[dict[Any, Callable[..., Any]]] = {TokenType.PLACEHOLDER: _placeholder}


def parse(sql: str) -> exp.Expr:
    """Return the one statement in `sql`; raise Athena's syntax error otherwise."""
    from sqlglot import parse as parse_all

    try:
        statements = [statement for statement in parse_all(sql, dialect=Statement) if statement]
    except (ParseError, TokenError) as error:
        raise syntax_error(error, sql) from None
    if len(statements) != 1:
        raise QueryFailure("SYNTAX_ERROR", "Only one sql statement is allowed")
    return statements[0]


def parse_query(sql: str) -> exp.Expr:
    """Return the query that `sql` is; raise for a statement of another kind."""
    statement = parse(sql)
    if not isinstance(statement, (exp.Query, exp.Values)):
        word = sql.split()[0]
        raise QueryFailure("NOT_SUPPORTED", f"{locate(sql, word)}: {word.upper()} is not supported here by this engine")
    return statement


def to_duckdb(expression: exp.Expr, sql: str, types: Mapping[str, Type] | None = None) -> tuple[str, tuple[str, ...]]:
    """Return DuckDB's SQL for a parsed statement and the macros it needs, each a CREATE statement.

    `sql` is what the user wrote, to say where a failure is; `types` are those of the tables' columns, by name. Raises
    `QueryFailure` for what can't be said in DuckDB.
    """
    generator = Writer(source=sql, types=types or {})
    text = generator.generate(expression)
    if generator.unsupported_messages:
        raise QueryFailure("NOT_SUPPORTED", generator.unsupported_messages[0])
    return text, definitions(text)


class Writer(DuckDB.Generator):  # type: ignore[misc, valid-type]
    """Writes the parsed statement as DuckDB's SQL."""

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        key: value
        for key, value in DuckDB.Generator.TRANSFORMS.items()
        if key not in {exp.Anonymous, exp.Div, exp.Mod, exp.AtTimeZone, exp.Unnest}
    }

    def __init__(self, source: str, types: Mapping[str, Type], **options: Any) -> None:
        super().__init__(dialect=DuckDB, **options)
        self.source = source
        self.types = types

    def refuse(self, what: str, word: str) -> QueryFailure:
        """Return the failure for something that Athena does and this engine does not."""
        return QueryFailure("NOT_SUPPORTED", f"{locate(self.source, word)}: {what} is not supported by this engine")

    def arguments(self, node: exp.Expr) -> list[str]:
        return [self.sql(argument) for argument in node.expressions]

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        return self.call(expression, "")

    def call(self, node: exp.Expr, following: str) -> str:
        """Return a function call; `following` is the FILTER or OVER that belongs to an aggregate in it."""
        name = str(node.this).lower()
        if name in SPECIAL:
            return SPECIAL[name](self, node) + following
        if name in SAME or name in RENAMED:
            return f"{RENAMED.get(name, name)}({', '.join(self.arguments(node))}){following}"
        if name in PYTHON:
            return f"python_{name}({', '.join(self.arguments(node))})"
        template: str | Mapping[int, str] | None = TEMPLATES.get(name)
        if isinstance(template, Mapping):
            template = template.get(len(node.expressions))
            if template is None:
                raise self.refuse(f"Function {name} with {len(node.expressions)} arguments", name)
        if template is None:
            raise self.unknown(name)
        try:
            text = template.format(*self.arguments(node), f=following)
        except IndexError:
            raise QueryFailure(
                "FUNCTION_NOT_FOUND", f"{locate(self.source, name)}: Unexpected parameters for function {name}"
            ) from None
        return text if "{f}" in template else text + following

    def unknown(self, name: str) -> QueryFailure:
        if name in REFUSED:
            return self.refuse(f"Function {name}", name)
        return QueryFailure("FUNCTION_NOT_FOUND", f"{locate(self.source, name)}: Function '{name}' not registered")

    def unnest_sql(self, expression: exp.Unnest) -> str:
        return unnest(self, expression)

    def filter_sql(self, expression: exp.Filter) -> str:
        following = f" FILTER ({self.sql(expression.expression).strip()})"
        if isinstance(expression.this, exp.Anonymous):
            return self.call(expression.this, following)
        return str(super().filter_sql(expression))

    def div_sql(self, expression: exp.Div) -> str:
        return f"trino_div({self.sql(expression.left)}, {self.sql(expression.right)})"

    def mod_sql(self, expression: exp.Mod) -> str:
        return f"trino_mod({self.sql(expression.left)}, {self.sql(expression.right)})"

    def add_sql(self, expression: exp.Add) -> str:
        return self.shifted(expression, "+")

    def sub_sql(self, expression: exp.Sub) -> str:
        return self.shifted(expression, "-")

    def shifted(self, node: exp.Binary, sign: str) -> str:
        """Return a sum; a date plus an interval stays a date, as in Trino."""
        left, right = self.sql(node.left), self.sql(node.right)
        if _is_interval(node.right) and not _is_interval(node.left):
            return f"cast_to_type({left} {sign} {right}, {left})"
        if _is_interval(node.left) and not _is_interval(node.right):
            return f"cast_to_type({left} {sign} {right}, {right})"
        return f"{left} {sign} {right}"

    def interval_sql(self, expression: exp.Interval) -> str:
        unit = expression.args.get("unit")
        if isinstance(unit, exp.IntervalSpan):
            raise self.refuse("INTERVAL … TO …", "interval")
        return f"INTERVAL {self.sql(expression.this)} {str(unit.name if unit else 'DAY').upper()}"

    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        return self.in_zone(expression, expression.this)

    def in_zone(self, node: exp.Expr, moment: exp.Expr) -> str:
        """Return `moment AT TIME ZONE …`, the whole of which is `node`."""
        return self.zoned(node, f"CAST({self.sql(moment)} AS TIMESTAMPTZ)")

    def zoned(self, node: exp.Expr, moment: str) -> str:
        """Return a moment (DuckDB's SQL) as what stands around `node` needs it, local time or the moment itself."""
        zone, role = zone_of(node), role_of(node)
        if zone is None or role in {"moment", "column"}:
            return moment
        if role == "other":
            raise QueryFailure(
                "NOT_SUPPORTED",
                f"{locate(self.source, zone)}: a moment in the time zone {zone} is not supported here by this engine; "
                "CAST it to timestamp or varchar",
            )
        return f"timezone({text_literal(duckdb_zone(zone))}, {moment})"

    def datatype_sql(self, expression: exp.DataType) -> str:
        names = {
            exp.DataType.Type.TIMESTAMP: "TIMESTAMP",
            exp.DataType.Type.TIMESTAMPTZ: "TIMESTAMPTZ",
            exp.DataType.Type.VARBINARY: "BLOB",
        }
        return names.get(expression.this) or super().datatype_sql(expression)

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        word = "TRY_CAST" if safe_prefix or isinstance(expression, exp.TryCast) else "CAST"
        inner, to = self.sql(expression.this), expression.to
        wrapped = (lambda text: f"TRY({text})") if word == "TRY_CAST" else (lambda text: text)
        if to.this in {exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.CHAR}:
            zone = zone_of(expression.this)
            text = f"trino_text({inner})" + (f" || {text_literal(f' {zone}')}" if zone else "")
            return f"left({text}, {self.sql(to.expressions[0])})" if to.expressions else text
        if to.this in _INTEGERS:
            return wrapped(f"CAST({self.rounded(expression.this, inner)} AS {self.sql(to)})")
        if to.this == exp.DataType.Type.JSON:
            return f"to_json({inner})"
        zoned = ZONED_TEXT.search(expression.this.name) if isinstance(expression.this, exp.Literal) else None
        if to.this in MOMENTS and zoned:
            text = expression.this.name
            text = text.replace(" +", "+").replace(" -", "-") if zoned["offset"] else text
            moment = f"{word}({text_literal(text)} AS TIMESTAMPTZ)"
            return moment if role_of(expression) == "other" else self.zoned(expression, moment)
        return f"{word}({inner} AS {self.sql(to)})"

    def rounded(self, node: exp.Expr, inner: str) -> str:
        """Return what to cast to an integer: Trino rounds halves away from zero, and reads only digits in a text.

        A number (known by its column, its function or its operator) is rounded; anything else goes by way of its text.
        """
        node = node.unnest()
        if isinstance(node, exp.Anonymous) and str(node.this).lower() in WHOLE:
            return inner
        if isinstance(node, exp.Literal) and not node.is_string:
            return inner if node.is_int else f"round({inner})"
        kind = (
            self.types[node.name.lower()].name
            if isinstance(node, exp.Column) and node.name.lower() in self.types
            else ""
        )
        if kind in {"tinyint", "smallint", "int", "integer", "bigint"} and not _aliased_elsewhere(node):
            return inner
        arithmetic = isinstance(node, (exp.Mul, exp.Div, exp.Mod))
        if arithmetic or (isinstance(node, exp.Anonymous) and str(node.this).lower() in NUMERIC):
            return f"round({inner})"
        return f"trino_integer_text({inner})"

    def trycast_sql(self, expression: exp.TryCast) -> str:
        return self.cast_sql(expression, safe_prefix="TRY_")

    def extract_sql(self, expression: exp.Extract) -> str:
        part = expression.name.upper()
        names = {
            "DOW": "isodow",
            "DAY_OF_WEEK": "isodow",
            "DOY": "dayofyear",
            "DAY_OF_YEAR": "dayofyear",
            "YOW": "isoyear",
        }
        names |= {"YEAR_OF_WEEK": "isoyear", "DAY_OF_MONTH": "day"}
        known = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", *names}
        if part not in known:
            raise self.refuse(f"EXTRACT({part})", "extract")
        return f"{names.get(part, part.lower())}({self.sql(expression.expression)})"

    def currentdate_sql(self, expression: exp.CurrentDate) -> str:
        return "CAST(now() AS DATE)"

    def localtimestamp_sql(self, expression: exp.Localtimestamp) -> str:
        return "CAST(now() AS TIMESTAMP)"

    def matchrecognize_sql(self, expression: exp.MatchRecognize) -> str:
        raise self.refuse("MATCH_RECOGNIZE", "match_recognize")

    def joda(self, pattern: exp.Expr) -> str:
        return joda_to_strftime(self.literal(pattern, "a date format"))

    def mysql(self, pattern: exp.Expr) -> str:
        return mysql_to_strftime(self.literal(pattern, "a date format"))

    def literal(self, node: exp.Expr, what: str) -> str:
        if not isinstance(node, exp.Literal):
            raise QueryFailure(
                "NOT_SUPPORTED", f"{what} must be a literal for this engine; got {node.sql(dialect='trino')}"
            )
        return str(node.name)


def _aliased_elsewhere(column: exp.Expr) -> bool:
    """Tell whether the query gives a column's name to something else too, whose type may differ."""
    return any(alias.alias.lower() == column.name.lower() for alias in column.root().find_all(exp.Alias))


def _is_interval(node: exp.Expr) -> bool:
    if isinstance(node, exp.Interval):
        return True
    if isinstance(node, (exp.Mul, exp.Paren, exp.Neg)):
        return any(_is_interval(child) for child in node.iter_expressions())
    return False
