"""The sinks that talk to AWS, opened."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

from catalog.errors import UsageError
from catalog.settings import Settings
from producer import aws
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.delivery import WORKERS, Delivery, Patience
from producer.ledger import Ledger
from producer.plan import Plan
from producer.shards import ShardMap
from producer.sinks.firehose import firehose_sink
from producer.sinks.kinesis import kinesis_sink
from producer.sinks.sink import Sink
from producer.throttling import ShardPace

_REFRESH_S = 30.0
_RESHARDED_S = 1.0


def open_stream_sink(
    plan: Plan, settings: Settings, counts: Counts, dead_letters: DeadLetters, ledger: Ledger | None
) -> Sink:
    """Return the sink of a stream or a delivery stream; raise `LoglakeError` when it is not there."""
    patience = Patience(plan.retry_for, plan.max_age or float("inf"))
    client = aws.client(plan.to, calls_at_once=WORKERS + 1)
    if plan.to == "firehose":
        put = aws.firehose_put(client, plan.delivery_stream or settings.delivery_stream)
        return firehose_sink(Delivery(put, counts, dead_letters, ledger, patience))
    stream = plan.stream or settings.stream
    if not stream:
        raise UsageError("--to kinesis needs a stack in stream mode, or --stream; this stack takes --to firehose")
    return _open_kinesis(client, stream, counts, dead_letters, ledger, patience)


def _open_kinesis(
    client: Any,
    stream: str,
    counts: Counts,
    dead_letters: DeadLetters,
    ledger: Ledger | None,
    patience: Patience,
) -> Sink:
    shard_map = ShardMap(aws.list_shards(client, stream), Random())

    def refresh() -> None:
        shard_map.replace(aws.list_shards(client, stream))

    refresh_now = throttled(refresh, _RESHARDED_S)

    def on_shards(shard_ids: set[str]) -> None:
        """A shard that the map does not know has come by a split or a merge."""
        if not shard_map.knows(shard_ids):
            refresh_now()

    put = aws.kinesis_put(client, stream, on_shards)
    pace = ShardPace(shard_map.shard_of)
    delivery = Delivery(put, counts, dead_letters, ledger, patience, throttled(refresh, _REFRESH_S), pace)
    return kinesis_sink(delivery, shard_map)


def throttled(action: Callable[[], None], every_s: float) -> Callable[[], None]:
    """Return `action` made to run at most every `every_s` seconds, and not in the first; its errors are ignored."""
    last = time.monotonic()

    def run() -> None:
        nonlocal last
        if time.monotonic() - last < every_s:
            return
        last = time.monotonic()
        try:
            action()
        except Exception:  # the old map still works: a wrong guess costs balance, not events
            return

    return run
