"""The cube: what the rollup said about a window and the one before it, and every slice the charts take of it.

Columns in, frames and numbers out; nothing here asks anybody. Slots are epoch seconds, UTC. A slot without rows is
missing, not zero: it stays out of the result, or is NaN where a line must break.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from catalog.latency import middle_of
from catalog.schema import LEVELS
from dashboard.columns import Columns, Texts
from dashboard.statements import COUNTS, ENDPOINTS, LATENCY
from dashboard.timerange import Window
from dashboard.view import View

ERROR_LEVELS = ("ERROR", "CRITICAL")
STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Cube:
    """Columns by kind, each of `window` and its previous one, and the grain each was asked at."""

    window: Window
    columns: Mapping[str, Columns]
    grains: Mapping[str, int] = field(default_factory=dict)
    complete_to: datetime | None = None
    is_filtered: bool = False
    """Whether the counts were taken from rows that a search or facet already chose."""
    compare_from: datetime | None = None
    """Events before it are a sample: a previous window that begins earlier is as good as empty."""

    @property
    def services(self) -> list[str]:
        """Every service seen in either window, by name."""
        return self.columns[COUNTS].texts["service"].seen

    @property
    def is_comparable(self) -> bool:
        """Whether the window before holds all of its events, and not a sample."""
        return self.compare_from is None or self.window.previous.start >= self.compare_from

    def rows(self, kind: str, window: Window, view: View | None = None) -> Columns:
        """Return the rows of a window, and of a view's services, levels and facets where the kind has such columns."""
        columns = self.columns[kind]
        rows = columns.taken(slice(*np.searchsorted(columns["slot"], (_floor(window), window.end.timestamp()))))
        if window == self.window.previous and not self.is_comparable:
            rows = columns.taken(slice(0))
        chosen = (("service", view.services), ("level", view.levels)) if view else ()
        masks = [rows.texts[name].places(wanted) >= 0 for name, wanted in chosen if wanted and name in rows.texts]
        facets = view.facets if view else {}
        masks += [_facet_mask(rows.texts[name], values) for name, values in facets.items() if name in rows.texts]
        return rows.taken(np.logical_and.reduce(masks)) if masks else rows


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number of a window, the same of the window before, and its course; None where there is no data."""

    name: str
    value: float | None
    previous: float | None
    series: tuple[float, ...] = ()

    @property
    def change(self) -> float | None:
        """The relative change; None without both numbers, or from zero."""
        if self.value is None or not self.previous:
            return None
        return self.value / self.previous - 1


@dataclass(frozen=True, slots=True)
class Bars:
    """Courses over the bars of a window: `slots` are the bars' starts, a bar without data is NaN."""

    slots: np.ndarray
    courses: Mapping[Any, np.ndarray]

    def __getitem__(self, name: str | float) -> np.ndarray:
        return self.courses[name]

    @property
    def step(self) -> int:
        """The seconds of a bar."""
        return int(self.slots[1] - self.slots[0]) if len(self.slots) > 1 else 60

    @property
    def is_empty(self) -> bool:
        """Whether there is no data in any bar."""
        return all(bool(np.isnan(values).all()) for values in self.courses.values())


def step_seconds(window: Window, bars: int = 120, grain: int = 60) -> int:
    """Return the seconds of a bar: the shortest round step that needs at most `bars` of them."""
    wanted = window.span.total_seconds() / bars
    return next((step for step in STEPS if step >= max(wanted, grain)), STEPS[-1])


def volume(cube: Cube, view: View, step: int | None = None) -> pd.DataFrame:
    """Return events per bar and level: index slot, one column per level that occurs, least severe first."""
    name = counting(cube, view)
    step = step or step_seconds(cube.window, grain=cube.grains.get(name, 60))
    rows = cube.rows(name, cube.window, view)
    slots, place = np.unique(rows["slot"] // step * step, return_inverse=True)
    levels = rows.texts["level"].places(LEVELS)
    known = levels >= 0
    cells = np.bincount(levels[known] * len(slots) + place[known], rows["events"][known], len(LEVELS) * len(slots))
    seen = np.bincount(levels[known], minlength=len(LEVELS)) > 0
    table = cells.astype("int64").reshape(len(LEVELS), len(slots))[seen].T
    columns = [level for level, is_there in zip(LEVELS, seen, strict=True) if is_there]
    return pd.DataFrame(table, index=pd.Index(slots, name="slot"), columns=columns)


def error_rate(cube: Cube, view: View, window: Window | None = None, step: int | None = None) -> Bars:
    """Return the courses `events`, `errors` and `rate`, their ratio."""
    window = window or cube.window
    step = step or step_seconds(window, 60, cube.grains.get(COUNTS, 60))
    rows = cube.rows(COUNTS, window, View(services=view.services, facets=countable(view)))
    return rates_of(rows, window, step)


def quantile_lines(cube: Cube, view: View, window: Window | None = None, step: int | None = None) -> Bars:
    """Return the courses of response-time quantiles in milliseconds: 0.5, 0.95 and 0.99."""
    window = window or cube.window
    step = step or step_seconds(window, 60, cube.grains.get(LATENCY, 60))
    rows = cube.rows(LATENCY, window, View(services=view.services))
    slots = slots_of(window, step)
    place = ((rows["slot"] - slots[0]) // step).clip(0, len(slots) - 1)
    return Bars(slots, dict(zip(QUANTILES, quantiles_by(place, len(slots), rows, QUANTILES), strict=True)))


def heat(cube: Cube, view: View, rows_per_decade: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slots, milliseconds (ascending, log-spaced) and the events of each cell: a latency heatmap."""
    step = step_seconds(cube.window, 60, cube.grains.get(LATENCY, 60))
    rows = cube.rows(LATENCY, cube.window, View(services=view.services))
    slots = slots_of(cube.window, step)
    if not len(rows):
        return slots, np.array([1.0]), np.zeros((1, len(slots)))
    decade = np.floor(np.log10(_middles(rows["bucket"])) * rows_per_decade).astype(int)
    low, high = decade.min(), decade.max()
    cells = np.zeros((high - low + 1, len(slots)))
    place = ((rows["slot"] - slots[0]) // step).clip(0, len(slots) - 1)
    np.add.at(cells, (decade - low, place), rows["events"])
    return slots, 10 ** ((np.arange(low, high + 1) + 0.5) / rows_per_decade), cells


def quantile(rows: Columns, wanted: float) -> float | None:
    """Return the milliseconds below which a share of the events of latency rows lies; None when there are none."""
    return _known(quantiles_by(_one_group(rows), 1, rows, (wanted,))[0, 0])


def kpis(cube: Cube, view: View) -> tuple[Kpi, ...]:
    """Return the tiles: events, errors, error rate and three quantiles, each beside the previous window's."""
    now, before = cube.window, cube.window.previous
    whole = View(services=view.services, facets=countable(view))
    counts, earlier = (cube.rows(COUNTS, window, view) for window in (now, before))
    every, every_before = (cube.rows(COUNTS, window, whole) for window in (now, before))
    step = step_seconds(now, 60, cube.grains.get(COUNTS, 60))
    events, rates = (rates_of(rows, now, step) for rows in (counts, every))
    latency, earlier_latency = (cube.rows(LATENCY, window, whole) for window in (now, before))
    quantiles, previous = (
        quantiles_by(_one_group(rows), 1, rows, QUANTILES)[:, 0] for rows in (latency, earlier_latency)
    )
    lines = quantile_lines(cube, view)
    return (
        Kpi("events", total_events(counts), total_events(earlier), tuple(events["events"].tolist())),
        Kpi("errors", total_errors(every), total_errors(every_before), tuple(rates["errors"].tolist())),
        Kpi("error_rate", error_share(every), error_share(every_before), tuple(rates["rate"].tolist())),
        *(
            Kpi(f"p{wanted * 100:.0f}", _known(value), _known(earlier), tuple(lines[wanted].tolist()))
            for wanted, value, earlier in zip(QUANTILES, quantiles, previous, strict=True)
        ),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def gaps(cube: Cube, step: int) -> list[tuple[int, int]]:
    """Return the stretches of the window, as epoch seconds, in which the rollup holds nothing at all."""
    seen = set((cube.rows(COUNTS, cube.window)["slot"] // step * step).tolist())
    found: list[tuple[int, int]] = []
    for slot in slots_of(cube.window, step):
        if slot in seen:
            continue
        if found and found[-1][1] == slot:
            found[-1] = (found[-1][0], int(slot) + step)
        else:
            found.append((int(slot), int(slot) + step))
    return found


def counting(cube: Cube, view: View) -> str:
    """Return the kind to count in: the one with endpoints only when a view filters by them, for it is coarser."""
    return ENDPOINTS if "endpoint" in view.facets and ENDPOINTS in cube.columns and not cube.is_filtered else COUNTS


def rates_of(rows: Columns, window: Window, step: int) -> Bars:
    """Return the courses `events`, `errors` and `rate` of rows that were cut already."""
    slots = slots_of(window, step)
    courses = rates_by(_one_group(rows), 1, rows, slots, step)
    return Bars(slots, {name: values[0] for name, values in courses.items()})


def _one_group(rows: Columns) -> np.ndarray:
    return np.zeros(len(rows), dtype="int64")


def rates_by(groups: np.ndarray, count: int, rows: Columns, slots: np.ndarray, step: int) -> dict[str, np.ndarray]:
    """Return `rates_of` for `count` groups of rows at once: shape (count, bars); `groups` holds each row's group."""
    place = groups * len(slots) + ((rows["slot"] - slots[0]) // step).clip(0, len(slots) - 1)
    counts, bad, size = rows["events"], _are_errors(rows), count * len(slots)
    seen = np.bincount(place, minlength=size) > 0
    events = np.where(seen, np.bincount(place, counts, size), np.nan)
    errors = np.where(seen, np.bincount(place[bad], counts[bad], size), np.nan)
    rate = np.divide(errors, events, out=np.full(size, np.nan), where=events > 0)
    told = {"events": events, "errors": errors, "rate": rate}
    return {name: values.reshape(count, len(slots)) for name, values in told.items()}


def quantiles_by(groups: np.ndarray, count: int, rows: Columns, wanted: Sequence[float]) -> np.ndarray:
    """Return the milliseconds below which shares of each group's events lie: shape (shares, groups), NaN for none."""
    if not len(rows):
        return np.full((len(wanted), count), np.nan)
    grid, lowest = _histograms(rows, groups, count)
    return np.stack([_quantile(grid, lowest, share) for share in wanted])


def _are_errors(rows: Columns) -> np.ndarray:
    return rows.texts["level"].places(ERROR_LEVELS) >= 0


def total_errors(rows: Columns) -> float | None:
    """Return the errors of rows; None of none at all."""
    return float(rows["events"][_are_errors(rows)].sum()) if len(rows) else None


def error_share(rows: Columns) -> float | None:
    """Return the share of errors in rows; None without events."""
    total = rows["events"].sum()
    return float((total_errors(rows) or 0.0) / total) if total else None


def total_events(rows: Columns) -> float | None:
    """Return the events of rows; None of none at all: missing is not zero."""
    return float(rows["events"].sum()) if len(rows) else None


def countable(view: View) -> Mapping[str, tuple[str, ...]]:
    """Return the facets of a view that the rollup can count by."""
    return {name: values for name, values in view.facets.items() if name in ("status_class", "endpoint")}


def _facet_mask(column: Texts, values: tuple[str, ...]) -> np.ndarray:
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    is_unwanted = column.places(unwanted) >= 0
    return (column.places(wanted) >= 0) & ~is_unwanted if wanted else ~is_unwanted


def _floor(window: Window) -> float:
    return window.start.timestamp() // 60 * 60


def slots_of(window: Window, step: int) -> np.ndarray:
    """Return the starts of a window's bars, as epoch seconds."""
    first = int(window.start.timestamp()) // step * step
    return np.arange(first, int(np.ceil(window.end.timestamp())), step)


def _histograms(rows: Columns, groups: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Return events per group and bucket as one matrix, and the bucket of its first column."""
    buckets = rows["bucket"]
    lowest, width = int(buckets.min()), int(buckets.max() - buckets.min()) + 1
    flat = np.bincount(groups * width + (buckets - lowest), rows["events"], count * width)
    return flat.reshape(count, width), lowest


def _quantile(grid: np.ndarray, lowest: int, wanted: float) -> np.ndarray:
    totals = grid.sum(axis=1)
    ranks = np.maximum(1, np.ceil(wanted * totals))
    column = (grid.cumsum(axis=1) >= ranks[:, None]).argmax(axis=1)
    return np.where(totals > 0, _middles(column + lowest), np.nan)


def _middles(buckets: np.ndarray) -> np.ndarray:
    return np.array([middle_of(int(bucket)) for bucket in np.unique(buckets)])[
        np.searchsorted(np.unique(buckets), buckets)
    ]
