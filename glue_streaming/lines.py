"""Raw objects to lines: every line of every object, its bytes untouched, with the object it came from.

A `lines` DataFrame has the columns `raw_line` (the line as it was read; Spark does not check that it is UTF-8),
`object_path` (a URI), `object_time` (when the object was written) and `damage` (null, or what is wrong here).
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
_URI = "/:!$&'()*+,;=@"
"""What Spark leaves as it is in the URI of an object."""
_GZIP_WBITS = 31
_CHUNK_BYTES = 1 << 20


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Return the lines of sound objects. A damaged or missing one fails whatever reads the result."""
    reader = spark.read.option("lineSep", "\n").option("__globPaths__", "false")
    return reader.text(list(paths)).select(
        F.col("value").alias("raw_line"),
        F.col("_metadata.file_path").alias("object_path"),
        F.col("_metadata.file_modification_time").alias("object_time"),
        F.lit(None).cast("string").alias("damage"),
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


def source_object(object_path: Column, raw_path: str) -> Column:
    """Return an object's key as `rejects` names it: the last folder of `raw_path` and what follows, `logs/pay/…`."""
    root = _without_scheme(raw_path)
    folder = raw_path.rstrip("/").rsplit("/", 1)[-1]
    decoded = F.url_decode(F.regexp_replace(object_path, r"\+", "%2B"))  # a plus is a plus in a path
    path = F.regexp_replace(decoded, "^[A-Za-z0-9]+:/*", "")
    return F.concat(F.lit(folder + "/"), F.substr(path, F.lit(len(root) + 1)))


def salvage(content: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Yield the lines of gzip `content`, each with None; where it is damaged, what is left of the line and the damage.

    Members may follow one another, as gzip allows. Memory is bounded by the longest line.
    """
    rest = b""
    damage = None
    chunks = _decompress(content)
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
        for _ in _decompress(content):
            pass
    except (EOFError, zlib.error) as error:
        return str(error)
    return None


def _decompress(content: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(content):
        member = zlib.decompressobj(_GZIP_WBITS)
        while not member.eof:
            if position >= len(content):
                raise EOFError(f"its end after {len(content)} bytes, within a member")
            chunk = content[position : position + _CHUNK_BYTES]
            text = member.decompress(chunk)
            position += len(chunk) - len(member.unused_data)
            if text:
                yield text


def _damaged(spark: SparkSession, paths: Sequence[str]) -> list[str]:
    zipped = [path for path in paths if path.endswith(GZIP_SUFFIX)]
    if not zipped:
        return []
    contents = _read_contents(spark, zipped).select("path", F.udf(damage_of, "string")("content").alias("damage"))
    found = {_without_scheme(row.path) for row in contents.where("damage IS NOT NULL").select("path").collect()}
    return sorted(path for path in zipped if _without_scheme(path) in found)


def _salvaged_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    salvaged = _read_contents(spark, paths).rdd.flatMap(
        lambda row: (
            (bytearray(line), quote(row.path, _URI), row.modificationTime, damage)
            for line, damage in salvage(bytes(row.content))
        )
    )
    frame = spark.createDataFrame(salvaged, "raw_line binary, object_path string, object_time timestamp, damage string")
    return frame.withColumn("raw_line", F.col("raw_line").cast("string"))


def _missing_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    damage = "the object must exist when it is read; got deleted after it was listed"
    rows = [("", quote(path, _URI), damage) for path in paths]
    frame = spark.createDataFrame(rows, "raw_line string, object_path string, damage string")
    return frame.withColumn("object_time", F.current_timestamp())


def _read_contents(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    reader = spark.read.format("binaryFile").schema(OBJECT_SCHEMA).option("__globPaths__", "false")
    return reader.load(list(paths))


def _without_scheme(path: str) -> str:
    return path.split(":", 1)[-1].lstrip("/")
