"""How busy it is: the daily and weekly shape of traffic, as a load between 0 and 1."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_HOUR_MS = 3_600_000
_NIGHT = 0.15
_WEEKEND = 0.6


def load_at(times_ms: Integers | Floats) -> Floats:
    """Return the load at each moment (epoch milliseconds, UTC): quiet at night, a peak before noon and one at eight."""
    hours = (np.asarray(times_ms, dtype=np.float64) / _HOUR_MS) % 24
    morning = np.exp(-(((hours - 11) / 3.2) ** 2))
    evening = np.exp(-(((hours - 20) / 2.4) ** 2))
    days = np.floor(np.asarray(times_ms, dtype=np.float64) / (24 * _HOUR_MS))
    weekend = (days + 3) % 7 >= 5  # the epoch was a Thursday; Monday is 0
    daily = _NIGHT + (1 - _NIGHT) * np.minimum(1.0, 0.85 * morning + evening)
    return np.where(weekend, _WEEKEND, 1.0) * daily


def moments(start_ms: int, end_ms: int, fractions: Floats) -> Integers:
    """Return when each fraction (0 to 1, ascending) of the traffic between two moments has passed, by the shape."""
    grid = np.linspace(start_ms, end_ms, max(2, min(20_000, (end_ms - start_ms) // 300_000 + 2)))
    passed = np.concatenate(([0.0], np.cumsum((load_at(grid)[:-1] + load_at(grid)[1:]) / 2 * np.diff(grid))))
    return np.asarray(np.interp(fractions * passed[-1], passed, grid), dtype=np.int64)
