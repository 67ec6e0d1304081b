"""What the selects around a table ask of its rows: conditions that reach it through CTEs, views and subqueries.

A condition on the output of a query is one on the rows that it is made from as long as rows of other values play no
part in it: no LIMIT, nothing grouped or windowed by other than what is compared. Where that is unsure, nothing is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

VIEW = "loglake_view"
"""Marks the subquery that a view was expanded to: a name in it is none of the query's around it."""
_STOPS = ("limit", "offset", "qualify", "sample", "pivots")
_PLAIN = (exp.Column, exp.Identifier, exp.Literal, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Paren, exp.DPipe)
_PLAIN_CALLS = frozenset({"concat", "lower", "upper", "substr", "lpad", "date", "date_parse"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate over the names of one select's sources.

    `outer` says that an outer join stands between it and their rows: one that NULLs satisfy says nothing of them then.
    """

    predicate: exp.Expr
    outer: bool


def definition_of(table: exp.Table) -> exp.CTE | None:
    """Return the CTE that a table's name stands for; None when it is a table of the catalog."""
    if table.db or not isinstance(table.this, exp.Identifier):
        return None
    node: exp.Expr | None = table
    inside: set[int] = set()
    while node is not None and not node.meta.get(VIEW):
        with_: exp.With | None = node.args.get("with_")
        for cte in with_.expressions if with_ is not None else ():
            if cte.alias.lower() == table.name.lower() and (id(cte) not in inside or is_recursive(cte)):
                return cte  # type: ignore[no-any-return]
        inside.add(id(node))
        node = node.parent
    return None


def is_recursive(cte: exp.CTE) -> bool:
    """Tell whether a CTE stands in a WITH RECURSIVE."""
    return bool(cte.parent and cte.parent.args.get("recursive"))


def joins_of(select: exp.Select) -> list[exp.Join]:
    """Return the joins of a select's own sources, those in parentheses too."""
    return [join for join in select.find_all(exp.Join) if join.find_ancestor(exp.Select) is select]


def conditions_on(select: exp.Select) -> list[Condition]:
    """Return what must hold of every row that the sources of `select` give, for it to have a part in the answer."""
    joins = joins_of(select)
    outer = any(join.side for join in joins)
    texts = [select.args["where"].this] if select.args.get("where") else []
    if not outer:
        texts += [join.args["on"] for join in joins if join.args.get("on")]
    found = [Condition(predicate, outer) for text in texts for predicate in conjuncts(text)]
    for asked in _asked_of(select):
        predicate = _inside(asked, select, outer)
        found += [Condition(predicate, outer or asked.outer)] if predicate is not None else []
    return found


def conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    """Return the predicates that `condition` is the AND of."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def weakened(condition: exp.Expr, speaks: Callable[[exp.Expr], bool]) -> exp.Expr | None:
    """Return what `condition` implies in terms of the predicates that `speaks` takes; None when that is nothing."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        parts = [part for side in (condition.left, condition.right) if (part := weakened(side, speaks)) is not None]
        return exp.and_(*parts) if parts else None
    if isinstance(condition, exp.Or):
        left, right = weakened(condition.left, speaks), weakened(condition.right, speaks)
        return exp.or_(left, right) if left is not None and right is not None else None
    return condition if speaks(condition) else None


def output_name(projection: exp.Expr, place: int) -> str | None:
    """Return the name of an output column, lower case; None for a star."""
    if is_star(projection):
        return None
    return (projection.alias_or_name or f"_col{place}").lower()


def output_names(query: exp.Expr) -> list[str] | None:
    """Return the names of a query's columns; None when a star hides them."""
    if isinstance(query, exp.Subquery):
        return output_names(query.this)
    if isinstance(query, exp.SetOperation):
        return output_names(query.left)
    if not isinstance(query, exp.Select):
        return None
    names = [output_name(projection, place) for place, projection in enumerate(query.expressions)]
    return None if None in names else [name for name in names if name is not None]


def is_star(projection: exp.Expr) -> bool:
    """Tell whether a projection is `*` or `t.*`."""
    return isinstance(projection, exp.Star) or (
        isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
    )


def reader_of(source: exp.Expr) -> exp.Select | None:
    """Return the select that has `source` in its FROM or one of its joins."""
    return source.find_ancestor(exp.Select) if isinstance(source.parent, (exp.From, exp.Join)) else None


def readers_of(cte: exp.CTE) -> list[exp.Table]:
    """Return the places in the whole statement where a CTE is read."""
    return [table for table in cte.root().find_all(exp.Table) if definition_of(table) is cte]


def _asked_of(query: exp.Expr) -> list[Condition]:
    """Return what all who read the output of `query` ask of it, over the output's names."""
    parent = query.parent
    if any(query.args.get(name) for name in _STOPS):
        return []
    if isinstance(parent, exp.SetOperation):
        theirs, ours = output_names(parent), output_names(query)
        aligned = theirs and ours and len(theirs) == len(ours) == len(set(theirs))
        return _renamed(_asked_of(parent), dict(zip(theirs, ours, strict=True))) if aligned else []  # type: ignore[arg-type]
    if isinstance(parent, exp.CTE):
        return [] if is_recursive(parent) else _of_cte(parent)
    if not isinstance(parent, exp.Subquery) or any(parent.args.get(name) for name in ("joins", *_STOPS)):
        return []
    if not isinstance(parent.parent, (exp.From, exp.Join)):
        return _asked_of(parent)
    alias = parent.args.get("alias")
    return _of_reader(parent, query, [alias.columns if alias else []])


def _of_reader(source: exp.Expr, query: exp.Expr, columns: Sequence[Sequence[exp.Expr]]) -> list[Condition]:
    """Return what the select that reads a query's output as `source` asks of it; `columns` are lists of new names."""
    select = reader_of(source)
    names = output_names(query)
    given = [each for each in columns if each]
    if select is None or len(given) > 1 or (given and (not names or len(given[0]) != len(names))):
        return []
    known = [column.name.lower() for column in given[0]] if given else names
    alias, alone = source.alias_or_name.lower(), not joins_of(select)

    def speaks(predicate: exp.Expr) -> bool:
        mentioned = list(predicate.find_all(exp.Column))
        return bool(mentioned) and not predicate.find(exp.Query) and all(map(is_of, mentioned))

    def is_of(column: exp.Column) -> bool:
        if column.table:
            return column.table.lower() == alias and not column.db
        return alone or column.name.lower() in (known or ())

    said = [(condition, weakened(condition.predicate, speaks)) for condition in conditions_on(select)]
    found = [Condition(predicate, condition.outer) for condition, predicate in said if predicate is not None]
    return _renamed(found, dict(zip(known or (), names or (), strict=True)))


def _of_cte(cte: exp.CTE) -> list[Condition]:
    """Return what the readers of a CTE ask: of several, that one or the other holds."""
    every = []
    for reader in readers_of(cte):
        alias = reader.args.get("alias")
        every.append(_of_reader(reader, cte.this, [cte.args["alias"].columns, alias.columns if alias else []]))
    if len(every) == 1:
        return every[0]
    if not every or not all(every):
        return []
    either = [exp.and_(*(condition.predicate for condition in each)) for each in every]
    return [Condition(exp.or_(*either), any(condition.outer for each in every for condition in each))]


def _renamed(conditions: Sequence[Condition], names: Mapping[str, str]) -> list[Condition]:
    """Return the conditions with their columns unqualified, and called as `names` says."""

    def rename(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        return exp.column(exp.to_identifier(names.get(node.name.lower(), node.name.lower()), quoted=True))

    return [Condition(condition.predicate.copy().transform(rename), condition.outer) for condition in conditions]


def _inside(asked: Condition, select: exp.Select, outer: bool) -> exp.Expr | None:
    """Return a condition on a select's output as one on its sources; None when it is none."""
    made = {column.name: _made_of(column.name, select) for column in asked.predicate.find_all(exp.Column)}
    if outer or asked.outer:  # NULL in the output is NULL in the source for a column only
        made = {name: origin if isinstance(origin, exp.Column) else None for name, origin in made.items()}

    def speaks(predicate: exp.Expr) -> bool:
        return all(made[column.name] is not None for column in predicate.find_all(exp.Column))

    def replace(node: exp.Expr) -> exp.Expr:
        origin = made[node.name] if isinstance(node, exp.Column) else None
        return exp.paren(origin.copy()) if origin is not None else node

    predicate = weakened(asked.predicate, speaks)
    return None if predicate is None else predicate.copy().transform(replace)


def _made_of(name: str, select: exp.Select) -> exp.Expr | None:
    """Return what the output column `name` is of one source row; None when it is of several, or not plain."""
    places = [place for place, each in enumerate(select.expressions) if output_name(each, place) == name]
    stars = [projection for projection in select.expressions if is_star(projection)]
    if len(places) + len(stars) != 1:
        return None
    if stars:
        table = stars[0].args.get("table")
        if table is None and joins_of(select):
            return None
        origin: exp.Expr = exp.column(exp.to_identifier(name, quoted=True), table=table.copy() if table else None)
    else:
        origin = select.expressions[places[0]].unalias()
    windows = [window for projection in select.expressions for window in projection.find_all(exp.Window)]
    by_all = all(origin in (window.args.get("partition_by") or ()) for window in windows)
    return origin if _is_plain(origin) and by_all and _is_grouped_by(origin, select, places) else None


def _is_plain(node: exp.Expr) -> bool:
    return all(
        isinstance(part, _PLAIN) or (isinstance(part, exp.Anonymous) and str(part.this).lower() in _PLAIN_CALLS)
        for part in node.walk()
    )


def _is_grouped_by(origin: exp.Expr, select: exp.Select, places: Sequence[int]) -> bool:
    group = select.args.get("group")
    if group is None:
        return True
    if any(value for name, value in group.args.items() if name != "expressions"):
        return False
    sets = (exp.GroupingSets, exp.Cube, exp.Rollup, exp.Tuple)
    if any(isinstance(key, sets) for key in group.expressions):
        return False
    ordinals = [int(key.name) - 1 for key in group.expressions if isinstance(key, exp.Literal) and key.is_int]
    return origin in group.expressions or any(place in ordinals for place in places)
