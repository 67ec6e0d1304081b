"""Running an engine: its clients, its health file, what it says now and then."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.masking import masking_from

Say = Callable[[str], None]
HEALTH_SECONDS = 2.0
REPORT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Names:
    """What the consumer reads and writes."""

    stream: str
    table: str
    region: str


def clients() -> tuple[Any, Any]:
    """Return clients of Kinesis and DynamoDB that a thread per shard may use at once."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=64,
        connect_timeout=5,
        read_timeout=30,
        parameter_validation=False,
    )
    session = boto3.session.Session()
    return session.client("kinesis", config=config), session.client("dynamodb", config=config)


def poll(
    names: Names, stop: threading.Event, say: Say, start: str, health_file: Path | None, environment: Mapping[str, str]
) -> None:
    """Run the poll engine until `stop` is set."""
    from consumer.poll import PollEngine
    from consumer.store import Store
    from consumer.stream import Stream

    kinesis, dynamodb = clients()
    masking, wrong = masking_from(environment)
    if wrong:
        say(f"LOGLAKE_MASKING: {wrong}")
    store = Store(dynamodb, names.table, say, stop.wait)
    engine = PollEngine(Stream(kinesis, names.stream, say, stop.wait), store, stop, say, start, masking)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(engine, stop, done, health_file, say), daemon=True)
    watcher.start()
    try:
        engine.run()
    finally:
        done.set()
        watcher.join()


def _watch(engine: Any, stop: threading.Event, done: threading.Event, health_file: Path | None, say: Say) -> None:
    """Write the health file, and say now and then what was read; wake the engine when it is to stop."""
    before, reported_at = 0, time.monotonic()
    while not done.wait(HEALTH_SECONDS if not stop.is_set() else 0.2):
        if stop.is_set():
            engine.wake()
        progress, now = engine.progress, time.time()
        lag = max((now - read_to for read_to in [*progress.read_to.values()]), default=0.0)
        write_health(
            health_file, {"engine": "poll", "shards": progress.shards, "events": progress.events, "lag_s": lag}
        )
        seconds = time.monotonic() - reported_at
        if seconds >= REPORT_SECONDS:
            rate = (progress.events - before) / seconds
            say(f"{progress.events:,} events so far, {rate:,.0f}/s from {progress.shards} shards, {lag:.1f} s behind")
            before, reported_at = progress.events, time.monotonic()


def write_health(path: Path | None, facts: Mapping[str, Any]) -> None:
    """Write how the consumer is, whole or not at all; a full disk is no reason to stop."""
    if path is None:
        return
    content = json.dumps({**facts, "pid": os.getpid(), "written_at": round(time.time(), 3)})
    try:
        draft = path.with_suffix(path.suffix + ".new")
        draft.write_text(content, encoding="utf-8")
        draft.replace(path)
    except OSError:
        return
