"""A run's report, `manifests/reports/<run id>.json`: written after every batch, so that others can follow the run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from glue_streaming.counting import LATE, add_up
from glue_streaming.publication import as_json
from glue_streaming.storage import REPORTS, Storage

RUNNING = "running"
DONE = "done"
MAX_RUNS = 100
"""Batches that a report describes one by one, the newest."""


def elapsed(began: datetime) -> float:
    """Return the seconds since then, to a tenth."""
    return round((datetime.now(UTC) - began).total_seconds(), 1)


@dataclass(slots=True)
class Report:
    """The report of one run, which began when this was made."""

    storage: Storage
    task: str
    run_id: str
    _runs: list[dict[str, Any]] = field(default_factory=list)
    _totals: dict[str, int] = field(default_factory=dict)
    _new_fields: dict[str, int] = field(default_factory=dict)
    _batches: int = 0
    _latest_seconds: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def add(self, run: Mapping[str, Any]) -> None:
        """Add a batch's row of `runs` and write the report."""
        self._batches += 1
        self._runs = [*self._runs[1 - MAX_RUNS :], as_json(run)]
        counted = [name for name in run if name.startswith("input_") or name.endswith("_rows")]
        counts = {name: run.get(name, 0) for name in {*counted, *LATE, "files"}}
        self._totals = add_up([self._totals, counts])
        self._new_fields = add_up([self._new_fields, run.get("new_fields", {})])
        self._latest_seconds = max(self._latest_seconds, run.get("latest_seconds") or 0.0)
        self._write(RUNNING)

    def finish(self) -> dict[str, Any]:
        """Write the report for the last time and return it."""
        return self._write(DONE)

    def _write(self, state: str) -> dict[str, Any]:
        seconds = time.monotonic() - self._began
        document = {
            "task": self.task,
            "run_id": self.run_id,
            "state": state,
            "seconds": round(seconds, 1),
            "batches": self._batches,
            "rows_per_second": round(self._totals.get("input_rows", 0) / max(seconds, 0.001)),
            "totals": {name: count for name, count in self._totals.items() if name not in LATE or name == "late_rows"},
            "late": {**{name: self._totals.get(name, 0) for name in LATE}, "latest_seconds": self._latest_seconds},
            "new_fields": self._new_fields,
            "runs": self._runs,
        }
        self.storage.write_json(f"{REPORTS}{self.run_id}.json", document)
        return document
