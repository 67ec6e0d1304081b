"""The last minutes of the cube from the live counters: each minute is taken from one side of the seam, whole.

What lies before the seam is the rollup's alone, what lies behind it the live counters' alone, so nothing counts twice.
The seam keeps some distance from where the lake is complete to: what arrived there may still be on its way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from catalog.live import COUNTED_SECONDS, NO_STATUS, OTHER, Counts
from catalog.live_feed import Feed, LiveError, State
from dashboard.blocks import schema
from dashboard.columns import Columns, from_table
from dashboard.cube import Cube
from dashboard.statements import COUNTS, LATENCY

DISTANCE_SECONDS = 180
"""Twice a buffer interval of the delivery stream and some: what arrived longer ago than this is delivered."""
COARSEST_SECONDS = 300


def live_cube(cube: Cube, feed: Feed | None, services: Sequence[str] = ()) -> tuple[Cube, float | None]:
    """Return the cube with its last minutes live, of `services` alone when there are any, and where the seam lies.

    The cube as it is, and None, when it does not reach the present, or nothing live can be had.
    """
    if feed is None or cube.is_filtered:
        return cube, None
    try:
        state = feed.state()
        seam = seam_of(cube, state)
        if seam is None:
            return cube, None
        slots = {start: counts.where(services) for start, counts in feed.counts(seam).items()}
    except LiveError:
        return cube, None
    return joined(cube, slots, seam, state.read_to), seam


def seam_of(cube: Cube, state: State) -> float | None:
    """Return the minute from which the live counters speak, as epoch seconds; None when they have nothing to add."""
    grain = max(cube.grains.values(), default=60)
    if state.word in ("none", "stopped") or grain > COARSEST_SECONDS:
        return None
    complete = cube.complete_to.timestamp() if cube.complete_to else 0.0
    seam = (complete - DISTANCE_SECONDS) // grain * grain
    earliest = -(-max(state.covered_from, state.read_to - COUNTED_SECONDS + grain) // grain) * grain
    seam = max(seam, earliest)
    is_present = cube.window.start.timestamp() <= seam < cube.window.end.timestamp() and seam < state.read_to
    return seam if is_present and complete < state.read_to else None


def joined(cube: Cube, slots: Mapping[int, Counts], seam: float, read_to: float) -> Cube:
    """Return the cube with everything from the seam on replaced by the live counters."""
    end = cube.window.end.timestamp()
    behind = {start: counts for start, counts in slots.items() if seam <= start < end}
    columns = dict(cube.columns)
    columns[COUNTS] = _replaced(columns[COUNTS], seam, _counts(behind, cube.grains.get(COUNTS, 60)))
    columns[LATENCY] = _replaced(columns[LATENCY], seam, _latency(behind, cube.grains.get(LATENCY, 60)))
    return replace(cube, columns=columns, complete_to=datetime.fromtimestamp(read_to, UTC))


def _replaced(columns: Columns, seam: float, behind: Columns) -> Columns:
    return columns.taken(slice(int(np.searchsorted(columns["slot"], seam)))).followed_by(behind)


def _counts(slots: Mapping[int, Counts], grain: int) -> Columns:
    total: Counter[tuple[int, str, str, str]] = Counter()
    for start, counts in slots.items():
        for key, count in counts.events.items():
            total[start // grain * grain, *key] += count
    return _columns(
        COUNTS,
        [
            (slot, service, level, None if status in (NO_STATUS, OTHER) else status, count, 0)
            for (slot, service, level, status), count in total.items()
        ],
    )


def _latency(slots: Mapping[int, Counts], grain: int) -> Columns:
    total: Counter[tuple[int, str, int]] = Counter()
    for start, counts in slots.items():
        for service, histogram in counts.latencies.items():
            for bucket, count in histogram.items():
                total[start // grain * grain, service, bucket] += count
    return _columns(LATENCY, [(*key, count) for key, count in total.items()])


def _columns(name: str, rows: Sequence[tuple[object, ...]]) -> Columns:
    """Return rows as the columns of a rollup, in the order in which `statements.COLUMNS` has them."""
    types = schema(name)
    by_column = list(zip(*rows, strict=True)) or [()] * len(types)
    return from_table(
        pa.table([pa.array(values, kind) for values, kind in zip(by_column, types.types, strict=True)], types)
    )
