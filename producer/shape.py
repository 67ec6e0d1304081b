"""How busy it is: the daily and weekly shape of traffic, as a load between 0 and 1."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

KINDS = ("day", "week", "flat")
_HOUR_MS = 3_600_000
_QUARTER_MS = 900_000
_NIGHT = 0.15
_WEEKEND = 0.6


@dataclass(frozen=True, slots=True)
class Shape:
    """The load over time: `week` is quieter at weekends, `day` is every day alike, `flat` is always full.

    Hours are those of `zone`, with its summer time: people are awake by their own clocks.
    """

    kind: str = "week"
    zone: tzinfo = UTC

    def load_at(self, times_ms: Integers | Floats) -> Floats:
        """Return the load at each moment (epoch milliseconds): quiet at night, a peak before noon and one at eight."""
        times = np.asarray(times_ms, dtype=np.float64)
        if self.kind == "flat":
            return np.ones(times.shape)
        times = times + self._offsets_ms(times)
        hours = (times / _HOUR_MS) % 24
        morning = np.exp(-(((hours - 11) / 3.2) ** 2))
        evening = np.exp(-(((hours - 20) / 2.4) ** 2))
        daily = _NIGHT + (1 - _NIGHT) * np.minimum(1.0, 0.85 * morning + evening)
        if self.kind == "day":
            return np.asarray(daily, dtype=np.float64)
        weekend = (np.floor(times / (24 * _HOUR_MS)) + 3) % 7 >= 5  # the epoch was a Thursday; Monday is 0
        return np.where(weekend, _WEEKEND, 1.0) * daily

    def moments(self, start_ms: int, end_ms: int, fractions: Floats) -> Integers:
        """Return when each fraction (0 to 1, ascending) of the traffic between two moments has passed."""
        grid = np.linspace(start_ms, end_ms, max(2, min(20_000, (end_ms - start_ms) // 300_000 + 2)))
        load = self.load_at(grid)
        passed = np.concatenate(([0.0], np.cumsum((load[:-1] + load[1:]) / 2 * np.diff(grid))))
        return np.asarray(np.interp(fractions * passed[-1], passed, grid), dtype=np.int64)

    def _offsets_ms(self, times: Floats) -> Floats | float:
        """No zone changes its offset but at a quarter of an hour, so each quarter is looked up once."""
        if self.zone is UTC:
            return 0.0
        quarters, places = np.unique(np.floor(times / _QUARTER_MS), return_inverse=True)
        moments = (datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, self.zone) for quarter in quarters.tolist())
        offsets = [offset.total_seconds() * 1000 if (offset := moment.utcoffset()) else 0.0 for moment in moments]
        return np.array(offsets)[places].reshape(times.shape)
