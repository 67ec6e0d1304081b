import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.counting import Kind
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.delivery import Delivery, Patience
from producer.events import Block
from producer.record import Record
from producer.sinks import firehose
from producer.sinks.batching import BatchingSink

SMALL = dataclasses.replace(
    firehose.LIMITS, target_bytes=100, record_events=4, event_bytes=120, call_records=3, call_bytes=600
)
EVENTS = st.lists(st.tuples(st.integers(1, 150), st.sampled_from([Kind.GOOD, Kind.UNREADABLE])), max_size=30)


def block_of(events: Sequence[tuple[int, Kind]], first: int) -> Block:
    payloads = [b"%d:" % (first + place) + b"x" * size for place, (size, _) in enumerate(events)]
    return Block(
        payloads, np.zeros(len(events), dtype=np.int64), np.array([kind for _, kind in events], dtype=np.int64)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(EVENTS, max_size=4))
def test_every_event_leaves_once_within_every_limit(blocks: list[list[tuple[int, Kind]]]) -> None:
    calls: list[list[Record]] = []

    def put(records: Sequence[Record]) -> list[str | None]:
        calls.append(list(records))
        return [None] * len(records)

    with tempfile.TemporaryDirectory() as folder:
        counts, dead_letters = Counts(), DeadLetters(Path(folder) / "dead")
        delivery = Delivery(put, counts, dead_letters, None, Patience(1), workers=1)
        sink = BatchingSink(delivery, SMALL, lambda payloads: (b"\n".join(payloads) + b"\n", ""), apart=True)
        given_blocks = [block_of(events, number * 100) for number, events in enumerate(blocks)]
        for block in given_blocks:
            sink.write(block)
        sink.close(10)
    sizes = [len(payload) for block in given_blocks for payload in block.payloads]
    too_large = sum(size > SMALL.event_bytes for size in sizes)
    sent = [payload for records in calls for record in records for payload in record.payloads]
    assert sent == [p for block in given_blocks for p in block.payloads if len(p) <= SMALL.event_bytes]
    assert (counts.acknowledged, counts.failed) == (len(sizes) - too_large, too_large)
    for records in calls:
        assert len(records) <= SMALL.call_records
        assert sum(len(record.data) for record in records) <= SMALL.call_bytes
        for record in records:
            assert len(record.payloads) <= SMALL.record_events
            assert len(record.payloads) == 1 or len(record.data) <= SMALL.target_bytes
            assert len(record.payloads) == 1 or Kind.UNREADABLE not in record.keys
            assert len(record.keys) == len(record.payloads)


def test_a_firehose_record_is_lines() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stored: list[bytes] = []

        def put(records: Sequence[Record]) -> list[str | None]:
            stored.extend(record.data for record in records)
            return [None] * len(records)

        sink = firehose.firehose_sink(Delivery(put, Counts(), DeadLetters(Path(folder) / "dead"), None, Patience(1)))
        sink.write(block_of([(3, Kind.GOOD), (4, Kind.GOOD)], 0))
        sink.close(10)
    assert stored == [b"0:xxx\n1:xxxx\n"]
