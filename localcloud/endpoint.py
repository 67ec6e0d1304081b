"""The endpoint process: one listener on 127.0.0.1, the emulator behind, the engines in front."""

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from catalog.errors import LoglakeError
from localcloud import emulator, retention, snapshots
from localcloud.clients import Clients
from localcloud.data_dir import DataDir
from localcloud.engine import Context, Engine, Operation
from localcloud.engines import build_engines
from localcloud.gate import Gate
from localcloud.object_reads import ObjectReads

HOST = "127.0.0.1"
REGION = "us-east-1"
WORKERS = 32
logger = logging.getLogger(__name__)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback, on a free port for 0; raise `LoglakeError` if it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LoglakeError(
            f"the endpoint's port must be free, {HOST}:{port}; got {error.strerror!r}; "
            "run 'loglake down' if it is ours, or give another --port"
        ) from error
    return listener


class Endpoint:
    """The endpoint of one data directory; `run` serves until SIGTERM or SIGINT."""

    def __init__(self, data_dir: DataDir, listener: socket.socket, job_interval_seconds: float | None = None) -> None:
        self._data_dir = data_dir
        self._listener = listener
        self._job_interval_seconds = job_interval_seconds
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self._started = time.time()
        self._engines: tuple[Engine, ...] = ()
        self._ready = threading.Event()
        self._catalog_changes = 0
        self._clients = Clients(self.url, REGION)
        self._snapshots = snapshots.Snapshots(data_dir.state, _states)

    def run(self) -> None:
        """Serve; returns after a clean stop, when everything acknowledged is on disk."""
        application = emulator.load()
        self._engines = build_engines(self._context())
        asyncio.run(self._serve(application))

    def health(self) -> dict[str, Any]:
        """Return what `/_loglake/health` answers: `ready` once the engines run, and each engine's own status."""
        return {
            "ready": self._ready.is_set(),
            "pid": os.getpid(),
            "url": self.url,
            "data_dir": str(self._data_dir.root),
            "uptime_seconds": round(time.time() - self._started, 3),
            "engines": {engine.name: _status(engine) for engine in self._engines},
        }

    def _context(self) -> Context:
        return Context(
            client=self._clients,
            upstream=Clients(self.url, REGION, bypass=True),
            data_dir=self._data_dir.engines,
            endpoint_url=self.url,
            region=REGION,
            job_interval_seconds=self._job_interval_seconds,
            catalog_changes=lambda: self._catalog_changes,
        )

    async def _serve(self, application: Any) -> None:
        from hypercorn.asyncio import serve

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="operation") as executor:
            gate = Gate(
                ObjectReads(application, executor),
                _operations(self._engines),
                executor=executor,
                health=self.health,
                on_request=self._note,
            )
            serving = asyncio.create_task(serve(gate, self._config(), shutdown_trigger=stop.wait))  # type: ignore[arg-type]
            starting = asyncio.create_task(asyncio.to_thread(self._start))
            await asyncio.wait((serving, starting), return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await starting
                await stop.wait()
                await asyncio.to_thread(self._stop)
            await serving

    def _config(self) -> Any:
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"fd://{self._listener.fileno()}"]
        config.keep_alive_timeout = 75
        config.h11_max_incomplete_size = 64 * 1024
        config.graceful_timeout = 2.0
        config.loglevel = "WARNING"
        return config

    def _note(self, scope: Any, headers: Any) -> None:
        if snapshots.changes_state(scope, headers):
            self._snapshots.mark()
            target = headers.get(b"x-amz-target", b"AWSGlue.")  # a request of CloudFormation's has none
            self._catalog_changes += target.startswith(b"AWSGlue.")

    def _start(self) -> None:
        """Start the engines once requests are answered: they call this very endpoint."""
        _wait_until_answering(self.url)
        self._snapshots.start()
        for engine in self._engines:
            engine.start()
        self._data_dir.announce(self.url)
        self._ready.set()
        print(f"endpoint ready at {self.url}, data in {self._data_dir.root}", flush=True)
        gc.collect()
        gc.freeze()  # what was loaded stays: no collection need walk through it for the garbage of a request
        self._clients("s3")  # its model takes half a second to read: the first delivered object would wait for that

    def _stop(self) -> None:
        self._ready.clear()
        self._data_dir.retract()
        for engine in reversed(self._engines):
            try:
                engine.stop()
            except Exception:
                logger.exception("engine %s did not stop cleanly", engine.name)
        self._snapshots.stop()


def _states() -> dict[str, bytes]:
    retention.tidy()
    return emulator.states()


def _operations(engines: Sequence[Engine]) -> dict[str, Operation]:
    return {target: operation for engine in engines for target, operation in engine.operations.items()}


def _status(engine: Engine) -> Any:
    """Return an engine's own status, or its failure to give one: one engine's trouble hides no other's."""
    status = getattr(engine, "status", None)
    try:
        return status() if status else {}
    except Exception as error:
        logger.exception("engine %s can't tell its status", engine.name)
        return {"error": f"{type(error).__name__}: {error}"}


def _wait_until_answering(url: str) -> None:
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))
    while True:
        try:
            opener.open(f"{url}/_loglake/health", timeout=60).close()
            return
        except OSError:
            time.sleep(0.05)
