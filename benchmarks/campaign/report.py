"""The figures of a run and what was violated, each with what it takes to replay it."""

import json
import statistics
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Report:
    """What was done and seen."""

    seed: int
    minutes: float
    rate: float
    scenarios: tuple[str, ...]
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    recovery_s: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    reader_failures: dict[str, int] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, dict[str, int]] = field(default_factory=dict)
    job_messages: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of the job's own logs, which hold its script's tracebacks as on AWS: told, and no violation."""
    violations: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def violated(self, at: float, text: str) -> None:
        """Take a violation down, with the second of the run and the command that replays it."""
        only = ",".join(self.scenarios)
        replay = f"--seed {self.seed} --minutes {self.minutes:g} --rate {self.rate:g} --only {only}"
        self.violations.append(f"at {at:.0f} s: {text} ({replay})")

    def judge(self, at: float) -> None:
        """Take the verdict's disagreements and the tracebacks down as violations."""
        if "error" in self.verdict:
            self.violated(at, f"'loglake verify' gave no verdict: {self.verdict['error']}")
        kinds = self.lost_and_doubled()
        for kind, events in sorted(kinds.items()):
            self.violated(at, f"{events:,} events {kind}")
        for text, times in self.messages.get("tracebacks", {}).items():
            self.violated(at, f"a traceback, {times} times, in {text}")

    def lost_and_doubled(self) -> Counter[str]:
        """Return the verdict's disagreements, in events by kind."""
        kinds: Counter[str] = Counter()
        for finding in self.verdict.get("findings", ()):
            kinds[finding["kind"]] += finding["events"]
        return kinds

    def as_json(self) -> dict[str, Any]:
        recovery = {role: summary(times) for role, times in sorted(self.recovery_s.items())}
        own = {name: getattr(self, name) for name in self.__slots__ if name != "recovery_s"}
        return {"benchmark": "campaign", **own, "recovery_s": recovery, "met": not self.violations}


def summary(times: Collection[float]) -> dict[str, float]:
    """Return how often, the median and the longest."""
    return {"times": len(times), "median": round(statistics.median(times), 1), "longest": round(max(times), 1)}


def show(report: Report) -> None:
    """Print the figures and every violation, then one JSON line."""
    content = report.as_json()
    print(f"{'process':<18}{'killed':>7}{'stopped':>8}{'median s':>10}{'longest s':>10}")
    for role in sorted({*report.kills, *report.stops}):
        times = content["recovery_s"].get(role, {})
        figures = f"{times.get('median', '-'):>10}{times.get('longest', '-'):>10}"
        print(f"{role:<18}{report.kills[role]:>7}{report.stops[role]:>8}{figures}")
    counted = ", ".join(f"{table} {times}" for table, times in report.answers.items())
    print(f"counts read: {counted or 'none'}; verified: {report.verdict.get('stages', report.verdict)}")
    for text in report.skipped:
        print(f"skipped: {text}")
    for text in report.violations:
        print(f"VIOLATION {text}")
    print("nothing violated" if not report.violations else f"{len(report.violations)} violations")
    print(json.dumps(content))
