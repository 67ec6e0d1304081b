"""Which events `logs` keeps: those whose level is not dropped, and a sample of those whose level is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column
from pyspark.sql import functions as F

_SHARES = 1_000_000


@dataclass(frozen=True, slots=True)
class Levels:
    """`drop` are the levels left out; of those `sample` says which share (0 to 1) is kept all the same."""

    drop: tuple[str, ...] = ("DEBUG", "INFO")
    sample: Mapping[str, float] = field(default_factory=dict)

    @property
    def never_kept(self) -> frozenset[str]:
        """The dropped levels of which there is no sample."""
        return frozenset(level for level in self.drop if not self.sample.get(level))

    def keeps(self) -> Column:
        """Return whether `logs` keeps an event, by its level and id alone: a replay keeps the same ones."""
        kept = ~F.col("level").isin(*self.drop)
        for level, share in self.sample.items():
            drawn = F.pmod(F.xxhash64("event_id"), F.lit(_SHARES)) < round(share * _SHARES)
            kept = kept | ((F.col("level") == level) & drawn)
        return kept
