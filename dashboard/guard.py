"""The guard before dear queries: it estimates what rows of a view would scan, from the sizes of the partitions.

The rollup is never guarded: it is small by design. An estimate is of stored bytes; Athena reads no more of them, and
less when it can skip columns.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from diskcache import FanoutCache

from catalog.errors import QueryError
from dashboard.athena import Engine
from dashboard.rows import Source, Sources
from dashboard.timerange import Window
from dashboard.view import View
from dashboard.wording import DOLLARS_PER_BYTE, size

LISTED_PARTITIONS = 40
"""Partitions that are measured for one estimate; the rest count as the mean of these."""
SMALL_TABLES = ("log_minutes", "runs", "rejects")
_WORD = re.compile(r"\w+")
OPEN_SECONDS, CLOSED_SECONDS = 300.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes above which the reader is asked, and above which no query is started at all."""

    ask_above_bytes: int = 2 * 10**9
    refuse_above_bytes: int = 10**10


class DearQueryError(QueryError):
    """A query would scan more than may be scanned unasked; `can_be_confirmed` says whether asking helps."""

    def __init__(self, scanned_bytes: int, can_be_confirmed: bool, limit: int) -> None:
        self.scanned_bytes = scanned_bytes
        self.can_be_confirmed = can_be_confirmed
        amount = f"about {size(scanned_bytes)}, ${scanned_bytes * DOLLARS_PER_BYTE:,.2f}"
        how = "narrow the range or choose services" + (", or run it anyway" if can_be_confirmed else "")
        super().__init__(f"a query for rows must scan at most {size(limit)} unasked; got {amount}: {how}")


class Guard:
    """Measures partitions through the engine, and keeps their sizes: closed days for a day, today for minutes."""

    def __init__(self, engine: Engine, cache: FanoutCache, clock: Callable[[], datetime], limits: Limits) -> None:
        self._engine = engine
        self._cache = cache
        self._clock = clock
        self.limits = limits

    def check(self, sources: Sources, view: View, services: Sequence[str], window: Window) -> None:
        """Raise `DearQueryError` when the rows of a view are dear; a lake that can't be measured is let through."""
        names = view.services or tuple(services)
        try:
            scanned = sum(self.estimate(source, names, window) for source in sources.sources)
        except QueryError:
            return
        self._judge(scanned, is_confirmed=False)

    def check_sql(self, sql: str, tables: Mapping[str, Sequence[str]], is_confirmed: bool) -> None:
        """Raise `DearQueryError` when the tables that SQL names hold too much: an upper bound, for it may prune.

        `tables` are the Glue catalog's and their columns; those that are small by design are not measured.
        """
        words = set(_WORD.findall(sql))
        named = [name for name in tables if name in words and name not in SMALL_TABLES]
        try:
            scanned = sum(self._measured(name, self._engine.partitions(name)) for name in named)
        except QueryError:
            return
        self._judge(scanned, is_confirmed)

    def estimate(self, source: Source, services: Sequence[str], window: Window) -> int:
        """Return the bytes stored in the partitions that a window's rows of some services are read from."""
        days = _days(window)
        wanted = days if source.is_raw else [f"{service}/{day}" for day in days for service in services]
        return self._measured(source.table, wanted)

    def _judge(self, scanned: int, is_confirmed: bool) -> None:
        if scanned > self.limits.refuse_above_bytes:
            raise DearQueryError(scanned, False, self.limits.refuse_above_bytes)
        if scanned > self.limits.ask_above_bytes and not is_confirmed:
            raise DearQueryError(scanned, True, self.limits.ask_above_bytes)

    def _measured(self, table: str, wanted: Sequence[str]) -> int:
        """Return the bytes of some partitions, the latest measured, the rest reckoned by their mean."""
        known = {name: self._cache.get(f"size:{table}:{name}", retry=True) for name in wanted}
        unknown = [name for name in reversed(wanted) if known[name] is None][:LISTED_PARTITIONS]
        if unknown:
            measured = self._engine.measure(table, unknown)
            today = f"{self._clock():%Y/%m/%d}"
            for name in unknown:
                known[name] = measured[name].stored_bytes if name in measured else 0
                seconds = OPEN_SECONDS if name.endswith(today) else CLOSED_SECONDS
                self._cache.set(f"size:{table}:{name}", known[name], expire=seconds, retry=True)
        sizes = [value for value in known.values() if value is not None]
        return round(sum(sizes) / len(sizes) * len(wanted)) if sizes else 0


def _days(window: Window) -> list[str]:
    first = window.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    count = (window.end.astimezone(UTC) - first) // timedelta(days=1) + 1
    return [f"{first + timedelta(days=place):%Y/%m/%d}" for place in range(count)]
