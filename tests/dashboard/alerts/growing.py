"""A lake that grows while a test's clock moves: minutes of traffic happen, and are curated when the test says so."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.latency import bucket_of
from dashboard.alerts.evaluator import Evaluator
from dashboard.alerts.rules import RuleFile
from dashboard.alerts.store import AlertStore
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.state import StateFile
from tests.dashboard.duck_athena import DuckAthena

SERVICES = ("api-gateway", "authentication", "user-service", "payment", "inventory", "notification")
PER_MINUTE = 2000
MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
MINUTES = pa.schema(
    [
        *(("minute", pa.timestamp("us")), ("service", pa.string()), ("level", pa.string())),
        *(("status_class", pa.string()), ("endpoint", pa.string()), ("event_count", pa.int64())),
        *(("response_bytes_sum", pa.int64()), ("response_time_ms_sum", pa.float64())),
        *(("response_time_ms_max", pa.float64()), ("latency_histogram", pa.map_(pa.int32(), pa.int64()))),
        ("patterns", pa.map_(pa.string(), pa.int64())),
    ]
)
LOGS = pa.schema(
    [
        *(("timestamp", pa.timestamp("us")), ("received_at", pa.timestamp("us")), ("service", pa.string())),
        ("level", pa.string()),
    ]
)
RUNS = pa.schema([("oldest_received_at", pa.timestamp("us")), ("newest_received_at", pa.timestamp("us"))])


@dataclass(frozen=True)
class Sent:
    """What one service sent in one minute, and when that arrived."""

    minute: datetime
    service: str
    events: int = PER_MINUTE
    errors: int = 10
    received_at: datetime | None = None

    @property
    def arrived(self) -> datetime:
        return self.received_at or self.minute + MINUTE


class Clock:
    """Simulated time: it stands where the test put it, and goes on from there as time does."""

    def __init__(self, now: datetime) -> None:
        self.move_to(now)

    def __call__(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._since)

    def move_to(self, now: datetime) -> None:
        self._now, self._since = now, time.monotonic()


class GrowingLake:
    """A lake of Parquet, the Athena over it, and an evaluator of the default rules that alone looks at it."""

    def __init__(self, folder: Path, delay_seconds: float = 0.3) -> None:
        self.folder = folder
        self.clock = Clock(START)
        self._numbers = itertools.count()
        for table, schema in (("log_minutes", MINUTES), ("logs", LOGS)):
            self._write(table, START, schema.empty_table())
        self._write("runs", None, RUNS.empty_table())
        self.athena = DuckAthena(folder / "lake", delay_seconds)
        self.store = AlertStore(StateFile(folder / "state"))
        self.start_evaluator()

    def start_evaluator(self, rules: str | None = None) -> None:
        """Start the evaluator, as new: all it knows is what stands in its files."""
        if rules is not None:
            (self.folder / "state" / "alerts.yaml").write_text(rules)
        self.lake = Lake(self.athena, open_cache(str(self.folder / "cache")), ("DEBUG", "INFO"), self.clock)
        self.evaluator = Evaluator(self.lake, RuleFile(self.folder / "state"), self.store)

    def curate(self, sent: Sequence[Sent]) -> None:
        """Commit what was sent, as one batch of the job does: minutes and kept rows, and then the run."""
        if not sent:
            return
        for day in sorted({found.minute.date() for found in sent}):
            of_day = [found for found in sent if found.minute.date() == day]
            moment = of_day[0].minute
            self._write("log_minutes", moment, _minutes(of_day))
            self._write("logs", moment, _logs(of_day))
        arrivals = [_naive(found.arrived) for found in sent]
        run = {"oldest_received_at": min(arrivals) - MINUTE, "newest_received_at": max(arrivals)}
        self._write("runs", None, pa.Table.from_pylist([run], RUNS))

    def evaluate_at(self, now: datetime) -> str:
        """Evaluate once at a moment; return what was said."""
        self.clock.move_to(now)
        return str(self.evaluator.once())

    def fired(self) -> set[tuple[str, str]]:
        """Return every rule and subject that fires or ever fired."""
        return {(row["rule"], row["subject"]) for row in [*self.store.open_firings(), *self.store.history(1000)]}

    def firing(self) -> set[tuple[str, str]]:
        """Return what fires now."""
        return {(row["rule"], row["subject"]) for row in self.store.open_firings()}

    def _write(self, table: str, moment: datetime | None, rows: pa.Table) -> None:
        place = self.folder / "lake" / table
        place = place / f"year={moment:%Y}" / f"month={moment:%m}" / f"day={moment:%d}" if moment else place
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, place / f"part-{next(self._numbers)}.parquet")


def traffic(
    start: datetime,
    minutes: int,
    services: Sequence[str] = SERVICES,
    change: Callable[[datetime, str], dict[str, int]] = lambda minute, service: {},
) -> list[Sent]:
    """Return what services send in so many minutes; `change` says where events or errors are others than usual."""
    moments = [start + MINUTE * place for place in range(minutes)]
    return [Sent(minute, service, **change(minute, service)) for minute in moments for service in services]


def _minutes(sent: Sequence[Sent]) -> pa.Table:
    rows = []
    for found in sent:
        for level, events in (("INFO", found.events - found.errors), ("ERROR", found.errors)):
            if events:
                bucket, pattern = bucket_of(20.0), f"{level.lower()} of {found.service}"
                rows.append(
                    {
                        "minute": _naive(found.minute),
                        "service": found.service,
                        "level": level,
                        "status_class": "5xx" if level == "ERROR" else "2xx",
                        "endpoint": "/",
                        "event_count": events,
                        "response_bytes_sum": events * 100,
                        "response_time_ms_sum": events * 20.0,
                        "response_time_ms_max": 20.0,
                        "latency_histogram": [(bucket, events)],
                        "patterns": [(pattern, events)],
                    }
                )
    return pa.Table.from_pylist(rows, MINUTES)


def _logs(sent: Sequence[Sent]) -> pa.Table:
    rows = [
        {
            "timestamp": _naive(found.minute),
            "received_at": _naive(found.arrived),
            "service": found.service,
            "level": "ERROR",
        }
        for found in sent
        if found.errors
    ]
    return pa.Table.from_pylist(rows, LOGS)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
