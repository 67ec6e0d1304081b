"""A service's name as a Spark expression: what `catalog.names.key_name` makes of it."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from catalog.names import MAX_SERVICE_CHARS, RESERVED_TABLES


def key_name(service: Column) -> Column:
    """Return `service` as it names a folder and a partition, the same as `catalog.names.key_name`."""
    safe = F.regexp_replace(F.lower(F.trim(service)), "[^a-z0-9_-]+", "-")
    stripped = F.regexp_replace(safe, "^[-_]+|[-_]+$", "")
    name = F.substring(stripped, 1, MAX_SERVICE_CHARS)
    named = F.when(name == "", "unknown").otherwise(name)
    is_reserved = F.regexp_replace(named, "-", "_").isin(*RESERVED_TABLES)
    return F.when(is_reserved, F.concat(F.lit("service-"), named)).otherwise(named)
