"""Verifying a lake that still moves: look, compare, and look again until every stage agrees or the wait is over."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from catalog.errors import UsageError
from catalog.settings import Settings
from producer.lake import LakeReader, by_stage
from producer.ledger import Balance, read_ledger
from producer.verify import LOST, Finding, Lake, compare

LOOK_EVERY_S = 10.0


class Reader(Protocol):
    """Reads what the stages hold now."""

    def read(self) -> Lake: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: every disagreement left, and what each stage holds."""

    findings: list[Finding]
    acknowledged: int
    in_doubt: int
    stages: dict[str, int]
    raw_doubles: int
    until: str
    waited_s: float


class Verification:
    """Compares one ledger with one lake. Raises `UsageError` when there is no ledger to compare with."""

    def __init__(self, ledger: Path, settings: Settings, reader: Reader | None = None) -> None:
        if not any(ledger.glob("*.jsonl")):
            raise UsageError(
                f"--ledger must be a folder that a producer wrote; got {str(ledger)!r}; "
                "run 'loglake produce --to kinesis --ledger DIR', or 'loglake up'"
            )
        self._ledger = ledger
        self._drop_levels = {level.strip() for level in settings.drop_levels.split(",") if level.strip()}
        self._reader = reader or LakeReader(settings)

    def run(self, wait_s: float, say: Callable[[str], None], look_every_s: float = LOOK_EVERY_S) -> Verdict:
        """Return the verdict once the stages agree, else the one when `wait_s` are over; `say` gets a line a look."""
        began = time.monotonic()
        until = (datetime.now(UTC) - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M")
        before = read_ledger(self._ledger)
        while True:
            lake = self._reader.read()
            findings = compare(before, read_ledger(self._ledger), lake, self._drop_levels, until)
            waited_s = time.monotonic() - began
            if not findings or waited_s + look_every_s > wait_s:
                return _verdict(before, lake, findings, until, waited_s)
            say(describe(findings, waited_s))
            time.sleep(look_every_s)


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


def _verdict(before: Balance, lake: Lake, findings: list[Finding], until: str, waited_s: float) -> Verdict:
    return Verdict(
        findings=findings,
        acknowledged=before.acknowledged.total,
        in_doubt=before.in_doubt.total,
        stages=dict(by_stage(lake)),
        raw_doubles=lake.raw_doubles,
        until=until,
        waited_s=round(waited_s, 1),
    )
