"""The cube: what the rollup said about a window and the one before it, and every slice the charts take of it.

Frames in, frames and numbers out; nothing here asks anybody. Slots are epoch seconds, UTC. A slot without rows is
missing, not zero: it stays out of the result, or is NaN where a line must break.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from catalog.latency import middle_of
from catalog.schema import LEVELS
from dashboard.statements import COUNTS, ENDPOINTS, LATENCY
from dashboard.timerange import Window
from dashboard.view import View

ERROR_LEVELS = ("ERROR", "CRITICAL")
STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Cube:
    """Frames by kind, each of `window` and its previous one and sorted by slot, and the grain each was asked at."""

    window: Window
    frames: Mapping[str, pd.DataFrame]
    grains: Mapping[str, int] = field(default_factory=dict)
    complete_to: datetime | None = None
    is_filtered: bool = False
    """Whether the counts were taken from rows that a search or facet already chose."""

    def __post_init__(self) -> None:
        frames = {
            name: frame if frame["slot"].is_monotonic_increasing else frame.sort_values("slot", kind="stable")
            for name, frame in self.frames.items()
        }
        object.__setattr__(self, "frames", frames)

    @property
    def services(self) -> list[str]:
        """Every service seen in either window, by name."""
        return sorted(self.frames[COUNTS]["service"].dropna().unique()) if len(self.frames[COUNTS]) else []


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


def step_seconds(window: Window, bars: int = 120, grain: int = 60) -> int:
    """Return the seconds of a bar: the shortest round step that needs at most `bars` of them."""
    wanted = window.span.total_seconds() / bars
    return next((step for step in STEPS if step >= max(wanted, grain)), STEPS[-1])


def cut(frame: pd.DataFrame, window: Window, view: View | None = None) -> pd.DataFrame:
    """Return the rows of a window, and of a view's services, levels and facets where the frame has such columns.

    Without any of these it is a slice of the frame, not a copy: frames are sorted by slot.
    """
    first, last = np.searchsorted(frame["slot"].to_numpy(), (_floor(window), window.end.timestamp()))
    rows = frame.iloc[first:last]
    chosen = (("service", view.services), ("level", view.levels)) if view else ()
    masks = [places_of(rows[column], names) >= 0 for column, names in chosen if names and column in frame]
    facets = view.facets if view else {}
    masks += [_facet_mask(rows[column], values) for column, values in facets.items() if column in frame]
    return rows[np.logical_and.reduce(masks)] if masks else rows


def places_of(column: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Return for each row the place of its value among `names`, -1 for any other: fast, as columns are categorical."""
    values = column.astype("category").array
    places = {name: place for place, name in enumerate(names)}
    table = [*(places.get(name, -1) for name in values.categories.tolist()), -1]  # the last is for a missing value
    return np.asarray(np.array(table)[values.codes])


def volume(cube: Cube, view: View, step: int | None = None) -> pd.DataFrame:
    """Return events per bar and level: index slot, one column per level that occurs, least severe first."""
    name = counting(cube, view)
    step = step or step_seconds(cube.window, grain=cube.grains.get(name, 60))
    rows = cut(cube.frames[name], cube.window, view)
    slots, place = np.unique(rows["slot"].to_numpy("int64") // step * step, return_inverse=True)
    events = rows["events"].to_numpy("int64")
    levels = places_of(rows["level"], LEVELS)
    chosen = {level: levels == number for number, level in enumerate(LEVELS)}
    columns = {
        level: np.bincount(place[of], events[of], len(slots)).astype("int64")
        for level, of in chosen.items()
        if of.any()
    }
    return pd.DataFrame(columns, index=pd.Index(slots, name="slot"))


def error_rate(cube: Cube, view: View, window: Window | None = None, step: int | None = None) -> pd.DataFrame:
    """Return per bar: events, errors and their ratio; a bar without events is NaN."""
    window = window or cube.window
    step = step or step_seconds(window, 60, cube.grains.get(COUNTS, 60))
    rows = cut(cube.frames[COUNTS], window, View(services=view.services, facets=countable(view)))
    return rates_of(rows, window, step)


def quantile_lines(cube: Cube, view: View, window: Window | None = None, step: int | None = None) -> pd.DataFrame:
    """Return response-time quantiles in milliseconds per bar: index slot, columns 0.5, 0.95 and 0.99."""
    window = window or cube.window
    step = step or step_seconds(window, 60, cube.grains.get(LATENCY, 60))
    rows = cut(cube.frames[LATENCY], window, View(services=view.services))
    slots = slots_of(window, step)
    if rows.empty:
        return pd.DataFrame(np.nan, index=slots, columns=list(QUANTILES))
    place = ((rows["slot"].to_numpy() - slots[0]) // step).clip(0, len(slots) - 1)
    grid, lowest = _histograms(rows, place, len(slots))
    return pd.DataFrame({quantile: _quantile(grid, lowest, quantile) for quantile in QUANTILES}, index=slots)


def heat(cube: Cube, view: View, rows_per_decade: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slots, milliseconds (ascending, log-spaced) and the events of each cell: a latency heatmap."""
    step = step_seconds(cube.window, 60, cube.grains.get(LATENCY, 60))
    rows = cut(cube.frames[LATENCY], cube.window, View(services=view.services))
    slots = slots_of(cube.window, step)
    if rows.empty:
        return slots, np.array([1.0]), np.zeros((1, len(slots)))
    decade = np.floor(np.log10(_middles(rows["bucket"].to_numpy())) * rows_per_decade).astype(int)
    low, high = decade.min(), decade.max()
    cells = np.zeros((high - low + 1, len(slots)))
    place = ((rows["slot"].to_numpy() - slots[0]) // step).clip(0, len(slots) - 1)
    np.add.at(cells, (decade - low, place), rows["events"].to_numpy())
    return slots, 10 ** ((np.arange(low, high + 1) + 0.5) / rows_per_decade), cells


def quantile(frame: pd.DataFrame, wanted: float) -> float | None:
    """Return the milliseconds below which a share of the events of a latency frame lies; None when it is empty."""
    if frame.empty:
        return None
    buckets = frame["bucket"].to_numpy()
    lowest = int(buckets.min())
    heights = np.bincount(buckets - lowest, frame["events"].to_numpy())
    rank = max(1, int(np.ceil(wanted * heights.sum())))
    return float(middle_of(lowest + int(np.searchsorted(heights.cumsum(), rank))))


def kpis(cube: Cube, view: View) -> tuple[Kpi, ...]:
    """Return the tiles: events, rate, error rate and three quantiles, each beside the previous window's."""
    now, before = cube.window, cube.window.previous
    whole = View(services=view.services, facets=countable(view))
    counts, earlier = (cut(cube.frames[COUNTS], window, view) for window in (now, before))
    latency, earlier_latency = (
        cut(cube.frames[LATENCY], window, View(services=view.services)) for window in (now, before)
    )
    every, every_before = (cut(cube.frames[COUNTS], window, whole) for window in (now, before))
    rates = error_rate(cube, view)
    lines = quantile_lines(cube, view)
    events = volume(cube, view, step_seconds(now, 60)).sum(axis=1)
    return (
        Kpi("events", total_events(counts), total_events(earlier), course(events)),
        Kpi("errors", total_errors(every), total_errors(every_before), course(rates["errors"])),
        Kpi("error_rate", error_share(every), error_share(every_before), course(rates["rate"])),
        *(
            Kpi(
                f"p{wanted * 100:.0f}",
                quantile(latency, wanted),
                quantile(earlier_latency, wanted),
                course(lines[wanted]),
            )
            for wanted in QUANTILES
        ),
    )


def gaps(cube: Cube, step: int) -> list[tuple[int, int]]:
    """Return the stretches of the window, as epoch seconds, in which the rollup holds nothing at all."""
    seen = set((cut(cube.frames[COUNTS], cube.window)["slot"].to_numpy() // step * step).tolist())
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
    """Return the frame to count in: the one with endpoints only when a view filters by them, for it is coarser."""
    return ENDPOINTS if "endpoint" in view.facets and ENDPOINTS in cube.frames and not cube.is_filtered else COUNTS


def rates_of(rows: pd.DataFrame, window: Window, step: int) -> pd.DataFrame:
    """Return events, errors and their ratio per bar of rows that were cut already; a bar without events is NaN."""
    slots = slots_of(window, step)
    every = np.zeros(len(rows), dtype="int64")
    columns = {name: values[0] for name, values in rates_by(every, 1, rows, slots, step).items()}
    return pd.DataFrame(columns, index=slots)


def rates_by(groups: np.ndarray, count: int, rows: pd.DataFrame, slots: np.ndarray, step: int) -> dict[str, np.ndarray]:
    """Return `rates_of` for `count` groups of rows at once: shape (count, bars); `groups` holds each row's group."""
    place = groups * len(slots) + ((rows["slot"].to_numpy("int64") - slots[0]) // step).clip(0, len(slots) - 1)
    counts, bad, size = rows["events"].to_numpy("int64"), _are_errors(rows), count * len(slots)
    seen = np.bincount(place, minlength=size) > 0
    events = np.where(seen, np.bincount(place, counts, size), np.nan)
    errors = np.where(seen, np.bincount(place[bad], counts[bad], size), np.nan)
    rate = np.divide(errors, events, out=np.full(size, np.nan), where=events > 0)
    told = {"events": events, "errors": errors, "rate": rate}
    return {name: values.reshape(count, len(slots)) for name, values in told.items()}


def quantiles_by(groups: np.ndarray, count: int, rows: pd.DataFrame, wanted: float) -> np.ndarray:
    """Return the milliseconds below which a share of each group's events lies; NaN for a group without any."""
    if rows.empty:
        return np.full(count, np.nan)
    return _quantile(*_histograms(rows, groups, count), wanted)


def _are_errors(rows: pd.DataFrame) -> np.ndarray:
    return places_of(rows["level"], ERROR_LEVELS) >= 0


def total_errors(rows: pd.DataFrame) -> float | None:
    """Return the errors of rows; None of none at all."""
    return None if rows.empty else float(rows["events"].to_numpy()[_are_errors(rows)].sum())


def error_share(rows: pd.DataFrame) -> float | None:
    """Return the share of errors in rows; None without events."""
    total = rows["events"].sum()
    return float((total_errors(rows) or 0.0) / total) if total else None


def total_events(rows: pd.DataFrame) -> float | None:
    """Return the events of rows; None of none at all: missing is not zero."""
    return None if rows.empty else float(rows["events"].sum())


def countable(view: View) -> Mapping[str, tuple[str, ...]]:
    """Return the facets of a view that the rollup can count by."""
    return {name: values for name, values in view.facets.items() if name in ("status_class", "endpoint")}


def course(series: pd.Series) -> tuple[float, ...]:
    """Return a series as plain numbers, for a sparkline."""
    return tuple(float(value) for value in series.to_numpy())


def _facet_mask(column: pd.Series, values: tuple[str, ...]) -> np.ndarray:
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    is_unwanted = places_of(column, unwanted) >= 0
    return (places_of(column, wanted) >= 0) & ~is_unwanted if wanted else ~is_unwanted


def _floor(window: Window) -> float:
    return window.start.timestamp() // 60 * 60


def slots_of(window: Window, step: int) -> np.ndarray:
    """Return the starts of a window's bars, as epoch seconds."""
    first = int(window.start.timestamp()) // step * step
    return np.arange(first, int(np.ceil(window.end.timestamp())), step)


def _histograms(rows: pd.DataFrame, groups: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Return events per group and bucket as one matrix, and the bucket of its first column."""
    buckets = rows["bucket"].to_numpy()
    lowest, width = int(buckets.min()), int(buckets.max() - buckets.min()) + 1
    flat = np.bincount(groups * width + (buckets - lowest), rows["events"].to_numpy(), count * width)
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
