"""UNNEST: what it makes columns of depends on the argument's type, which is found here without asking DuckDB."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from localcloud.athena.column_types import Type

if TYPE_CHECKING:
    from localcloud.athena.translation import Writer

_MAPS = frozenset(
    [
        "map",
        "map_agg",
        "map_filter",
        "map_concat",
        "map_from_entries",
        "transform_values",
        "transform_keys",
        "histogram",
        "split_to_map",
    ]
)
_ROWS = frozenset({"zip", "map_entries"})
_ARRAY, _MAP, _ROW_ARRAY = Type("array"), Type("map"), Type("array", (), (Type("struct"),))
_DEPTH = 16


def shape_of(node: exp.Expr, types: Mapping[str, Type], depth: int = 0) -> Type:
    """Return `map`, `array` of rows or plain `array`: what `node` is by its function, its column or its alias."""
    node = node.unnest()
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return _MAP if name in _MAPS else _ROW_ARRAY if name in _ROWS else _ARRAY
    if isinstance(node, exp.Cast):
        return _MAP if node.to.this == exp.DataType.Type.MAP else _ARRAY
    if isinstance(node, exp.Column) and depth < _DEPTH:
        aliased = _aliased(node)
        if aliased is not None and aliased is not node:
            return shape_of(aliased, types, depth + 1)
        return types.get(node.name.lower(), _ARRAY)
    if isinstance(node, exp.Bracket):
        outer = shape_of(node.this, types, depth + 1)
        return outer.children[-1] if outer.children else _ARRAY
    return _ARRAY


def _aliased(column: exp.Column) -> exp.Expr | None:
    for alias in column.root().find_all(exp.Alias):
        if alias.alias.lower() == column.name.lower() and alias is not column.parent:
            return alias.this  # type: ignore[no-any-return]
    return None


def unnest(writer: "Writer", node: exp.Unnest) -> str:
    """Return UNNEST as a lateral subquery: a map gives two columns, an array of rows one per field, others one."""
    alias = node.args.get("alias")
    names = list(alias.columns) if alias else []
    shapes = [shape_of(argument, writer.types) for argument in node.expressions]
    if len(shapes) == 1 and len(names) > 1 and shapes[0].name != "map":
        shapes = [_ROW_ARRAY]
    columns, lengths = [], []
    for argument, shape in zip(node.expressions, shapes, strict=True):
        items = writer.sql(argument)
        if shape.name == "map":
            columns += [f"unnest(map_keys({items}))", f"unnest(map_values({items}))"]
            lengths.append(f"cardinality({items})")
        else:
            rows = shape.children and shape.children[0].name == "struct"
            columns.append(f"unnest({items}, max_depth := 2)" if rows else f"unnest({items})")
            lengths.append(f"len({items})")
    if node.args.get("offset"):
        longest = lengths[0] if len(lengths) == 1 else f"greatest({', '.join(lengths)})"
        columns.append(f"unnest(generate_series(1, CAST({longest} AS BIGINT)))")
        names.append(node.args["offset"])
    lateral = "" if isinstance(node.parent, exp.From) else "LATERAL "
    named = f"({', '.join(writer.sql(name) for name in names)})" if names else ""
    called = writer.sql(alias.this) if alias and alias.this else "unnested"
    return f"{lateral}(SELECT {', '.join(columns)}) AS {called}{named}"
