"""`python -m benchmarks.campaign`: a laptop is broken in every way for a while; exits 1 when a promise was violated.

Not among the timed measurements: it takes as long as it is told, and breaks only what it has started itself.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from benchmarks.campaign import faults
from benchmarks.campaign.laptop import Laptop
from benchmarks.campaign.plan import SCENARIOS, draw
from benchmarks.campaign.report import Report, show
from benchmarks.campaign.running import Campaign


class Scenarios(click.ParamType[tuple[str, ...]]):
    """Some of the scenarios, with commas between."""

    name = "scenarios"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, ...]:
        names = tuple(str(value).split(","))
        unknown = sorted(set(names) - set(SCENARIOS))
        if unknown:
            self.fail(f"must be some of {','.join(SCENARIOS)}; got {','.join(unknown)}", parameter, context)
        return names


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1, max=120), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, minutes and scenarios: same faults.")
@click.option("--rate", type=click.FloatRange(min=0.1), default=50, show_default=True, help="Events per second.")
@click.option("--only", type=Scenarios(), default=",".join(SCENARIOS), show_default=True)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this folder.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the report to this file.")
def main(
    minutes: float, seed: int, rate: float, only: tuple[str, ...], keep: Path | None, json_file: Path | None
) -> None:
    """Break a `loglake up` of its own on free ports of loopback, verify it, and report."""
    report = Report(seed, minutes, rate, only)
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder.absolute(), report, stack).run(draw(seed, minutes * 60, report.scenarios), minutes * 60)
    show(report)
    if json_file:
        json_file.write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    sys.exit(int(bool(report.violations)))


def prepare(folder: Path, report: Report, stack: ExitStack) -> Campaign:
    """Return a campaign whose laptop has the disk, clock and limits of the scenarios; what can't be had is skipped."""
    environment: dict[str, str] = {}
    clock, disk = None, folder
    try:
        if "disk" in report.scenarios:
            disk = stack.enter_context(faults.small_disk(folder))
    except faults.Skipped as reason:
        _skip(report, "disk", str(reason))
    try:
        if "clock" in report.scenarios:
            environment, clock = faults.clock(folder)
    except faults.Skipped as reason:
        _skip(report, "clock", str(reason))
    limit = faults.few_files if "files" in report.scenarios else faults.no_limit
    return Campaign(Laptop(disk / "data", report.rate, environment, limit), report, clock)


def _skip(report: Report, scenario: str, reason: str) -> None:
    report.skipped.append(f"{scenario}: {reason}")
    report.scenarios = tuple(name for name in report.scenarios if name != scenario)


if __name__ == "__main__":
    main()
