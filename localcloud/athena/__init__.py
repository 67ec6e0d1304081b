"""Athena on the laptop: Trino's SQL, planned against the Glue catalog, run by DuckDB over S3."""

from localcloud.athena.engine import AthenaEngine
from localcloud.engine import Context, Engine

__all__ = ["build"]


def build(context: Context) -> Engine:
    """Return the engine, not yet started."""
    return AthenaEngine(context)
