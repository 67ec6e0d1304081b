"""`python -m benchmarks [NAME …]`: every measurement of `NAMES`, or those named; exits 1 if one missed its target."""

import subprocess
import sys
from pathlib import Path

NAMES = (
    *("generation", "aggregation", "sending", "transforming", "delivery", "outage", "listing"),
    *("curation", "patterns", "small_objects", "athena", "dashboard", "live"),
)
ON_REQUEST = ("campaign",)
"""Run only when named: they measure nothing that a target stands for, and take as long as they are told."""


def main(names: list[str]) -> int:
    """Run each in a process of its own, so that none measures what another left behind."""
    unknown = sorted(set(names) - {*NAMES, *ON_REQUEST})
    if unknown:
        print(
            f"a benchmark must be one of {', '.join((*NAMES, *ON_REQUEST))}; got {', '.join(unknown)}", file=sys.stderr
        )
        return 2
    missed = []
    for name in names or NAMES:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        if subprocess.run(command, cwd=Path(__file__).parent.parent, check=False).returncode:
            missed.append(name)
    print(f"missed: {', '.join(missed)}" if missed else "every target met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
