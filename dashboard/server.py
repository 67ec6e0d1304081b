"""Serving: gunicorn with threads, one application per worker, all workers sharing one cache directory."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gunicorn.app.base import BaseApplication

from catalog.errors import LoglakeError, UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYWHERE = ("0.0.0.0", "::")
THREADS = 8


class Server(BaseApplication):
    """A gunicorn whose workers each make their own application, so that nothing that holds a socket is forked."""

    def __init__(self, make_app: Callable[[], Any], options: dict[str, Any]) -> None:
        self._make_app = make_app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make_app()


def serve(
    make_app: Callable[[], Any], host: str, port: int, workers: int, certificate: tuple[str, str] | None = None
) -> None:
    """Serve until told to stop; in-flight requests get 30 seconds to end. SIGHUP makes fresh workers."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = {
        "bind": address,
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 30,
        "max_requests": 20_000,
        "max_requests_jitter": 2000,
        "loglevel": "warning",
        "proc_name": "loglake-dashboard",
    }
    if certificate:
        options |= {"certfile": certificate[0], "keyfile": certificate[1]}
    Server(make_app, options).run()


def reached_at(address: str) -> str:
    """Return the address that a browser can open: one that listens everywhere is reached by the machine's name."""
    found = urlsplit(address)
    if found.hostname not in EVERYWHERE:
        return address
    return urlunsplit(found._replace(netloc=f"{socket.getfqdn()}:{found.port}"))


def check_address(host: str, port: int, is_guarded: bool = False, is_encrypted: bool = False) -> None:
    """Raise unless `port` is free, and `host` is this machine's own or people log in over an encrypted connection."""
    if host not in LOOPBACK and not is_guarded:
        raise UsageError(
            f"--host must be one of {', '.join(LOOPBACK)} while nobody can log in; got {host!r}; "
            "run 'loglake users add NAME', or use an SSH tunnel"
        )
    if host not in LOOPBACK and not is_encrypted:
        raise UsageError(
            f"--host {host} must be served encrypted: give --certificate and --key, --proxies behind a load balancer "
            "that ends TLS, or --plain-http if nobody can listen in"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LoglakeError(
                f"--port must be free: {port} on {host} can't be bound ({error.strerror}); "
                f"try 'loglake dashboard --port {port + 1}'"
            ) from error
