"""A service's name as a Spark expression: what `catalog.names.key_name` makes of it."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from catalog.names import MAX_SERVICE_CHARS, RESERVED_TABLES

_NAME = rf"^[a-z0-9](?:[a-z0-9_-]{{0,{MAX_SERVICE_CHARS - 2}}}[a-z0-9])?\z"
"""A service whose name is its key name already, as nearly all are: one look instead of four rewritings."""
RESERVED_SERVICES = tuple(sorted({name for table in RESERVED_TABLES for name in (table, table.replace("_", "-"))}))


def key_name(service: Column) -> Column:
    """Return `service` as it names a folder and a partition, the same as `catalog.names.key_name`."""
    is_named = service.rlike(_NAME) & ~service.isin(*RESERVED_SERVICES)
    return F.when(is_named, service).otherwise(_made_of(service))


def _made_of(service: Column) -> Column:
    safe = F.regexp_replace(F.lower(F.trim(service)), "[^a-z0-9_-]+", "-")
    stripped = F.regexp_replace(safe, "^[-_]+|[-_]+$", "")
    name = F.substring(stripped, 1, MAX_SERVICE_CHARS)
    named = F.when(name == "", "unknown").otherwise(name)
    is_reserved = F.regexp_replace(named, "-", "_").isin(*RESERVED_TABLES)
    return F.when(is_reserved, F.concat(F.lit("service-"), named)).otherwise(named)
