"""From YAML to a schema; every error names file, line and field. `docs/producer.md` describes the format."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from faker import Faker

from producer.own_schema.fields import (
    Arithmetic,
    Kind,
    Lookup,
    Number,
    Numbering,
    Object,
    Pattern,
    Pool,
    Sometimes,
    Text,
    Timestamp,
    Truth,
    Uuid,
)
from producer.own_schema.located import Node, read_located
from producer.own_schema.patterns import parse_pattern
from producer.own_schema.schema import Field, Schema, drawing_order
from producer.own_schema.words import Words

TYPES = ("uuid", "timestamp", "int", "double", "bool", "sequence")
_REFERENCE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_FARTHEST = 9e15  # doubles count every integer up to here
_DEEPEST = 8

Options = Mapping[str, Node]


def read_schema(path: Path) -> Schema:
    """Return the schema in a YAML file; raise `UsageError` that names file, line and field of what is wrong."""
    root = read_located(path, "--schema")
    parts = dict(root.items("a schema"))
    for name, node in parts.items():
        if name not in ("name", "fields"):
            node.fail(f"a schema has `name` and `fields`; got {name!r}")
    if "fields" not in parts:
        root.fail("a schema must have `fields`")
    name = parts["name"].value if "name" in parts else path.stem
    if not isinstance(name, str) or not name:
        parts["name"].fail(f"`name` must be a text; got {name!r}")
    inner: list[Field] = []
    fields = _fields(parts["fields"], "", inner)
    drawing_order((*fields, *inner))
    return Schema(name, tuple(fields), tuple(inner))


def _fields(node: Node, prefix: str, inner: list[Field]) -> list[Field]:
    fields = []
    for name, entry in node.items("`fields`"):
        if "." in name or "{" in name:
            entry.fail(f"field `{prefix}{name}`: a name must be without dots and braces")
        fields.append(_field(prefix + name, entry, inner))
    if not fields:
        node.fail("`fields` must name at least one field")
    return fields


def _field(name: str, node: Node, inner: list[Field]) -> Field:
    where = f"field `{name}`"
    options = dict(node.items(where))
    makers = [maker for maker in _MAKERS if maker in options]
    if len(makers) != 1:
        node.fail(f"{where}: must have one of {', '.join(_MAKERS)}; got {', '.join(makers) or ', '.join(options)}")
    allowed = ("null", makers[0], *_MAKERS[makers[0]][1])
    for option, entry in options.items():
        if option not in allowed:
            entry.fail(
                f"{where}: beside `{makers[0]}` there may be {', '.join((*allowed[2:], 'null'))}; got {option!r}"
            )
    if makers[0] == "fields":
        if name.count(".") >= _DEEPEST:
            node.fail(f"{where}: objects may be nested {_DEEPEST} deep")
        inside = _fields(options["fields"], name + ".", inner)
        inner += inside
        kind: Kind | Words = Object(name, tuple(field.name.rpartition(".")[2] for field in inside))
    else:
        kind = _MAKERS[makers[0]][0](where, options)
    chance = _number(where, options, "null", 0.0, 0.0, 1.0)
    if isinstance(kind, Words):
        return Field(name, Words(kind.provider, kind.arguments, kind.pool, kind.locale, chance), node)
    return Field(name, Sometimes(kind, chance) if chance else kind, node)


def _typed(where: str, options: Options) -> Kind:
    kind = options["type"].value
    if kind not in TYPES:
        options["type"].fail(f"{where}: `type` must be one of {', '.join(TYPES)}; got {kind!r}")
    suited = {
        "timestamp": ("unit",),
        "int": ("range", "median", "spread"),
        "double": ("range", "median", "spread", "decimals"),
        "bool": ("chance",),
        "sequence": ("first",),
    }.get(kind, ())
    for option in options:
        if option not in ("type", "null", *suited):
            options[option].fail(
                f"{where}: beside `type: {kind}` there may be {', '.join((*suited, 'null'))}; got {option!r}"
            )
    if kind in ("int", "double"):
        return _number_kind(where, options, kind)
    if kind == "timestamp":
        return Timestamp(_one_of(where, options, "unit", ("iso", "s", "ms")))
    if kind == "bool":
        return Truth(_number(where, options, "chance", 0.5, 0.0, 1.0))
    return Uuid() if kind == "uuid" else Numbering(int(_number(where, options, "first", 1, 0, _FARTHEST)))


def _number_kind(where: str, options: Options, kind: str) -> Number:
    low, high = _range(where, options, kind)
    median = None
    if "median" in options:
        median = _number(where, options, "median", 1.0, 1e-9, _FARTHEST)
    elif "range" not in options:
        options["type"].fail(f"{where}: `type: {kind}` must have a `range` or a `median`")
    if "spread" in options and median is None:
        options["spread"].fail(f"{where}: `spread` needs a `median`")
    spread = _number(where, options, "spread", 0.5, 0.0, 10.0)
    decimals = int(_number(where, options, "decimals", 2, 1, 15)) if kind == "double" else None
    return Number(low, high, median, spread, decimals)


def _range(where: str, options: Options, kind: str) -> tuple[float, float]:
    if "range" not in options:
        return 0.0, _FARTHEST
    ends = options["range"].value
    numbers = isinstance(ends, list) and len(ends) == 2 and all(_is_number(end) for end in ends)
    if not numbers or not -_FARTHEST <= ends[0] <= ends[1] <= _FARTHEST:
        options["range"].fail(f"{where}: `range` must be two numbers, the lower first; got {ends!r}")
    if kind == "int" and any(end != int(end) for end in ends):
        options["range"].fail(f"{where}: `range` of an int must be whole numbers; got {ends!r}")
    return float(ends[0]), float(ends[1])


def _pool(where: str, options: Options) -> Kind:
    node = options["values"]
    weights: list[Any]
    if isinstance(node.value, dict):
        values, weights = list(node.value), list(node.value.values())
    elif isinstance(node.value, list):
        values, weights = node.value, [1] * len(node.value)
    else:
        node.fail(f"{where}: `values` must be a list, or a mapping of values to weights; got {node.value!r}")
    if not values:
        node.fail(f"{where}: `values` must not be empty")
    if not all(_is_number(weight) and 0 <= weight < _FARTHEST for weight in weights) or not sum(weights):
        node.fail(f"{where}: a weight must be a number of zero or more, not all zero; got {weights!r}")
    return Pool.of([_as_json(value) for value in values], weights)


def _faker(where: str, options: Options) -> Words:
    node = options["faker"]
    arguments = options["arguments"].value if "arguments" in options else {}
    locale = options["locale"].value if "locale" in options else "en_US"
    if not isinstance(node.value, str) or node.value.startswith(("_", "seed", "add_")):
        node.fail(f"{where}: `faker` must name a provider, such as name or ipv4; got {node.value!r}")
    if not isinstance(arguments, dict):
        options["arguments"].fail(f"{where}: `arguments` must be a mapping; got {arguments!r}")
    words = Words(node.value, arguments, int(_number(where, options, "pool", 500, 1, 100_000)), str(locale))
    try:
        Faker(str(locale))
    except (AttributeError, ValueError):
        options["locale"].fail(f"{where}: `locale` must be one of Faker's, such as de_DE; got {locale!r}")
    try:
        words.trial()
    except Exception as error:  # whatever a provider raises says what it can't do
        node.fail(f"{where}: `faker` must be a provider and its arguments; got {node.value!r}: {error}")
    return words


def _pattern(where: str, options: Options) -> Kind:
    node = options["pattern"]
    if not isinstance(node.value, str) or not node.value:
        node.fail(f"{where}: `pattern` must be a text; got {node.value!r}")
    try:
        return Pattern(parse_pattern(node.value))
    except ValueError as error:
        node.fail(f"{where}: `pattern` must be one that can be written; got {error}")


def _text(where: str, options: Options) -> Kind:
    node = options["text"]
    if not isinstance(node.value, str):
        node.fail(f"{where}: `text` must be a text; got {node.value!r}")
    pieces = _REFERENCE.split(node.value)
    return Text(tuple(pieces[::2]), tuple(pieces[1::2]))


def _lookup(where: str, options: Options) -> Kind:
    name = options["from"].value
    if not isinstance(name, str):
        options["from"].fail(f"{where}: `from` must name a field; got {name!r}")
    if "map" not in options or not isinstance(options["map"].value, dict):
        options["from"].fail(f"{where}: `from` needs a `map` of that field's values")
    mapping = {_as_json(key): _as_json(value) for key, value in options["map"].value.items()}
    return Lookup(name, mapping, _as_json(options["otherwise"].value) if "otherwise" in options else None)


def _arithmetic(name: str) -> Callable[[str, Options], Kind]:
    def make(where: str, options: Options) -> Kind:
        names = options[name].value
        if not isinstance(names, list) or not names or not all(isinstance(part, str) for part in names):
            options[name].fail(f"{where}: `{name}` must be a list of fields; got {names!r}")
        return Arithmetic(tuple(names), name == "product", int(_number(where, options, "decimals", 2, 0, 15)))

    return make


def _constant(where: str, options: Options) -> Kind:
    return Pool.of([_as_json(options["constant"].value)])


def _object(where: str, options: Options) -> Kind:
    raise AssertionError("objects are read where their fields are")


_MAKERS: Mapping[str, tuple[Callable[[str, Options], Kind | Words], tuple[str, ...]]] = {
    "type": (_typed, ("range", "median", "spread", "decimals", "chance", "unit", "first")),
    "values": (_pool, ()),
    "faker": (_faker, ("arguments", "locale", "pool")),
    "pattern": (_pattern, ()),
    "text": (_text, ()),
    "from": (_lookup, ("map", "otherwise")),
    "product": (_arithmetic("product"), ("decimals",)),
    "sum": (_arithmetic("sum"), ("decimals",)),
    "constant": (_constant, ()),
    "fields": (_object, ()),
}
"""What makes a field -> how it is read, and what may stand beside it."""


def _number(where: str, options: Options, name: str, default: float, low: float, high: float) -> float:
    if name not in options:
        return default
    value = options[name].value
    if not _is_number(value) or not low <= value <= high:
        options[name].fail(f"{where}: `{name}` must be a number from {low:g} to {high:g}; got {value!r}")
    return float(value)


def _one_of(where: str, options: Options, name: str, choices: tuple[str, ...]) -> str:
    value = options[name].value if name in options else choices[0]
    if value not in choices:
        options[name].fail(f"{where}: `{name}` must be one of {', '.join(choices)}; got {value!r}")
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_json(value: Any) -> Any:
    """Return what YAML made of a value as JSON has it: dates become texts."""
    if isinstance(value, dict):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
