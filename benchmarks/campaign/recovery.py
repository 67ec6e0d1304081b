"""When a process that was killed works again: not when it is there, but when it does its work."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.campaign.laptop import Laptop
from benchmarks.campaign.plan import PARENTS, ROLES
from localcloud.clients import Clients
from localcloud.up import REGION, fetch, health
from localcloud.workspace import read_object

DEADLINE_S = 180.0
STEADY_S = 2.0
JOB_ROLES = ("driver", "java", "spark-worker")
TAKEN_ALONG = {
    "supervisor": ROLES,
    "endpoint": (*JOB_ROLES, "lambda", "producer", "consumer"),
    **dict.fromkeys(JOB_ROLES, JOB_ROLES),
}
"""What can't work before the killed one does: its own recovery begins anew."""


@dataclass(slots=True)
class Watch:
    """One kill, until its role works again."""

    role: str
    pid: int
    at: float
    wall: float
    """The time of day that the laptop's processes saw."""
    clock: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Recoveries:
    """The kills that are waited for, the times of those that are over, and those that took too long."""

    laptop: Laptop
    waiting: list[Watch] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: list[Watch] = field(default_factory=list)

    def add(self, watch: Watch) -> None:
        """Wait for one more; what it takes along with it is waited for from now on."""
        for other in self.waiting:
            if other.role in TAKEN_ALONG.get(watch.role, ()):
                other.clock, other.wall = watch.clock, watch.wall
        self.waiting.append(watch)

    def look(self) -> None:
        """Move on what has recovered, and what has not in time."""
        for watch in list(self.waiting):
            passed = time.monotonic() - watch.clock
            if works(self.laptop, watch):
                self.seconds[watch.role].append(passed)
            elif passed > DEADLINE_S:
                self.late.append(watch)
            else:
                continue
            self.waiting.remove(watch)


def works(laptop: Laptop, watch: Watch) -> bool:
    """Return whether the role does its work in a process that is not the one killed."""
    if watch.role in JOB_ROLES:
        return _guarded(lambda: _job_succeeded(laptop, watch.wall))
    if watch.role == "dashboard-worker":
        return _answers(laptop) and watch.pid not in _pids(laptop, watch.role)
    if watch.role not in PARENTS:
        return True
    pids = _pids(laptop, watch.role)
    if not pids or watch.pid in pids:
        return False
    return _guarded(lambda: _does_its_work(laptop, watch))


def _does_its_work(laptop: Laptop, watch: Watch) -> bool:
    if watch.role == "supervisor":
        return laptop.healthy
    if watch.role == "endpoint":
        return bool(health(laptop.endpoint_url).get("ready"))
    if watch.role == "dashboard":
        return _answers(laptop)
    if watch.role == "consumer":
        written = read_object(laptop.workspace.path / "consumer" / "health.json").get("written_at", 0.0)
        return bool(written > watch.wall)
    newest = max((each.create_time() for each in laptop.processes()[watch.role]), default=time.time())
    if watch.role == "producer":
        files = [path.stat().st_mtime for path in laptop.workspace.ledger.rglob("*") if path.is_file()]
        return max(files, default=0.0) > newest
    return time.time() - newest > STEADY_S


def _answers(laptop: Laptop) -> bool:
    return fetch(f"http://127.0.0.1:{laptop.port}/healthz") is not None


def _pids(laptop: Laptop, role: str) -> list[int]:
    return [process.pid for process in laptop.processes().get(role, [])]


def _job_succeeded(laptop: Laptop, after: float) -> bool:
    """Return whether a run that began after the kill has succeeded. The laptop's clock may be another than ours."""
    runs = Clients(laptop.endpoint_url, REGION)("glue").get_job_runs(JobName="loglake-curate", MaxResults=5)["JobRuns"]
    return any(run["JobRunState"] == "SUCCEEDED" and run["StartedOn"].timestamp() > after for run in runs)


def _guarded(ask: Callable[[], bool]) -> bool:
    """Ask; what can't be asked does not work yet."""
    try:
        return ask()
    except Exception:
        return False
