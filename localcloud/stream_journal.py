"""Records of Kinesis streams on disk, so that a stream's readers find them again after a restart, also after kill -9.

What is kept is what the emulator keeps in memory: a window of a quarter of an hour and of some megabytes. A put is
acknowledged after its records are here.
"""

import base64
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.delivery.record import Record, decode, encode
from localcloud.delivery.spool import Spool
from localcloud.retention import RECORD_WINDOW_BYTES, RECORD_WINDOW_SECONDS, put_back

SEGMENT_BYTES = 8 * 1024 * 1024
_READ_BYTES = 4 * 1024 * 1024


class StreamJournal:
    """One log for all streams; `put` before a put is answered, `restore` once, when the streams are there again."""

    def __init__(self, folder: Path) -> None:
        self._spool = Spool(folder, segment_bytes=SEGMENT_BYTES)
        self._earlier_end = self._spool.end

    @contextmanager
    def put(self, stream_arn: str, records: Sequence[tuple[str, bytes, str, str]]) -> Iterator[None]:
        """Keep (partition key, data, shard id, sequence number), unless the block raises.

        Raise `SpoolFull` or `OSError` if they can't be kept.
        """
        now_ms = int(time.time() * 1000)
        with self._spool.holding(
            [encode(Record(now_ms, data, key, number, f"{stream_arn}/{shard}")) for key, data, shard, number in records]
        ):
            yield
        self._spool.release(self._spool.end - RECORD_WINDOW_BYTES)

    def restore(self) -> int:
        """Give the streams that still exist their records of the window back, and return how many those were."""
        oldest_ms = (time.time() - RECORD_WINDOW_SECONDS) * 1000
        found: dict[str, list[dict[str, Any]]] = {}
        offset = self._spool.start
        while offset < self._earlier_end:
            payloads, offset = self._spool.read(offset, min(_READ_BYTES, self._earlier_end - offset))
            if not payloads:
                break
            for record in map(decode, payloads):
                if record.arrival_ms >= oldest_ms:
                    found.setdefault(record.shard_id, []).append(_as_kept(record))
        places = ((place.rpartition("/"), records) for place, records in found.items())
        return sum(put_back(stream_arn, shard, records) for (stream_arn, _, shard), records in places)


def _as_kept(record: Record) -> dict[str, Any]:
    """Return a record as the emulator keeps it."""
    return {
        "SequenceNumber": record.sequence_number,
        "ApproximateArrivalTimestamp": round(record.arrival_ms / 1000, 3),
        "Data": base64.b64encode(record.data).decode(),
        "PartitionKey": record.partition_key,
    }
