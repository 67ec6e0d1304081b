"""Functions whose arguments decide how they are said: units, date patterns, paths, lambdas."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from localcloud.athena.column_types import literal
from localcloud.athena.failures import QueryFailure
from localcloud.athena.unnesting import shape_of
from localcloud.athena.zones import duckdb_zone, zone_of

if TYPE_CHECKING:
    from localcloud.athena.translation import Writer

Special = Callable[["Writer", exp.Expr], str]

_UNITS: Mapping[str, str] = {
    unit: f"INTERVAL 1 {unit.upper()}"
    for unit in ("millisecond", "second", "minute", "hour", "day", "week", "month", "year")
} | {"quarter": "INTERVAL 3 MONTH"}


def _date_add(writer: "Writer", node: exp.Expr) -> str:
    unit, count, moment = node.expressions
    interval = _UNITS.get(writer.literal(unit, "a unit").lower())
    if interval is None:
        raise QueryFailure("INVALID_FUNCTION_ARGUMENT", f"'{unit.name}' is not a valid Timestamp field")
    return f"cast_to_type({writer.sql(moment)} + ({writer.sql(count)}) * {interval}, {writer.sql(moment)})"


def _date_format(writer: "Writer", node: exp.Expr) -> str:
    moment, pattern = node.expressions
    return f"strftime({writer.sql(moment)}, {literal(writer.mysql(pattern))})"


def _format_datetime(writer: "Writer", node: exp.Expr) -> str:
    moment, pattern = node.expressions
    if zone_of(moment) and re.search("[Zz]", re.sub("'[^']*'", "", writer.literal(pattern, "a date format"))):
        raise QueryFailure("NOT_SUPPORTED", f"the pattern {pattern.name!r} of a moment in a time zone is not supported")
    return f"strftime({writer.sql(moment)}, {literal(writer.joda(pattern))})"


def _date_parse(writer: "Writer", node: exp.Expr) -> str:
    text, pattern = node.expressions
    return f"strptime({writer.sql(text)}, {literal(writer.mysql(pattern))})"


def _parse_datetime(writer: "Writer", node: exp.Expr) -> str:
    text, pattern = node.expressions
    return f"CAST(strptime({writer.sql(text)}, {literal(writer.joda(pattern))}) AS TIMESTAMPTZ)"


def _at_timezone(writer: "Writer", node: exp.Expr) -> str:
    return writer.in_zone(node, node.expressions[0])


def _date_trunc(writer: "Writer", node: exp.Expr) -> str:
    unit, moment = writer.arguments(node)
    text = f"cast_to_type(date_trunc({unit}, {moment}), {moment})"
    zone = zone_of(node)
    # Of a moment in a zone the argument is local time; what follows is given the moment that is
    return writer.zoned(node, f"timezone({literal(duckdb_zone(zone))}, {text})") if zone else text


def _concat(writer: "Writer", node: exp.Expr) -> str:
    return "(" + " || ".join(writer.arguments(node)) + ")"


def _extreme(name: str) -> Special:
    def write(writer: "Writer", node: exp.Expr) -> str:
        arguments = writer.arguments(node)
        nothing = " OR ".join(f"{argument} IS NULL" for argument in arguments)
        return f"CASE WHEN {nothing} THEN NULL ELSE {name}({', '.join(arguments)}) END"

    return write


def _path(writer: "Writer", node: exp.Expr) -> str:
    path = writer.literal(node, "a JSON path")
    if not path.startswith("$"):
        raise QueryFailure("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'")
    return literal(re.sub(r"""\[["']([^"']*)["']\]""", r'."\1"', path))


def _json_extract(writer: "Writer", node: exp.Expr) -> str:
    document, path = node.expressions
    return f"json_extract({writer.sql(document)}, {_path(writer, path)})"


def _json_extract_scalar(writer: "Writer", node: exp.Expr) -> str:
    document, path = node.expressions
    return f"trino_json_scalar({writer.sql(document)}, {_path(writer, path)})"


def _json_size(writer: "Writer", node: exp.Expr) -> str:
    document, path = node.expressions
    return f"trino_json_size({writer.sql(document)}, {_path(writer, path)})"


_SQL_PATH = re.compile(r"""(?:(?:lax|strict)\s+)?(\$(?:\.\w+|\."[^"]*"|\[\d+\])*)""")


def _sql_json(form: str) -> Special:
    def write(writer: "Writer", node: exp.Expr) -> str:
        if len(node.expressions) != 2:
            raise writer.refuse(f"{str(node.this).lower()} with more than a path", str(node.this))
        document, path = node.expressions
        found = _SQL_PATH.fullmatch(writer.literal(path, "a JSON path"))
        if found is None:
            raise writer.refuse(f"the JSON path '{path.name}'", str(node.this))
        return form.format(writer.sql(document), literal(found[1]))

    return write


_JAVA_FORMAT = re.compile(r"%(?:(%)|([-,0]*)(\d*)(\.\d+)?([sdfxXeE]))")


def _format(writer: "Writer", node: exp.Expr) -> str:
    """Say Java's `format` in the words of DuckDB's: `%,.2f` is `{:,.2f}`."""
    pattern, *values = node.expressions
    text, position, used, out, arguments = writer.literal(pattern, "a format"), 0, 0, "", []
    for found in _JAVA_FORMAT.finditer(text):
        out += _braced(text[position : found.start()], writer)
        position = found.end()
        percent, flags, width, precision, kind = found.groups()
        if percent:
            out += "%"
            continue
        if used >= len(values):
            raise QueryFailure("INVALID_FUNCTION_ARGUMENT", f"Format specifier '{found[0]}'")
        value = writer.sql(values[used])
        used += 1
        align = "<" if "-" in flags else ">" if kind == "s" and width else ""
        zero, comma = "0" if "0" in flags else "", "," if "," in flags else ""
        precision = precision or (".6" if kind in "feE" else "")
        out += "{:" + align + zero + width + comma + precision + ("" if kind == "s" else kind) + "}"
        casts = {"s": f"trino_text({value})", "d": f"CAST({value} AS BIGINT)"}
        arguments.append(casts.get(kind, value if kind in "xX" else f"CAST({value} AS DOUBLE)"))
    out += _braced(text[position:], writer)
    return f"format({', '.join([literal(out), *arguments])})"


def _braced(text: str, writer: "Writer") -> str:
    if "%" in text:
        raise writer.refuse(f"the format '{text}'", "format")
    return text.replace("{", "{{").replace("}", "}}")


def _typeof(writer: "Writer", node: exp.Expr) -> str:
    (value,) = node.expressions
    if isinstance(value, exp.Literal) and value.is_string:
        return literal(f"varchar({len(value.name)})")
    return f"python_type_name(typeof({writer.sql(value)}))"


def _with_timezone(writer: "Writer", node: exp.Expr) -> str:
    moment, zone = node.expressions
    name = literal(duckdb_zone(writer.literal(zone, "a time zone")))
    return writer.zoned(node, f"timezone({name}, CAST({writer.sql(moment)} AS TIMESTAMP))")


def _map_zip_with(writer: "Writer", node: exp.Expr) -> str:
    left, right, function = node.expressions
    (key, a, b), body = _lambda(writer, function, 3)
    one, two = writer.sql(left), writer.sql(right)
    value = writer.sql(_with(body, {key: "each", a: f"({one})[each]", b: f"({two})[each]"}))
    keys = f"trino_array_distinct(list_concat(map_keys({one}), map_keys({two})))"
    return f"map_from_entries(list_transform({keys}, lambda each: row(each, {value})))"


def _regexp_replace(writer: "Writer", node: exp.Expr) -> str:
    text, pattern, *rest = node.expressions
    replacement = re.sub(r"\$(\d)", r"\\\1", writer.literal(rest[0], "a replacement")) if rest else ""
    return f"regexp_replace({writer.sql(text)}, {writer.sql(pattern)}, {literal(replacement)}, 'g')"


def _lambda(writer: "Writer", node: exp.Expr, arity: int) -> tuple[list[str], exp.Expr]:
    if not isinstance(node, exp.Lambda) or len(node.expressions) != arity:
        raise QueryFailure("NOT_SUPPORTED", f"a lambda with {arity} parameters must stand here for this engine")
    return [parameter.name for parameter in node.expressions], node.this


def _with(body: exp.Expr, replacements: Mapping[str, str]) -> exp.Expr:
    """Return `body` with the lambda's parameters replaced by SQL that is DuckDB's already."""

    def replace(node: exp.Expr) -> exp.Expr:
        qualified = isinstance(node, exp.Column) and node.table
        if isinstance(node, (exp.Column, exp.Identifier)) and node.name in replacements and not qualified:
            return exp.Var(this=replacements[node.name])
        return node

    return body.copy().transform(replace)


def _list_function(name: str) -> Special:
    def write(writer: "Writer", node: exp.Expr) -> str:
        items, function = node.expressions
        (item,), body = _lambda(writer, function, 1)
        return f"{name}({writer.sql(items)}, lambda {item}: {writer.sql(body)})"

    return write


def _match(when: str, empty: str) -> Special:
    def write(writer: "Writer", node: exp.Expr) -> str:
        items, function = node.expressions
        (item,), body = _lambda(writer, function, 1)
        list_ = writer.sql(items)
        answers = f"list_transform({list_}, lambda {item}: {writer.sql(body)})"
        return f"CASE WHEN {list_} IS NULL THEN NULL WHEN len({list_}) = 0 THEN {empty} ELSE {when.format(answers)} END"

    return write


def _reduce(writer: "Writer", node: exp.Expr) -> str:
    items, start, step, finish = node.expressions
    names, body = _lambda(writer, step, 2)
    (result,), output = _lambda(writer, finish, 1)
    reduced = (
        f"list_reduce({writer.sql(items)}, lambda {names[0]}, {names[1]}: {writer.sql(body)}, {writer.sql(start)})"
    )
    return str(writer.sql(_with(output, {result: f"({reduced})"})))


def _zip_with(writer: "Writer", node: exp.Expr) -> str:
    left, right, function = node.expressions
    (a, b), body = _lambda(writer, function, 2)
    inner = writer.sql(_with(body, {a: "pair[1]", b: "pair[2]"}))
    return f"list_transform(list_zip({writer.sql(left)}, {writer.sql(right)}), lambda pair: {inner})"


def _map_function(form: str) -> Special:
    def write(writer: "Writer", node: exp.Expr) -> str:
        entries = f"map_entries({writer.sql(node.expressions[0])})"
        (key, value), body = _lambda(writer, node.expressions[1], 2)
        return form.format(entries, writer.sql(_with(body, {key: "entry.key", value: "entry.value"})))

    return write


def _if(writer: "Writer", node: exp.Expr) -> str:
    arguments = writer.arguments(node)
    otherwise = f" ELSE {arguments[2]}" if len(arguments) > 2 else ""
    return f"CASE WHEN {arguments[0]} THEN {arguments[1]}{otherwise} END"


def _cardinality(writer: "Writer", node: exp.Expr) -> str:
    (items,) = node.expressions
    text = (
        f"cardinality({writer.sql(items)})"
        if shape_of(items, writer.types).name == "map"
        else f"len({writer.sql(items)})"
    )
    return f"CAST({text} AS BIGINT)"


SPECIAL: Mapping[str, Special] = {
    "all_match": _match("list_bool_and({0})", "TRUE"),
    "any_match": _match("list_bool_or({0})", "FALSE"),
    "none_match": _match("NOT list_bool_or({0})", "TRUE"),
    "at_timezone": _at_timezone,
    "cardinality": _cardinality,
    "concat": _concat,
    "date_add": _date_add,
    "date_format": _date_format,
    "date_parse": _date_parse,
    "date_trunc": _date_trunc,
    "format": _format,
    "json_exists": _sql_json("coalesce(json_exists({0}, {1}), FALSE)"),
    "json_query": _sql_json("CAST(json_extract({0}, {1}) AS VARCHAR)"),
    "json_size": _json_size,
    "json_value": _sql_json("trino_json_scalar({0}, {1})"),
    "map_zip_with": _map_zip_with,
    "typeof": _typeof,
    "with_timezone": _with_timezone,
    "filter": _list_function("list_filter"),
    "format_datetime": _format_datetime,
    "greatest": _extreme("greatest"),
    "if": _if,
    "json_extract": _json_extract,
    "json_extract_scalar": _json_extract_scalar,
    "least": _extreme("least"),
    "map_filter": _map_function("map_from_entries(list_filter({0}, lambda entry: {1}))"),
    "parse_datetime": _parse_datetime,
    "reduce": _reduce,
    "regexp_replace": _regexp_replace,
    "transform": _list_function("list_transform"),
    "transform_keys": _map_function("map_from_entries(list_transform({0}, lambda entry: row({1}, entry.value)))"),
    "transform_values": _map_function("map_from_entries(list_transform({0}, lambda entry: row(entry.key, {1})))"),
    "zip_with": _zip_with,
}
