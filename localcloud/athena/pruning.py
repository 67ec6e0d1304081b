"""Which partitions a query needs: the conjuncts of its WHERE clause that speak of partition columns only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from localcloud.athena.column_types import Type, quoted, to_duckdb
from localcloud.athena.glue_tables import NULL_PARTITION, Partition
from localcloud.athena.scopes import conditions_on, conjuncts, weakened

_FORBIDDEN = (exp.Query, exp.Window, exp.Placeholder, exp.AggFunc)


@dataclass(frozen=True, slots=True)
class Conjuncts:
    """Predicates over one table's partition columns, unqualified, all of which must hold.

    `outer` says that the table stands beside an outer join: a predicate that NULLs satisfy must not prune then.
    """

    predicates: tuple[exp.Expr, ...]
    outer: bool

    def pinned(self) -> dict[str, set[str]]:
        """Return, per column, the strings that `=` and IN leave possible."""
        allowed: dict[str, set[str]] = {}
        for predicate in self.predicates:
            found = _pin(predicate)
            if found:
                column, values = found
                allowed[column] = allowed[column] & values if column in allowed else values
        return allowed


def _pin(predicate: exp.Expr) -> tuple[str, set[str]] | None:
    predicate = predicate.unnest()
    if isinstance(predicate, exp.EQ):
        sides = (predicate.left.unnest(), predicate.right.unnest())
        for column, value in (sides, sides[::-1]):
            if isinstance(column, exp.Column) and isinstance(value, exp.Literal) and value.is_string:
                return column.name.lower(), {value.name}
    values = predicate.expressions if isinstance(predicate, exp.In) and isinstance(predicate.this, exp.Column) else []
    if values and all(isinstance(value, exp.Literal) and value.is_string for value in values):
        return predicate.this.name.lower(), {value.name for value in values}
    return None


def conjuncts_for(select: exp.Select | None, alias: str, partition_keys: Iterable[str]) -> Conjuncts:
    """Return what `select`, and those who read its output, ask of the partition columns of its table called `alias`."""
    if select is None:
        return Conjuncts((), False)
    keys = {key.lower() for key in partition_keys}
    found: list[exp.Expr] = []
    outer = False
    for condition in conditions_on(select):
        predicate = weakened(condition.predicate, lambda part: _mentions_only(part, alias, keys))
        if predicate is not None:
            found += [_unqualified(part) for part in conjuncts(predicate)]
            outer = outer or condition.outer
    return Conjuncts(tuple(found), outer)


def _mentions_only(predicate: exp.Expr, alias: str, keys: set[str]) -> bool:
    """Tell whether a predicate is one over a table's partition columns; an unqualified name can be no other's."""
    columns = list(predicate.find_all(exp.Column))
    if not columns or predicate.find(*_FORBIDDEN) or predicate.find(exp.Lambda):
        return False
    return all(
        column.name.lower() in keys and (not column.table or column.table.lower() == alias.lower())
        for column in columns
    )


def _unqualified(predicate: exp.Expr) -> exp.Expr:
    copy = predicate.copy()
    for column in copy.find_all(exp.Column):
        for part in ("table", "db", "catalog"):
            column.set(part, None)
    return copy


def prune(
    connection: Any,
    partitions: Sequence[Partition],
    keys: Mapping[str, Type],
    predicates: Sequence[str],
    outer: bool,
) -> list[Partition]:
    """Return the partitions for which every predicate (DuckDB's SQL) holds; one that can't be evaluated prunes nothing.

    DuckDB itself evaluates them, over a table of the partitions' values: a pruned query answers as an unpruned one.
    """
    import duckdb

    kept = list(partitions)
    for predicate in predicates:
        if not kept:
            return kept
        try:
            chosen = _holding(connection, kept, keys, predicate, outer)
        except duckdb.Error:
            continue
        kept = [kept[index] for index in chosen]
    return kept


def _holding(
    connection: Any, partitions: Sequence[Partition], keys: Mapping[str, Type], predicate: str, outer: bool
) -> list[int]:
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS {quoted(key)}" for key in keys)
    typed = ", ".join(f"CAST({quoted(key)} AS {to_duckdb(type_)}) AS {quoted(key)}" for key, type_ in keys.items())
    values: list[list[Any]] = [
        [_value(partition.values[index]) for partition in partitions] for index in range(len(keys))
    ]
    if outer:
        values = [[*column, None] for column in values]
    positions = list(range(len(partitions) + (1 if outer else 0)))
    values_sql = f"SELECT i, {typed} FROM (SELECT unnest(?::INTEGER[]) AS i, {lists})"
    sql = f"SELECT i FROM ({values_sql}) WHERE {predicate} ORDER BY i"
    chosen = [row[0] for row in connection.execute(sql, [positions, *values]).fetchall()]
    return list(range(len(partitions))) if len(partitions) in chosen else chosen


def _value(text: str) -> str | None:
    return None if text == NULL_PARTITION else text
