"""Verifying a lake that still moves: look, compare, and look again until every stage agrees or the wait is over."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from catalog.errors import UsageError
from catalog.settings import Settings
from producer.lake import LakeReader, by_stage
from producer.ledger import Balance, find_ledgers, read_ledgers
from producer.verify import LOST, UNLEDGERED, Finding, Lake, compare

LOOK_EVERY_S = 10.0


class Reader(Protocol):
    """Reads what the stages hold now."""

    def read(self) -> Lake: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: every disagreement left, what belongs to no ledger, and what each stage holds."""

    findings: list[Finding]
    unledgered: list[Finding]
    ledgers: list[str]
    acknowledged: int
    in_doubt: int
    stages: dict[str, int]
    raw_doubles: int
    until: str
    waited_s: float


def ledgers_of(asked: Sequence[Path], data_dir: Path) -> list[Path]:
    """Return the ledgers asked for, else those of the data directory; raise `UsageError` where there is none."""
    for folder in asked or (data_dir,):
        if not (any(folder.glob("*.jsonl")) if asked else find_ledgers(data_dir)):
            wanted = "--ledger must be a folder" if asked else "--data-dir must have a folder 'ledger'"
            raise UsageError(
                f"{wanted} that a producer wrote; got {str(folder)!r}; "
                "run 'loglake produce --to kinesis --ledger DIR', or 'loglake up'"
            )
    return list(asked) or find_ledgers(data_dir)


class Verification:
    """Compares what some ledgers say together with one lake."""

    def __init__(self, ledgers: Sequence[Path], settings: Settings, reader: Reader | None = None) -> None:
        self._ledgers = ledgers
        self._drop_levels = {level.strip() for level in settings.drop_levels.split(",") if level.strip()}
        self._reader = reader or LakeReader(settings)

    def run(self, wait_s: float, say: Callable[[str], None], look_every_s: float = LOOK_EVERY_S) -> Verdict:
        """Return the verdict once the stages agree, else the one when `wait_s` are over; `say` gets a line a look."""
        began = time.monotonic()
        until = (datetime.now(UTC) - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M")
        before = read_ledgers(self._ledgers)
        while True:
            lake = self._reader.read()
            found = compare(before, read_ledgers(self._ledgers), lake, self._drop_levels, until)
            findings = [finding for finding in found if finding.kind != UNLEDGERED]
            waited_s = time.monotonic() - began
            if not findings or waited_s + look_every_s > wait_s:
                return self._verdict(before, lake, found, until, waited_s)
            say(describe(findings, waited_s))
            time.sleep(look_every_s)

    def _verdict(self, before: Balance, lake: Lake, found: Sequence[Finding], until: str, waited_s: float) -> Verdict:
        return Verdict(
            findings=[finding for finding in found if finding.kind != UNLEDGERED],
            unledgered=[finding for finding in found if finding.kind == UNLEDGERED],
            ledgers=[str(folder) for folder in self._ledgers],
            acknowledged=before.acknowledged.total,
            in_doubt=before.in_doubt.total,
            stages=dict(by_stage(lake)),
            raw_doubles=lake.raw_doubles,
            until=until,
            waited_s=round(waited_s, 1),
        )


def describe(findings: list[Finding], waited_s: float) -> str:
    """Return one line that says what is not where it should be yet."""
    counts: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        counts[finding.stage, finding.kind] += finding.events
    parts = [
        f"{count:,} on their way to {stage}" if kind == LOST else f"{count:,} {kind} in {stage}"
        for (stage, kind), count in counts.items()
    ]
    return f"{waited_s:4.0f} s: {', '.join(parts)}"
