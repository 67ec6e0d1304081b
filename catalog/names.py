"""How a service's name becomes part of an S3 key, and how a key's folder becomes a table's name."""

import re

RESERVED_TABLES: tuple[str, ...] = ("logs", "log_minutes", "rejects", "runs")
"""Names of the curated tables, which no service's raw table may take."""

MAX_SERVICE_CHARS = 64
_UNSAFE = re.compile(r"[^a-z0-9_-]+")


def key_name(service: str) -> str:
    """Return `service` made safe for an S3 key: lower case, `[a-z0-9_-]`, at most 64 characters.

    A name whose table would be one of `RESERVED_TABLES` gets the prefix `service-`; an empty one becomes `unknown`.
    """
    name = _UNSAFE.sub("-", service.strip().lower()).strip("-_")[:MAX_SERVICE_CHARS] or "unknown"
    return f"service-{name}" if table_name(name) in RESERVED_TABLES else name


def table_name(folder: str) -> str:
    """Return the table name that a Glue crawler gives to `folder`: lower case, every other character an underscore."""
    return re.sub(r"[^a-z0-9_]", "_", folder.lower())
