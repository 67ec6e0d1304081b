"""Message patterns: the template of a message is its text with what varies replaced by `<*>`.

What varies: quoted strings, e-mail addresses, and every word with a digit in it, which numbers, hexadecimal (eight
letters of it are enough), UUIDs, addresses, durations and ids are; these are masked here. Which other words vary is
learned: see `templates`. A pattern's id is a hash of its text, so the same text has the same id on every machine and in
every run.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from glue_streaming.templates import PLACEHOLDER

MAX_MESSAGE_CHARS = 300
"""Characters of a message that its pattern is made of, from the first line: stack traces are no patterns."""
ID_CHARS = 16
OTHER = "<other>"
MAX_PATTERNS = 50
"""Patterns that one row of `log_minutes` counts by name; the rest of its events count as `OTHER`."""

VARYING = (
    r'"[^"]*"'
    r"|(?<![\w'])'[^']*'(?!\w)"
    r"|[\w.+-]++@[\w.-]+"
    r"|0x[0-9a-fA-F]+"
    r"|\b[A-Za-z_-]*+\d[\w.:%+-]*(?<![.:])"
    r"|\b[0-9a-fA-F]{8,}\b"
)
_FIRST_LINE = r"[\r\n][\s\S]*$"


def pattern(message: Column) -> Column:
    """Return the template of a message."""
    text = F.substring(message, 1, MAX_MESSAGE_CHARS)
    line = F.when(text.contains("\n"), F.regexp_replace(text, _FIRST_LINE, "")).otherwise(text)
    return F.regexp_replace(line, VARYING, PLACEHOLDER)


def pattern_id(text: Column) -> Column:
    """Return a pattern's id: the first 16 hexadecimal digits of the MD5 of its text."""
    return F.substring(F.md5(text.cast("binary")), 1, ID_CHARS)


def counted(entries: Column) -> Column:
    """Return a map of pattern to events from an array of (pattern, events), at most `MAX_PATTERNS` entries."""
    ordered = F.array_sort(entries, lambda left, right: F.sign(right["events"] - left["events"]).cast("int"))
    rest = F.slice(ordered, MAX_PATTERNS, F.greatest(F.size(entries) - MAX_PATTERNS + 1, F.lit(0)))
    other = F.aggregate(rest, F.lit(0).cast("bigint"), lambda sum_, entry: sum_ + entry["events"])
    few = F.concat(
        F.slice(ordered, 1, MAX_PATTERNS - 1), F.array(F.struct(F.lit(OTHER).alias("pattern"), other.alias("events")))
    )
    return F.map_from_entries(F.when(F.size(entries) > MAX_PATTERNS, few).otherwise(entries))
