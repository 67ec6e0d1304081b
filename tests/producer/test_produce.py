from collections import Counter

import numpy as np

from producer import counting
from producer.events import Generator
from producer.produce import DAY_MS, daily_history, thinned_history

DAY = 1_795_219_200_000  # 2026-11-21


def test_each_service_gets_exactly_the_entries_asked_on_each_day() -> None:
    counts: Counter[tuple[int, int]] = Counter()
    for block in daily_history(Generator(1), DAY, 2, 250):
        for key in block.keys.tolist():
            minute, service, _, _ = counting.unpack(key)
            counts[minute * 60_000 // DAY_MS * DAY_MS, service] += 1
    assert counts == {(day, service): 250 for day in (DAY, DAY + DAY_MS) for service in range(6)}


def test_a_thinned_past_has_the_events_asked_within_its_time_and_in_order() -> None:
    blocks = list(thinned_history(Generator(1), DAY, DAY + DAY_MS, 10_000))
    due = np.concatenate([block.due_ms for block in blocks])
    assert sum(len(block.payloads) for block in blocks) == len(due) == 10_000
    assert (np.diff(due) >= 0).all()
    assert due[0] >= DAY
    assert DAY + DAY_MS - 600_000 < due[-1] <= DAY + DAY_MS
