"""An own schema, read and checked: its fields, and the order in which they must be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from producer.own_schema.fields import Kind
from producer.own_schema.located import Node
from producer.own_schema.words import Words


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its dotted name, how it is made, and where it is declared."""

    name: str
    kind: Kind | Words
    node: Node


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of an event in their order; `inner` are those of nested objects, under dotted names."""

    name: str
    fields: tuple[Field, ...]
    inner: tuple[Field, ...]

    def kinds(self, seed: int) -> dict[str, Kind]:
        """Return how each field is drawn, in an order in which references come first; Faker draws from `seed`."""
        known = {field.name: field.kind for field in (*self.fields, *self.inner)}
        kinds: dict[str, Kind] = {}
        for name in drawing_order((*self.fields, *self.inner)):
            kind = known[name]
            kinds[name] = kind.filled(seed) if isinstance(kind, Words) else kind
        return kinds


def drawing_order(fields: Sequence[Field]) -> list[str]:
    """Return the names so that what is referred to comes first; raise `UsageError` for a cycle or an unknown name."""
    known = {field.name: field for field in fields}
    order: list[str] = []
    for field in fields:
        _visit(field, known, [], order)
    return order


def _visit(field: Field, known: Mapping[str, Field], path: list[str], order: list[str]) -> None:
    if field.name in order:
        return
    if field.name in path:
        cycle = " → ".join([*path[path.index(field.name) :], field.name])
        field.node.fail(f"field `{field.name}`: references must not form a cycle; got {cycle}")
    for name in field.kind.references:
        if name not in known:
            field.node.fail(f"field `{field.name}`: a reference must name a field; got {name!r}")
        _visit(known[name], known, [*path, field.name], order)
    order.append(field.name)
