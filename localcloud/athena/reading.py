"""Which columns of a table a query mentions, and which of these it has to read for its answer."""

from sqlglot import exp

from localcloud.athena.scopes import (
    is_recursive,
    is_star,
    joins_of,
    output_name,
    output_names,
    reader_of,
    readers_of,
)


def mentioned(select: exp.Select | None, alias: str) -> set[str] | None:
    """Return the columns of the table called `alias` that `select` may mention, lower case; None for all."""
    if select is None:
        return None
    for projection in select.expressions:
        table = projection.args.get("table")
        if is_star(projection) and (table is None or table.name.lower() == alias.lower()):
            return None
    joins = joins_of(select)
    if any(join.args.get("method") == "NATURAL" for join in joins):
        return None
    return _names(select) | {name.name.lower() for join in joins for name in join.args.get("using") or []}


def read(select: exp.Select | None) -> set[str] | None:
    """Return the columns of any source of `select` that its readers' answers depend on, lower case; None for all.

    A projection that no reader asks for is not read: a view over all columns costs what is used of it.
    """
    if select is None:
        return None
    wanted = None if _counts_places(select) else _wanted(select)
    found: set[str] = set()
    for place, projection in enumerate(select.expressions):
        if is_star(projection):
            if wanted is None:
                return None
            found |= wanted
        elif wanted is None or output_name(projection, place) in wanted or projection.find(exp.Window):
            found |= _names(projection)
    for key in ("where", "group", "having", "order", "qualify", "windows"):
        for node in _nodes(select.args.get(key)):
            found |= _names(node)
    for join in joins_of(select):
        if join.args.get("method") == "NATURAL":
            return None
        found |= {name.name.lower() for name in join.args.get("using") or []}
        parts = [join.args.get("on"), join.this if isinstance(join.this, (exp.Unnest, exp.Lateral)) else None]
        found |= {name for part in parts if part is not None for name in _names(part)}
    return found


def _counts_places(select: exp.Select) -> bool:
    """Tell whether all of a select's columns decide over its rows: DISTINCT, or keys that are positions."""
    keys = [key for name in ("group", "order") if select.args.get(name) for key in select.args[name].expressions]
    by_place = any(isinstance(key.this if isinstance(key, exp.Ordered) else key, exp.Literal) for key in keys)
    return bool(select.args.get("distinct")) or by_place


def _nodes(value: object) -> list[exp.Expr]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, exp.Expr)]


def _names(node: exp.Expr) -> set[str]:
    # A qualifier may be a row-typed column: `row_column.field`
    return {part.name.lower() for column in node.find_all(exp.Column) for part in column.parts}


def _wanted(query: exp.Expr) -> set[str] | None:
    """Return the names in a query's output that somebody reads; None for all."""
    parent = query.parent
    if isinstance(parent, exp.Union) and not parent.args.get("distinct"):
        return _moved(_wanted(parent), output_names(parent), output_names(query))
    if isinstance(parent, exp.CTE) and not is_recursive(parent):
        if parent.args["alias"].columns:
            return None
        every = [_read_of(table) for table in readers_of(parent)]
        return None if any(each is None for each in every) else {name for each in every if each for name in each}
    if isinstance(parent, exp.Subquery):
        return _read_of(parent) if isinstance(parent.parent, (exp.From, exp.Join)) else _wanted(parent)
    return None


def _read_of(source: exp.Expr) -> set[str] | None:
    alias = source.args.get("alias")
    return None if alias and alias.columns else read(reader_of(source))


def _moved(wanted: set[str] | None, theirs: list[str] | None, ours: list[str] | None) -> set[str] | None:
    """Return the names that a branch of a UNION gives to what is wanted of the whole."""
    if wanted is None or theirs is None or ours is None or len(theirs) != len(ours):
        return None
    return {mine for name, mine in zip(theirs, ours, strict=True) if name in wanted}
