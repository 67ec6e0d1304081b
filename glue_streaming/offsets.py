"""Where rejected lines begin: bytes from the start of an object's text, unzipped.

Spark's reader of text does not tell. So the objects that have rejects, and only those, are read once more: a line is
known by its MD5, and equal lines of one object by their order. Lines that are too long to be carried along come from
there.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from glue_streaming import folders
from glue_streaming.duplicates import ROW
from glue_streaming.lines import BYTE_ORDER_MARK, GZIP_SUFFIX, MAX_LINE_BYTES, read_contents, salvage, source_object

_LOCATED = "source_object string, line_key string, nth int, source_offset bigint, long_line binary"
_TOO_LONG = "too long"
"""Stands for the MD5 of a line that Spark has not kept."""


@dataclass(frozen=True, slots=True)
class Found:
    """A line of an object: its MD5, the how many-th of those with that MD5, its offset, and all of it if too long."""

    key: str
    nth: int
    offset: int
    long_line: bytes | None = None


def with_offsets(spark: SparkSession, rejects: DataFrame, raw_path: str) -> DataFrame:
    """Return numbered `rejects` with `source_object`, `source_offset` (null where the object is gone) and all lines."""
    named = rejects.withColumn("source_object", source_object(F.col("object_path"), raw_path))
    if "source_offset" in rejects.columns:
        return named
    key = F.coalesce(F.md5(F.col("raw_line").cast("binary")), F.lit(_TOO_LONG))
    named = named.withColumn("line_key", key)
    names = [row.source_object for row in named.select("source_object").distinct().collect()]
    contents = _contents(spark, sorted(names), raw_path)
    if contents is None:
        return named.withColumn("source_offset", F.lit(None).cast("bigint"))
    keys = F.collect_set(F.struct(F.coalesce(F.octet_length("raw_line"), F.lit(0)).alias("size_bytes"), "line_key"))
    wanted = named.groupBy("source_object").agg(keys.alias("wanted"))
    located = spark.createDataFrame(contents.join(F.broadcast(wanted), "source_object").rdd.flatMap(_locate), _LOCATED)
    of_line = Window.partitionBy("source_object", "line_key").orderBy(ROW)
    numbered = named.withColumn("nth", F.row_number().over(of_line))
    placed = numbered.join(located, ["source_object", "line_key", "nth"], "left")
    return placed.withColumn("raw_line", F.coalesce("raw_line", F.col("long_line").cast("string"), F.lit("")))


def locate(content: bytes, is_gzip: bool, wanted: Collection[tuple[int, str]]) -> Iterator[Found]:
    """Yield the lines of an object that are among the `wanted`, pairs of size and MD5, and all that are too long.

    A byte-order mark at the beginning belongs to no line. Memory is bounded by the longest line.
    """
    sizes, keys = {size for size, _ in wanted}, {key for _, key in wanted}
    met: Counter[str] = Counter()
    offset = 0
    for line in _lines(content, is_gzip):
        if not offset and line.startswith(BYTE_ORDER_MARK):
            line, offset = line[len(BYTE_ORDER_MARK) :], len(BYTE_ORDER_MARK)
        is_long = len(line) > MAX_LINE_BYTES
        if is_long or len(line) in sizes:
            key = _TOO_LONG if is_long else hashlib.md5(line, usedforsecurity=False).hexdigest()
            if key in keys:
                met[key] += 1
                yield Found(key, met[key], offset, line if is_long else None)
        offset += len(line) + 1


def _lines(content: bytes, is_gzip: bool) -> Iterator[bytes]:
    if not is_gzip:
        return iter(content.split(b"\n"))
    return (line for line, _ in salvage(content))


def _locate(row: Any) -> Iterator[tuple[str, str, int, int, bytearray | None]]:
    wanted = [(entry.size_bytes, entry.line_key) for entry in row.wanted]
    for found in locate(bytes(row.content), row.source_object.endswith(GZIP_SUFFIX), wanted):
        long_line = None if found.long_line is None else bytearray(found.long_line)
        yield row.source_object, found.key, found.nth, found.offset, long_line


def _contents(spark: SparkSession, names: Sequence[str], raw_path: str) -> DataFrame | None:
    """Return `source_object` and `content` of the objects that still exist; None if none does."""
    paths = [raw_path + name.partition("/")[2] for name in names]
    try:
        found = read_contents(spark, paths)
    except AnalysisException:  # one is gone
        present = [path for path in paths if folders.exists(spark, path)]
        if not present:
            return None
        found = read_contents(spark, present)
    return found.select(source_object(F.col("path"), raw_path, is_uri=False).alias("source_object"), "content")
