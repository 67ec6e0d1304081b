"""Running the MultiLangDaemon: start it, turn its log lines into ours, stop it cleanly."""

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from catalog import kcl as jars
from catalog.live_feed import Feed, LiveError
from consumer import kcl
from consumer.errors import ConsumerError
from consumer.run import HEALTH_SECONDS, Names, Say, clients, write_health
from consumer.words import SAID

STOP_SECONDS = 60.0
_VARYING = re.compile(r"[0-9a-f-]{8,}|\d+")
_QUIET = ("DiagnosticEventLogger", "MessageReader", "MessageWriter")


def run(
    names: Names,
    stop: threading.Event,
    say: Say,
    options: kcl.Options,
    health_file: Path | None,
    environment: Mapping[str, str],
) -> None:
    """Run the daemon until `stop` is set, then let it checkpoint and end. Raise `ConsumerError` when it ends itself."""
    java = kcl.find_java(environment)
    found = jars.jars()
    if java is None or not found:
        raise ConsumerError(f"--engine kcl can't run here: {kcl.what_is_missing(environment)}")
    with tempfile.TemporaryDirectory(prefix="loglake-kcl-") as scratch:
        generated = kcl.properties(names, options, environment, time.time())
        files = kcl.write_files(options.work_dir or Path(scratch), generated)
        daemon = subprocess.Popen(
            kcl.command(java, found, files, "kinesisEndpoint" in generated),
            env={**environment, **_for_workers(names)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us, who then end it in order
        )
        assert daemon.stdout is not None
        lines = Lines(say)
        reader = threading.Thread(target=lines.read, args=(daemon.stdout,), daemon=True)
        reader.start()
        try:
            _watch(daemon, names, stop, health_file)
        finally:
            _end(daemon)
            reader.join(timeout=10)
        if not stop.is_set():
            raise ConsumerError(
                f"the MultiLangDaemon ended with {daemon.returncode}: {lines.last_trouble or 'no reason'}"
            )


def _for_workers(names: Names) -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    return {"LOGLAKE_LIVE_TABLE": names.table, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _watch(daemon: "subprocess.Popen[bytes]", names: Names, stop: threading.Event, health_file: Path | None) -> None:
    """Wait for the daemon's end or ours; write the health file meanwhile, from what the workers write."""
    feed = Feed(clients()[1], names.table)
    while daemon.poll() is None and not stop.wait(HEALTH_SECONDS):
        try:
            state = feed.state()
        except LiveError:
            continue
        events = state.totals.get("events", 0)
        write_health(
            health_file, {"engine": "kcl", "shards": state.shards, "events": events, "lag_s": state.lag_seconds}
        )


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    """Ask the daemon to stop, which checkpoints every shard; end it by force when it does not."""
    if daemon.poll() is None:
        daemon.terminate()
    try:
        daemon.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


class Lines:
    """Reads the daemon's output: our workers' words as they are, its warnings and errors once each, the rest not."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._said: set[str] = set()
        self.last_trouble = ""

    def read(self, output: IO[bytes]) -> None:
        """Read until the output ends."""
        for raw in output:
            for text in self.translate(raw.decode("utf-8", "replace").rstrip()):
                self._say(text)

    def translate(self, line: str) -> list[str]:
        """Return what is to be said of a line."""
        if line.startswith(SAID):
            text = line.removeprefix(SAID)
            if text.startswith("failed: "):
                self.last_trouble = text.removeprefix("failed: ")
            return [text]
        parts = line.split("|", 3)
        if len(parts) != 4 or parts[0] != "KCL":
            return self._trouble(line) if line.startswith(("Exception", "Error", "Caused by")) else []
        _, level, logger, text = parts
        if level not in ("WARN", "ERROR") or logger in _QUIET or SAID in text:  # our own words come by themselves too
            return []
        return self._trouble(f"{logger}: {text}")

    def _trouble(self, text: str) -> list[str]:
        kind = _VARYING.sub("#", text)[:120]
        self.last_trouble = self.last_trouble or text[:300]
        if kind in self._said:
            return []
        self._said.add(kind)
        return [f"KCL: {text[:300]} (said once)"]
