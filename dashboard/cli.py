"""`loglake dashboard`, `loglake users` and `loglake alerts`: serve the dashboard and manage what it keeps."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from catalog.errors import SettingsError, UsageError
from catalog.settings import Settings, load
from dashboard.alerts.cli import alerts
from dashboard.folders import served_folders
from dashboard.users_cli import users

__all__ = ["alerts", "dashboard", "users"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8050, show_default=True, type=click.IntRange(1, 65_535))
@served_folders
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1, 32), help="Processes that answer requests."
)
@click.option("--address", help="Where people reach it, for links in alerts; needed behind proxies.")
@click.option("--prefix", default="/", show_default=True, help="Path the dashboard lives under, such as /logs/.")
@click.option(
    "--proxies", default=0, show_default=True, type=click.IntRange(0, 5), help="Proxies in front, which end TLS."
)
@click.option("--alb-arn", help="Let this load balancer say who people are; their roles are those of 'loglake users'.")
@click.option("--certificate", type=click.Path(exists=True), help="TLS certificate, PEM; with --key.")
@click.option("--key", type=click.Path(exists=True), help="Its private key, PEM.")
@click.option("--plain-http", is_flag=True, help="Let people log in unencrypted, on an address that is not loopback.")
@click.option(
    "--compare-from",
    type=click.DateTime(),
    help="Compare with no period before this UTC moment: its events are a sample.",
)
@click.option("--ask-above-gb", default=2.0, show_default=True, help="Ask before a query for rows that reads more.")
def dashboard(host: str, port: int, cache_dir: Path, state_dir: Path, workers: int, prefix: str, **rest: Any) -> None:
    """Serve the dashboard: logs, rates and latencies, read through Athena and cached.

    On loopback nobody needs to log in until 'loglake users add' adds someone; anywhere else everybody must.
    """
    from dashboard.server import LOOPBACK, check_address, reached_at, serve
    from dashboard.state import Address
    from dashboard.users import Users

    prefix = f"/{prefix.strip('/')}/".replace("//", "/")
    pair = _certificate(rest["certificate"], rest["key"])
    is_encrypted = bool(pair or rest["proxies"])
    is_guarded = bool(rest["alb_arn"] or Users(state_dir / "users.json").all())
    check_address(host, port, is_guarded, is_encrypted or rest["plain_http"])
    settings = load()
    directory = cache_dir / scope(settings, os.environ.get("AWS_ENDPOINT_URL", ""))
    scheme = "https" if pair else "http"
    served = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{prefix}"
    click.echo(f"dashboard: {served} (database {settings.database}, cache {directory})")
    Address(state_dir).write(rest.pop("address") or reached_at(served))
    options = {**rest, "is_secure": is_encrypted, "is_on_loopback": host in LOOPBACK}
    serve(lambda: make_app(settings, directory, state_dir, prefix, **options), host, port, workers, pair)


def scope(settings: Settings, endpoint: str) -> str:
    """Return the name of a lake's own cache folder: answers of two lakes must never meet."""
    names = [endpoint, settings.region, settings.database, settings.work_group, settings.lake_bucket]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def make_lake(
    settings: Settings, directory: Path, ask_above_gb: float = 2.0, compare_from: datetime | None = None
) -> Any:
    """Return a process's lake."""
    from dashboard.athena import Athena
    from dashboard.broker import open_cache
    from dashboard.guard import Limits
    from dashboard.lake import Lake

    drop_levels = tuple(level for level in settings.drop_levels.split(",") if level)
    since = compare_from.replace(tzinfo=UTC) if compare_from else None
    limits = Limits(int(ask_above_gb * 10**9), int(settings.scan_cutoff_bytes))
    return Lake(Athena(settings), open_cache(str(directory)), drop_levels, limits=limits, compare_from=since)


def make_app(settings: Settings, directory: Path, state_dir: Path, prefix: str, **options: Any) -> Any:
    """Return one worker's WSGI application."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    from dashboard.alb import Alb
    from dashboard.app import create_app
    from dashboard.broker import open_cache
    from dashboard.login import open_gate

    lake = make_lake(settings, directory, options.get("ask_above_gb", 2.0), options.get("compare_from"))
    alb = Alb(options["alb_arn"]) if options.get("alb_arn") else None
    gate = open_gate(
        state_dir,
        open_cache(str(directory)),
        alb=alb,
        is_secure=options.get("is_secure", False),
        is_on_loopback=options.get("is_on_loopback", False),
    )
    server = create_app(lake, gate, prefix, live_feed(settings)).server
    hops = options.get("proxies", 0)
    if hops:
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
    return server


def live_feed(settings: Settings) -> Any:
    """Return a feed of the stack's live table; None for a stack without one."""
    import boto3

    from catalog.live_feed import Feed

    try:
        table = settings.live_table
    except SettingsError:  # a stack deployed before there was one
        return None
    return Feed(boto3.client("dynamodb"), table) if table else None


def _certificate(certificate: str | None, key: str | None) -> tuple[str, str] | None:
    if bool(certificate) != bool(key):
        raise UsageError("--certificate and --key must be given together")
    return (certificate, key) if certificate and key else None


if __name__ == "__main__":
    dashboard()
