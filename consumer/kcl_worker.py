"""What the MultiLangDaemon runs for each shard it holds: `python -m consumer.kcl_worker`, spoken to over stdin.

Standard output belongs to the daemon's protocol: everything said goes to standard error, which the daemon passes on.
"""

import base64
import os
import sys
import time
from typing import Any

from amazon_kclpy import kcl
from amazon_kclpy.checkpoint_error import CheckpointError
from amazon_kclpy.v3 import processor

from catalog.live import Head
from catalog.masking import masking_from
from consumer.errors import ConsumerError
from consumer.poll import count_page
from consumer.records import Record
from consumer.run import clients
from consumer.shard import Shard, Stored
from consumer.store import Store
from consumer.words import SAID

CHECKPOINT_SECONDS = 2.0
HEARTBEAT_SECONDS = 2.0


def say(text: str) -> None:
    """Say a line to whoever runs the daemon."""
    print(f"{SAID}{text}", file=sys.stderr, flush=True)


class LiveProcessor(processor.RecordProcessorBase):  # type: ignore[misc]
    """Counts one shard into the live table, and checkpoints what is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._masking, wrong = masking_from(os.environ)
        if wrong:
            say(f"LOGLAKE_MASKING: {wrong}")
        self._shard: Shard | None = None
        self._written_at = self._checkpointed_at = 0.0

    def initialize(self, started: Any) -> None:
        """Take a shard over, from whoever had it before."""
        with ending_on_failure():
            stored = self._store.load(started.shard_id)
            if stored is None:
                stored = Stored(Head(started.shard_id, covered_from=self._covered_from(str(started.sequence_number))))
            self._shard = Shard(started.shard_id, stored, self._masking, time.time())
            say(f"{started.shard_id} from {started.sequence_number}")

    def process_records(self, given: Any) -> None:
        """Count records, write what they add up to, then checkpoint."""
        assert self._shard is not None
        with ending_on_failure():
            now = time.time()
            count_page(self._shard, [_record(each) for each in given.records], say)
            self._shard.read_until(now - (given.millis_behind_latest or 0) / 1000)
            if given.records or now - self._written_at >= HEARTBEAT_SECONDS:
                self._store.write(self._shard)
                self._written_at = now
            if given.records and now - self._checkpointed_at >= CHECKPOINT_SECONDS:
                self._checkpoint(given.checkpointer)

    def lease_lost(self, lost: Any) -> None:
        """Another worker has the shard: it reads on from our checkpoint, and what we wrote it does not count again."""
        say(f"{self._name} went to another worker")

    def shard_ended(self, ended: Any) -> None:
        """The shard was split or merged and is read to its end: its children follow."""
        assert self._shard is not None
        with ending_on_failure():
            self._shard.ended = True
            self._store.write(self._shard)
            self._checkpoint(ended.checkpointer)
            say(f"{self._name} is read to its end; its children follow")

    def shutdown_requested(self, asked: Any) -> None:
        """The worker is stopping: write and checkpoint all that was read."""
        if self._shard is not None:
            with ending_on_failure():
                self._store.write(self._shard)
                self._checkpoint(asked.checkpointer)
                say(f"{self._name} is checkpointed")

    @property
    def _name(self) -> str:
        return self._shard.id if self._shard else "a shard"

    def _covered_from(self, position: str) -> float:
        if position != "TRIM_HORIZON":
            return time.time()
        ended = [head.covered_from for head in self._store.heads().values() if head.ended]
        return max(ended, default=time.time())

    def _checkpoint(self, checkpointer: Any) -> None:
        for pause in (0.2, 0.5, 1.0, 2.0, 0.0):
            try:
                checkpointer.checkpoint()
                self._checkpointed_at = time.time()
                return
            except CheckpointError as error:
                if "Throttling" not in str(error) or not pause:
                    say(f"{self._name}: no checkpoint ({error}); what is read again is not counted again")
                    return
                time.sleep(pause)


class ending_on_failure:
    """End this process on any failure: kclpy would swallow it, and go on as if the records had been counted."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is not None:
            say(f"failed: {error if isinstance(error, ConsumerError) else f'{type(error).__name__}: {error}'}")
            os._exit(1)


def _record(given: Any) -> Record:
    data = base64.b64decode(given.data)
    return Record(str(given.sequence_number), given.timestamp_millis, data, int(given.sub_sequence_number or 0))


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def main() -> None:
    """Speak with the daemon until it closes the conversation."""
    _, dynamodb = clients()
    kcl.KCLProcess(LiveProcessor(Store(dynamodb, os.environ["LOGLAKE_LIVE_TABLE"], say, _wait))).run()


if __name__ == "__main__":
    main()
