"""One DuckDB instance per query: bounded in memory, and shut in before the user's SQL runs."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud.athena.column_types import literal

THREADS = 2
MEMORY_MB_OF_TWO_THREADS = 200
"""Each thread that reads JSON holds buffers of tens of megabytes; below this, two of them leave nothing to group in."""

_PLANNING_MEMORY_MB = 64

_LOADING = threading.Lock()


def httpfs_path() -> Path:
    """Return the file of DuckDB's S3 reader, as its wheel ships it for the DuckDB that is installed."""
    import duckdb
    import duckdb_extension_httpfs

    folder = Path(duckdb_extension_httpfs.__path__[0]) / "extensions" / f"v{duckdb.__version__}"
    return folder / "httpfs.duckdb_extension"


def open_instance(endpoint_url: str, region: str, temp_dir: Path) -> Any:
    """Return a connection to a fresh instance that reads S3 at `endpoint_url`; still open to configuration.

    The extension comes from an installed wheel, so its signature (100 ms to check) is not asked for.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "allow_unsigned_extensions": "true",
            "autoinstall_known_extensions": "false",
            "memory_limit": f"{_PLANNING_MEMORY_MB}MB",
            "temp_directory": str(temp_dir),
            "threads": str(THREADS),
        },
    )
    with _LOADING:
        connection.execute(f"LOAD {literal(str(httpfs_path()))}")
    parts = urlsplit(endpoint_url)
    settings = {
        "allow_persistent_secrets": False,
        "s3_endpoint": parts.netloc,
        "s3_url_style": "path",
        "s3_use_ssl": parts.scheme == "https",
        "s3_region": region,
        "s3_access_key_id": "loglake",
        "s3_secret_access_key": "loglake",
        "TimeZone": "UTC",
        "default_null_order": "nulls_last",
        "enable_http_metadata_cache": True,
        "parquet_metadata_cache": True,
        "http_keep_alive": True,
        "http_retries": 1,
        "enable_progress_bar": False,
    }
    for name, value in settings.items():
        text = literal(value) if isinstance(value, str) else str(value).lower()
        connection.execute(f"SET {name} = {text}")
    return connection


def shut_in(connection: Any, prefixes: Sequence[str], result_dir: Path, memory_mb: int) -> None:
    """Leave the instance nothing but its memory, the planned S3 prefixes and its own result folder, for good."""
    connection.execute(f"SET memory_limit = '{memory_mb}MB'")
    if memory_mb < MEMORY_MB_OF_TWO_THREADS:
        connection.execute("SET threads = 1")
    allowed = ", ".join(literal(place) for place in [*prefixes, f"{result_dir}/"])
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
