"""Execution parameters: SQL literals that take the place of `?`, parsed one by one and never pasted as text."""

import re
from collections.abc import Sequence

from sqlglot import exp

from localcloud.athena.failures import QueryFailure
from localcloud.athena.translation import parse

_LITERALS = (exp.Literal, exp.Boolean, exp.Null, exp.HexString)


def bind(statement: exp.Expr, values: Sequence[str]) -> exp.Expr:
    """Return the statement with each `?` replaced by its value; raise unless there are as many values as `?`."""
    bound = statement.copy()
    marks = sorted((node for node in bound.find_all(exp.Placeholder)), key=lambda node: node.meta.get("start", 0))
    if len(marks) != len(values):
        raise QueryFailure(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(marks)} but found {len(values)}",
        )
    for mark, value in zip(marks, values, strict=True):
        mark.replace(parse_literal(value))
    return bound


def execute_parts(sql: str) -> tuple[str, list[str]]:
    """Return the prepared statement's name and the values of `EXECUTE name [USING value, …]`."""
    found = re.fullmatch(r'\s*EXECUTE\s+"?(\w+)"?(?:\s+USING\s+(.+?))?\s*;?\s*', sql, re.IGNORECASE | re.DOTALL)
    if found is None:
        raise QueryFailure("SYNTAX_ERROR", "line 1:1: mismatched input. Expecting: EXECUTE name [USING value, …]")
    values = parse(f"SELECT {found[2]}").expressions if found[2] else []
    return found[1], [value.sql(dialect="trino") for value in values]


def parse_literal(text: str) -> exp.Expr:
    """Return the literal that `text` is: a number, a quoted string, TRUE, NULL, DATE '…' and the like."""
    try:
        select = parse(f"SELECT {text}\n")
    except QueryFailure:
        raise _not_a_literal(text) from None
    if not isinstance(select, exp.Select) or {key for key, value in select.args.items() if value} - {"expressions"}:
        raise _not_a_literal(text)
    value = select.expressions[0] if len(select.expressions) == 1 else None
    if value is None or not _is_literal(value):
        raise _not_a_literal(text)
    return value  # type: ignore[no-any-return]


def _is_literal(node: exp.Expr) -> bool:
    if isinstance(node, (exp.Neg, exp.Paren)):
        return _is_literal(node.this)
    if isinstance(node, exp.Cast):
        return isinstance(node.this, exp.Literal)
    if isinstance(node, exp.Interval):
        return isinstance(node.this, exp.Literal)
    if isinstance(node, exp.Array):
        return all(_is_literal(child) for child in node.expressions)
    return isinstance(node, _LITERALS)


def _not_a_literal(text: str) -> QueryFailure:
    return QueryFailure(
        "INVALID_PARAMETER_USAGE",
        f"an execution parameter must be a SQL literal, a string in single quotes; got {text!r}",
    )
