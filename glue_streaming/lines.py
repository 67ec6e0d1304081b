"""Raw objects to lines: every line of every object, its bytes untouched, with the object it came from.

A `lines` DataFrame has the columns `raw_line` (the line as it was read; Spark does not check that it is UTF-8; null if
it is longer than `MAX_LINE_BYTES`, which `damage` says then), `object_path` (a URI), `object_time` (when the object was
written) and `damage` (null, or what is wrong here).
"""

import zlib
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_streaming import folders

OBJECT_SCHEMA = "path string, modificationTime timestamp, length bigint, content binary"
"""Spark's `binaryFile` columns; `content` is read only where it is selected."""

GZIP_SUFFIX = ".gz"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""At the beginning of an object it belongs to no line."""
MAX_LINE_BYTES = 10 * 1024 * 1024
"""What a record of Kinesis may hold. A longer line is no event, and parsing would make a dozen copies of it."""
_URI = "/:!$&'()*+,;=@"
"""What Spark leaves as it is in the URI of an object."""
_GZIP_WBITS = 31
_CHUNK_BYTES = 1 << 20
_TEXT_BYTES = 4 << 20
"""What is unzipped at once: a few kilobytes of gzip may hold gigabytes."""


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Return the lines of sound objects. A damaged or missing one fails whatever reads the result."""
    reader = spark.read.option("lineSep", "\n").option("__globPaths__", "false")
    return reader.text(list(paths)).select(
        *_bounded(F.col("value"), F.lit(None)),
        F.col("_metadata.file_path").alias("object_path"),
        F.col("_metadata.file_modification_time").alias("object_time"),
    )


def read_damaged_lines(spark: SparkSession, paths: Sequence[str]) -> tuple[DataFrame, list[str]]:
    """Return the lines of objects of which some are damaged or gone, and the paths of those.

    A damaged object gives the lines before the damage, then one line with what is left and `damage` set; a missing one
    gives one empty line with `damage` set.
    """
    present = [path for path in paths if folders.exists(spark, path)]
    missing = sorted(set(paths) - set(present))
    damaged = _damaged(spark, present) if present else []
    sound = sorted(set(present) - set(damaged))
    frames = [_missing_lines(spark, missing)] if missing else []
    frames += [read_lines(spark, sound)] if sound else []
    frames += [_salvaged_lines(spark, damaged)] if damaged else []
    lines = frames[0]
    for frame in frames[1:]:
        lines = lines.unionByName(frame)
    return lines, missing + damaged


def read_contents(spark: SparkSession, paths: Sequence[str], must_exist: bool = False) -> DataFrame:
    """Return objects whole. One that is deleted meanwhile gives no row; what must exist fails whatever reads it."""
    reader = spark.read.format("binaryFile").schema(OBJECT_SCHEMA).option("__globPaths__", "false")
    return reader.option("ignoreMissingFiles", str(not must_exist).lower()).load(list(paths))


def source_object(path: Column, raw_path: str, is_uri: bool = True) -> Column:
    """Return an object's key as `rejects` names it: the last folder of `raw_path` and what follows, `logs/pay/…`."""
    root = _without_scheme(raw_path)
    folder = raw_path.rstrip("/").rsplit("/", 1)[-1]
    decoded = F.url_decode(F.regexp_replace(path, r"\+", "%2B")) if is_uri else path  # a plus is a plus in a path
    path = F.regexp_replace(decoded, "^[A-Za-z0-9]+:/*", "")
    return F.concat(F.lit(folder + "/"), F.substr(path, F.lit(len(root) + 1)))


def salvage(content: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Yield the lines of gzip `content`, each with None; where it is damaged, what is left of the line and the damage.

    Members may follow one another, as gzip allows. Memory is bounded by the longest line.
    """
    rest = b""
    damage = None
    chunks = decompress(content)
    while damage is None:
        try:
            chunk = next(chunks)
        except StopIteration:
            break
        except (EOFError, zlib.error) as error:
            damage = f"the object must be whole gzip; got {error}"
            break
        *lines, rest = (rest + chunk).split(b"\n")
        yield from ((line, None) for line in lines)
    if rest or damage:
        yield rest, damage


def damage_of(content: bytes) -> str | None:
    """Return what is wrong with gzip `content`, or None."""
    try:
        for _ in decompress(content):
            pass
    except (EOFError, zlib.error) as error:
        return str(error)
    return None


def decompress(content: bytes | memoryview) -> Iterator[bytes]:
    """Yield the text of gzip `content` by some megabytes; raise `EOFError` or `zlib.error` where it is damaged."""
    position = 0
    while position < len(content):
        member = zlib.decompressobj(_GZIP_WBITS)
        while not member.eof:
            chunk = member.unconsumed_tail or content[position : position + _CHUNK_BYTES]
            if not chunk:
                raise EOFError(f"its end after {len(content)} bytes, within a member")
            position += 0 if member.unconsumed_tail else len(chunk)
            if text := member.decompress(chunk, _TEXT_BYTES):
                yield text
        position -= len(member.unused_data)


def _damaged(spark: SparkSession, paths: Sequence[str]) -> list[str]:
    zipped = [path for path in paths if path.endswith(GZIP_SUFFIX)]
    if not zipped:
        return []
    contents = read_contents(spark, zipped).select("path", "content").rdd
    found = set(contents.filter(lambda row: damage_of(row.content) is not None).map(lambda row: row.path).collect())
    names = {_without_scheme(path) for path in found}
    return sorted(path for path in zipped if _without_scheme(path) in names)


def _salvaged_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    salvaged = read_contents(spark, paths).rdd.flatMap(
        lambda row: (
            (bytearray(line), quote(row.path, _URI), row.modificationTime, damage)
            for line, damage in salvage(bytes(row.content))
        )
    )
    frame = spark.createDataFrame(salvaged, "raw_line binary, object_path string, object_time timestamp, damage string")
    return frame.select(*_bounded(F.col("raw_line").cast("string"), F.col("damage")), "object_path", "object_time")


def _bounded(raw_line: Column, damage: Column) -> tuple[Column, Column]:
    """Return the columns `raw_line` and `damage` of a line that may be too long."""
    size_bytes = F.octet_length(raw_line)
    too_long = F.concat(F.lit(f"a line must be at most {MAX_LINE_BYTES} bytes; got "), size_bytes.cast("string"))
    is_short = size_bytes <= MAX_LINE_BYTES
    bounded = F.when(is_short, raw_line).alias("raw_line")
    return bounded, F.coalesce(damage.cast("string"), F.when(~is_short, too_long)).alias("damage")


def _missing_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    damage = "the object must exist when it is read; got deleted after it was listed"
    rows = [("", quote(path, _URI), damage) for path in paths]
    frame = spark.createDataFrame(rows, "raw_line string, object_path string, damage string")
    return frame.withColumn("object_time", F.current_timestamp())


def _without_scheme(path: str) -> str:
    return path.split(":", 1)[-1].lstrip("/")
