"""What a run was asked for, and which flags exclude each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from catalog.errors import UsageError
from catalog.schema import SERVICES
from producer.scenarios import Conditions, Effect, Scenario, find_scenario
from producer.shape import Shape

STREAM_SINKS = ("kinesis", "firehose")


@dataclass(frozen=True, slots=True)
class Plan:
    """The flags of `loglake produce`, checked. Durations in seconds, moments in epoch ms."""

    to: str
    days: int
    entries: int
    output_dir: Path
    file_format: str
    gzip: bool
    rate: tuple[float, float]
    shape: str | None
    time_zone: ZoneInfo | None
    burst: tuple[float, float, float] | None
    duration: float | None
    count: int | None
    start: int | None
    seed: int | None
    malformed: float
    scenario: tuple[str, ...]
    schema: Path | None
    backfill: float | None
    backfill_events: int
    backfill_whole: float | None
    source: str | None
    follow: bool
    read_as: str | None
    mapping: Path | None
    service: str | None
    spool: Path
    stream: str | None
    delivery_stream: str | None
    ledger: Path | None
    dead_letters: Path | None
    retry_for: float
    max_age: float | None
    replay: Path | None

    def check(self) -> None:
        """Raise `UsageError` for flags that exclude each other."""
        self._check_sink()
        self._check_rate()
        self._check_source()
        if self.schema:
            for flag, given in (
                ("--scenario", self.scenario),
                ("--malformed", self.malformed),
                ("--ledger", self.ledger),
            ):
                if given:
                    raise UsageError(f"{flag} needs the events of the catalog; it can't be used with --schema")

    def _check_sink(self) -> None:
        streams = "needs --to kinesis or --to firehose"
        if self.ledger and self.to not in STREAM_SINKS:
            raise UsageError(f"--ledger {streams}; got --to {self.to}")
        if self.backfill is not None and self.to == "files":
            raise UsageError("--backfill needs --to stdout, kinesis or firehose; for files, say --days")
        if self.backfill_whole and self.backfill_whole > (self.backfill or 0.0):
            raise UsageError("--backfill-whole must be a part of --backfill; got more than it")
        if self.replay and self.to not in STREAM_SINKS:
            raise UsageError(f"--replay {streams}; got --to {self.to}")
        if self.replay and self.dead_letters and self.replay.resolve() == self.dead_letters.resolve():
            raise UsageError(f"--replay and --dead-letters must be different files; got {str(self.replay)!r} for both")
        if self.scenario and self.to == "files":
            raise UsageError("--scenario needs --to stdout, kinesis or firehose; got --to files")
        if self.to != "files" and (self.gzip or self.file_format != "json"):
            raise UsageError(f"--gzip and --format need --to files; got --to {self.to}")
        if self.malformed and self.file_format == "csv":
            raise UsageError("--malformed needs --format json: what is no JSON has no columns")

    def _check_rate(self) -> None:
        low, high = self.rate
        if self.shape == "flat" and low != high:
            raise UsageError(f"--shape flat needs one rate; got --rate {low:g}..{high:g}")
        if high == float("inf") and (self.shape or self.burst):
            raise UsageError("--shape and --burst need a rate to follow; got --rate max")
        if self.burst and self.to == "files":
            raise UsageError("--burst needs --to stdout, kinesis or firehose; got --to files")

    def _check_source(self) -> None:
        if not self.source:
            for flag, given in (
                ("--follow", self.follow),
                ("--read-as", self.read_as),
                ("--mapping", self.mapping),
                ("--service", self.service),
            ):
                if given:
                    raise UsageError(f"{flag} needs --from")
            return
        if self.to == "files":
            raise UsageError("--from needs --to stdout, kinesis or firehose; got --to files")
        if self.follow and self.source == "-":
            raise UsageError("--follow needs a file; standard input is followed to its end anyway")
        for flag, made in (
            ("--schema", self.schema),
            ("--scenario", self.scenario),
            ("--backfill", self.backfill is not None),
            ("--replay", self.replay),
            ("--malformed", self.malformed),
        ):
            if made:
                raise UsageError(f"--from ships what is there; it can't be used with {flag}")

    def total(self) -> int | None:
        """Return how many events the run makes, None when nobody knows."""
        if self.source or self.replay:
            return None
        if self.to == "files":
            return self.days * self.entries * (1 if self.schema else len(SERVICES))
        return None if self.count is None or self.backfill is not None else self.count

    def traffic_shape(self) -> Shape:
        """Return the daily shape, in its time zone."""
        return Shape(self.shape or "week", self.time_zone or UTC)

    def conditions(self, start_ms: int) -> Conditions:
        """Return the conditions of the chosen scenarios and the burst, live traffic beginning at `start_ms`."""
        scenarios: Sequence[Scenario] = [find_scenario(name) for name in self.scenario]
        if self.burst:
            factor, lasts, every = self.burst
            effect = Effect(after=every - lasts, lasts=lasts, recovery=0, every=every, traffic=factor)
            scenarios = [*scenarios, Scenario("burst", "", (effect,))]
        return Conditions(scenarios, start_ms)
