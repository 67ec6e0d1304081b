"""What `loglake verify` proves: the ledger and every stage of the lake agree, event for event.

Pure comparison of counts; `producer.lake` reads them. Events of minutes from `until` on are left out everywhere: they
may still be under way. The rules, per service and minute:

    raw       distinct ids = acknowledged, plus at most what is in doubt; more belong to no ledger, and are reported;
              doubles in raw are allowed, and reported;
              a good event that could not be delivered, and so lies under errors/, counts here
    errors    what no one could read: acknowledged unreadable events, plus at most those in doubt; more, as above
    rollup    SUM(event_count) = distinct ids in raw, but for events whose time is too far from their arrival
    rejects   distinct rejected lines = those in raw, and these events
    logs      count = distinct ids = the rollup's count of the kept levels

Ledgers count and know no ids, so an event that belongs to none can stand in the place of a lost one of its minute.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from producer.ledger import REJECTED, Balance, Cell, Tally

Minute = tuple[str, str]
"""Service and minute (`YYYY-MM-DDTHH:MM`, UTC)."""

ALL = "(all)"
LOST, DOUBLED, UNEXPECTED, UNLEDGERED = "lost", "doubled", "unexpected", "in no ledger"
"""`UNLEDGERED` is no fault: another producer's events, of which no ledger was given."""


@dataclass(slots=True)
class Lake:
    """What the stages hold. `raw` and `raw_rejects` count distinct events; `raw_doubles` those stored twice.

    `raw_untimely` are those of `raw` that the Glue job must reject, for their time is too far from their arrival.
    `undelivered` are good events under errors/, `errors` what no one could read.
    """

    raw: Counter[Minute] = field(default_factory=Counter)
    raw_doubles: int = 0
    raw_rejects: int = 0
    raw_untimely: Counter[Minute] = field(default_factory=Counter)
    undelivered: Counter[Minute] = field(default_factory=Counter)
    errors: int = 0
    rollup: Counter[Cell] = field(default_factory=Counter)
    logs: Counter[Minute] = field(default_factory=Counter)
    log_ids: Counter[Minute] = field(default_factory=Counter)
    rejects: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement: at which stage, for which service and minute, and how many events."""

    stage: str
    kind: str
    service: str
    minute: str
    events: int


def compare(before: Balance, after: Balance, lake: Lake, drop_levels: Collection[str], until: str) -> list[Finding]:
    """Return every disagreement. `before` is the ledger when verifying began, `after` once the lake had been read.

    So a producer that goes on meanwhile is neither asked for what it sends now nor blamed for what arrives now.
    """
    return [
        *_compare_raw(before, after, lake, until),
        *_compare_totals(before, after, lake),
        *_compare_rollup(lake, until),
        *_compare_logs(lake, drop_levels, until),
    ]


def _compare_raw(before: Balance, after: Balance, lake: Lake, until: str) -> Iterator[Finding]:
    expected = _minutes(before.acknowledged, until)
    most = _minutes(after.acknowledged, until) + _minutes(after.in_doubt, until)
    found = _until(lake.raw + lake.undelivered, until)
    yield from _differences("raw", LOST, expected, found)
    yield from _differences("raw", UNLEDGERED, found, most)


def _compare_totals(before: Balance, after: Balance, lake: Lake) -> Iterator[Finding]:
    """Compare what has no minute of its own: unreadable events and rejected lines, over all time."""
    for stage, more, found, least, most in (
        (
            "errors",
            UNLEDGERED,
            lake.errors,
            before.acknowledged.unreadable,
            after.acknowledged.unreadable + after.in_doubt.unreadable,
        ),
        (
            "raw",
            UNLEDGERED,
            lake.raw_rejects,
            _rejected(before.acknowledged),
            _rejected(after.acknowledged) + _rejected(after.in_doubt),
        ),
        (
            "rejects",
            UNEXPECTED,
            lake.rejects,
            _rejected(before.acknowledged) + lake.raw_untimely.total(),
            max(lake.raw_rejects, _rejected(before.acknowledged)) + lake.raw_untimely.total(),
        ),
    ):
        if found < least:
            yield Finding(stage, LOST, ALL, ALL, least - found)
        if found > most:
            yield Finding(stage, more, ALL, ALL, found - most)


def _compare_rollup(lake: Lake, until: str) -> Iterator[Finding]:
    rollup: Counter[Minute] = Counter()
    for (service, minute, _), count in lake.rollup.items():
        rollup[service, minute] += count
    raw, counted = _until(lake.raw - lake.raw_untimely, until), _until(rollup, until)
    yield from _differences("rollup", LOST, raw, counted)
    yield from _differences("rollup", DOUBLED, counted, raw)


def _compare_logs(lake: Lake, drop_levels: Collection[str], until: str) -> Iterator[Finding]:
    kept: Counter[Minute] = Counter()
    for (service, minute, level), count in lake.rollup.items():
        if level not in drop_levels:
            kept[service, minute] += count
    kept, rows, ids = _until(kept, until), _until(lake.logs, until), _until(lake.log_ids, until)
    yield from _differences("logs", LOST, kept, ids)
    yield from _differences("logs", UNEXPECTED, ids, kept)
    yield from _differences("logs", DOUBLED, rows, ids)


def _differences(stage: str, kind: str, wanted: Counter[Minute], found: Counter[Minute]) -> Iterator[Finding]:
    """Yield where `wanted` is more than `found`."""
    for (service, minute), count in sorted((wanted - found).items()):
        yield Finding(stage, kind, service, minute, count)


def _minutes(tally: Tally, until: str) -> Counter[Minute]:
    minutes: Counter[Minute] = Counter()
    for (service, minute, level), count in tally.cells.items():
        if level != REJECTED and minute < until:
            minutes[service, minute] += count
    return minutes


def _rejected(tally: Tally) -> int:
    return sum(count for (_, _, level), count in tally.cells.items() if level == REJECTED)


def _until(counts: Counter[Minute], until: str) -> Counter[Minute]:
    return Counter({key: count for key, count in counts.items() if key[1] < until})
