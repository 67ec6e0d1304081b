"""Lines to events: which lines are events of the schema, and which are not.

The same rules as `catalog.schema.validate`, as Spark expressions: no value is converted, none becomes null unseen.
An `events` DataFrame has the schema's columns (`service` as it names a folder), `received_at`, `extra`, `unknown_keys`,
`pattern`, and of the line it came from `object_hash`, `is_reject` and, if it is a reject, `object_path`, `raw_line`,
`damage` and, where the reader knows it, `source_offset`; the columns of a rejected line mean nothing.

Two questions need a second look at the text of a line, because Spark's parser turns any value into a string and leaves
out keys it was not asked for. Most lines are `PLAIN`: one regular expression that cannot backtrack answers both.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from catalog.schema import EVENT_COLUMNS, LEVELS, MAX_AGE, MAX_AHEAD, RECEIVED_AT
from glue_streaming.levels import Levels
from glue_streaming.patterns import pattern
from glue_streaming.services import key_name

COLUMNS = (*EVENT_COLUMNS, RECEIVED_AT)
COUNTED = (
    *("event_id", "received_at", "timestamp", "service", "level"),
    *("endpoint", "status_code", "response_time_ms", "response_bytes"),
)
"""What deduplication and the rollup need of an event whose level is dropped."""
_LOGGED = {column.name for column in COLUMNS} - {*COUNTED} | {"extra"}
_STRINGS = tuple(column.name for column in COLUMNS if column.type == "string")
_STRUCT = ", ".join(f"`{column.name}`: {column.type}" for column in COLUMNS)
_UNCHANGED = tuple(each.name for each in EVENT_COLUMNS if each.name not in ("timestamp", "service"))
_YEARS = (2000, 2199)
"""Years an arrival may have; Spark reads years that Python cannot hold."""
_STRICT = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": "broken",
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
}


def _one_of(names: Sequence[str]) -> str:
    """Return a regular expression for `names` that looks at each character once: `e(?:nd|rr)`."""
    tails: dict[str, list[str]] = {}
    for name in names:
        tails.setdefault(name[:1], []).append(name[1:])
    branches = [head + (_one_of(rest) if any(rest) else "") for head, rest in sorted(tails.items(), reverse=True)]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


_OTHERS = tuple(column.name for column in COLUMNS if column.type != "string")
_MEMBER = rf'"(?:{_one_of(_STRINGS)}":(?:"[^"\\]*+"|null)|{_one_of(_OTHERS)}":(?:-?[0-9][0-9.eE+-]*+|null))'
PLAIN = rf"^\{{{_MEMBER}(?:,{_MEMBER})*+\}}$"
"""A line whose keys are all known, whose strings are strings without escapes, and without white space between."""
_NOT_A_STRING = rf'"(?:{"|".join(_STRINGS)})"\s*:\s*[^"\sn]'
"""A key of a string column with a value that is no string: right for the line itself, too wide for inner objects."""


def parse_lines(lines: DataFrame) -> DataFrame:
    """Return the `events` of `lines`, one each; other columns of a line stay with it."""
    raw_line = F.col("raw_line")
    parsed = lines.withColumn("parsed", _parse(raw_line)).withColumn("found", F.get(F.col("parsed.e"), F.lit(0)))
    typed = parsed.select(
        *(name for name in lines.columns if name != "object_time"),
        (F.col("parsed.broken").isNotNull() | (F.size("parsed.e") != 1)).alias("is_broken"),
        raw_line.rlike(PLAIN).alias("is_plain"),
        *(F.col(f"found.{name}") for name in _UNCHANGED),
        key_name(F.col("found.service")).alias("service"),
        _timestamp("found.timestamp").alias("timestamp"),
        _received_at().alias(RECEIVED_AT.name),
    )
    judged = typed.withColumn("is_reject", F.coalesce(_is_reject(raw_line), F.lit(True))).withColumn(
        "unknown_keys", F.when(~F.col("is_plain") & ~F.col("is_reject"), _unknown_keys(raw_line))
    )
    described = judged.withColumn("extra", _extra(raw_line)).withColumn("pattern", pattern(F.col("message")))
    return described.drop("is_broken", "is_plain")


def slim(events: DataFrame, levels: Levels) -> DataFrame:
    """Return `events` without what no table will hold: the line of what is an event, the text of a dropped level."""
    is_reject = F.col("is_reject")
    is_kept = ~is_reject & levels.keeps()
    needed = {name: F.when(is_kept, F.col(name)).alias(name) for name in events.columns if name in _LOGGED}
    needed["raw_line"] = F.when(is_reject, F.col("raw_line")).alias("raw_line")
    return events.select(*(needed.get(name, F.col(name)) for name in events.columns))


def is_blank(raw_line: Column) -> Column:
    """Return whether a line holds white space only, and so is no line at all."""
    return ~raw_line.startswith("{") & (F.trim(F.translate(raw_line, "\t\r", "  ")) == "")


def is_utf8(text: Column) -> Column:
    """Return whether the bytes of `text` are UTF-8, which Spark takes for granted."""
    content = text.cast("binary")
    decoded = F.decode(content, "UTF-8")  # what is not UTF-8 becomes U+FFFD
    return ~decoded.contains("\ufffd") | (F.encode(decoded, "UTF-8") == content)


def _parse(raw_line: Column) -> Column:
    """Parse the line as an array's only element, so that whatever follows the first object breaks the whole."""
    wrapped = F.concat(F.lit('{"e":['), raw_line, F.lit("]}"))
    return F.from_json(wrapped, f"e array<struct<{_STRUCT}>>, broken string", _STRICT)


def _timestamp(column: str) -> Column:
    return F.when(F.length(column) >= len("2026-11-21"), F.expr(f"try_cast({column} AS timestamp)"))


def _received_at() -> Column:
    """When the event arrived; where it says nothing of use, when its object was written."""
    stamped = _timestamp(f"found.{RECEIVED_AT.name}")
    return F.coalesce(F.when(F.year(stamped).between(*_YEARS), stamped), F.col("object_time"))


def _is_reject(raw_line: Column) -> Column:
    missing = [F.col(column.name).isNull() for column in EVENT_COLUMNS if column.required]
    infinite = [
        F.isnan(column.name) | F.col(column.name).isin(float("inf"), float("-inf"))
        for column in EVENT_COLUMNS
        if column.type == "double"
    ]
    arrived = F.col(RECEIVED_AT.name)
    rules = [
        F.col("damage").isNotNull(),
        F.col("is_broken"),
        *missing,
        ~F.col("level").isin(*LEVELS),
        F.col("timestamp") < arrived - F.lit(MAX_AGE),
        F.col("timestamp") > arrived + F.lit(MAX_AHEAD),
        *(F.coalesce(rule, F.lit(False)) for rule in infinite),
        ~is_utf8(raw_line),
        F.when(~F.col("is_plain") & raw_line.rlike(_NOT_A_STRING), _has_wrong_type(raw_line)).otherwise(False),
    ]
    found = rules[0]
    for rule in rules[1:]:
        found = found | rule
    return found


def _has_wrong_type(raw_line: Column) -> Column:
    """Return whether a string column holds a number, a boolean, an array or an object: whether one of those parses."""
    found = F.lit(False)
    for kind in ("double", "boolean", "array<string>", "map<string,string>"):
        schema = ", ".join(f"`{name}` {kind}" for name in _STRINGS)
        probe = F.from_json(raw_line, schema, {"mode": "PERMISSIVE", "allowNonNumericNumbers": "false"})
        found = found | (F.to_json(probe) != "{}")
    return found


def _unknown_keys(raw_line: Column) -> Column:
    """Return the keys that the schema does not know; null without any."""
    unknown = F.array_except(F.json_object_keys(raw_line), F.array(*(F.lit(column.name) for column in COLUMNS)))
    return F.when(F.size(unknown) > 0, unknown)


def _extra(raw_line: Column) -> Column:
    """Return the keys that the schema does not know as one JSON object, values as they were; null without any."""
    values = F.from_json(raw_line, "map<string,string>", {"allowSingleQuotes": "false"})
    unknown = F.filter(F.map_entries(values), lambda entry: F.array_contains("unknown_keys", entry["key"]))
    members = F.transform(unknown, lambda entry: _json_member(raw_line, entry["key"], entry["value"]))
    has_unknown = F.col("unknown_keys").isNotNull()
    return F.when(has_unknown, F.concat(F.lit("{"), F.array_join(members, ","), F.lit("}")))


def _json_member(raw_line: Column, key: Column, text: Column) -> Column:
    return F.concat(_quote(key), F.lit(":"), _json_value(raw_line, key, text))


def _json_value(raw_line: Column, key: Column, text: Column) -> Column:
    """Return a value as JSON: a string if the line quotes it after its key, else its own text."""
    is_string = F.regexp_like(raw_line, F.concat(F.lit(r'"\Q'), key, F.lit(r'\E"\s*:\s*"')))
    return F.when(text.isNull(), "null").when(is_string, _quote(text)).otherwise(text)


def _quote(text: Column) -> Column:
    in_array = F.to_json(F.array(text))
    return F.substr(in_array, F.lit(2), F.length(in_array) - 2)
