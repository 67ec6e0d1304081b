"""`loglake dashboard`: serve the dashboard over the stack's lake."""

import hashlib
import os
from pathlib import Path
from typing import Any

import click

from catalog.errors import SettingsError
from catalog.settings import Settings, load

DEFAULT_CACHE = Path(".loglake") / "dashboard-cache"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback only.")
@click.option("--port", default=8050, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--cache-dir",
    default=DEFAULT_CACHE,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where answers are kept; on a local disk.",
)
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1, 32), help="Processes that answer requests."
)
@click.option("--prefix", default="/", show_default=True, help="Path the dashboard lives under, such as /logs/.")
def dashboard(host: str, port: int, cache_dir: Path, workers: int, prefix: str) -> None:
    """Serve the dashboard: logs, rates and latencies, read through Athena and cached."""
    from dashboard.server import check_address, serve

    check_address(host, port)
    settings = load()
    directory = cache_dir / scope(settings, os.environ.get("AWS_ENDPOINT_URL", ""))
    click.echo(f"dashboard: http://{host}:{port}{prefix} (database {settings.database}, cache {directory})")
    serve(lambda: make_app(settings, directory, prefix), host, port, workers)


def scope(settings: Settings, endpoint: str) -> str:
    """Return the name of a lake's own cache folder: answers of two lakes must never meet."""
    names = [endpoint, settings.region, settings.database, settings.work_group, settings.lake_bucket]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def make_app(settings: Settings, directory: Path, prefix: str) -> Any:
    """Return one worker's WSGI application."""
    from dashboard.app import create_app
    from dashboard.athena import Athena
    from dashboard.broker import open_cache
    from dashboard.lake import Lake

    drop_levels = tuple(level for level in settings.drop_levels.split(",") if level)
    lake = Lake(Athena(settings), open_cache(str(directory)), drop_levels)
    return create_app(lake, prefix, live_feed(settings)).server


def live_feed(settings: Settings) -> Any:
    """Return a feed of the stack's live table; None for a stack without one."""
    import boto3

    from catalog.live_feed import Feed

    try:
        table = settings.live_table
    except SettingsError:  # a stack deployed before there was one
        return None
    return Feed(boto3.client("dynamodb"), table) if table else None


if __name__ == "__main__":
    dashboard()
