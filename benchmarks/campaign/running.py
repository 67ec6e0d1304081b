"""One run: start the laptop, do each step at its time, wait until all works again, verify, stop."""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.campaign import faults, messages
from benchmarks.campaign.laptop import START_DEADLINE_S, Laptop
from benchmarks.campaign.plan import DISK_FULL_S, STOP_S, Step
from benchmarks.campaign.readers import Readers
from benchmarks.campaign.recovery import Recoveries, Watch
from benchmarks.campaign.report import Report

TICK_S = 0.5
GONE_S = 15.0


@dataclass(slots=True)
class Campaign:
    """A laptop, the steps, and what is to be undone when."""

    laptop: Laptop
    report: Report
    clock: Path | None = None
    began: float = field(default_factory=time.monotonic)
    ended_ups: int = 0
    _undo: list[tuple[float, object]] = field(default_factory=list)
    _source: random.Random = field(init=False)
    _recoveries: Recoveries = field(init=False)

    def __post_init__(self) -> None:
        self._source = random.Random(f"{self.report.seed} victims")
        self._recoveries = Recoveries(self.laptop)

    @property
    def at(self) -> float:
        return time.monotonic() - self.began

    def run(self, steps: list[Step], seconds: float) -> None:
        """Run to the end, whatever is found; the laptop is stopped at the end in any case."""
        try:
            if "files" in self.report.scenarios:
                self._refused()
            self.laptop.start()
            if not self.laptop.wait_healthy():
                self.report.violated(self.at, f"'loglake up' did not become healthy: {self._last_words()}")
                return
            self.began = time.monotonic()
            readers = Readers(self.laptop.endpoint_url, self.began)
            readers.start()
            self._do(steps, seconds)
            self._settle()
            self.report.verdict = self.laptop.verify()
            readers.stop()
            self._take(readers)
        finally:
            self._end()

    def _refused(self) -> None:
        """Start it with a hard limit of few files: it must say what to do, and not half start."""
        code, said = self.laptop.start_and_wait(faults.few_files_at_most)
        if not code or "ulimit -n" not in said or "Traceback" in said:
            self.report.violated(
                0, f"with {faults.FEW_FILES} files 'loglake up' must say what to do; got: {said[-300:]}"
            )

    def _do(self, steps: list[Step], seconds: float) -> None:
        waiting = list(steps)
        while self.at < seconds:
            while waiting and waiting[0].at <= self.at:
                self._step(waiting.pop(0))
            self._tick()

    def _step(self, step: Step) -> None:
        print(f"{self.at:7.1f} s  {step.kind} {' '.join(step.roles)}", flush=True)
        if step.kind == "disk":
            self._undo.append((self.at + DISK_FULL_S, faults.fill(self.laptop.workspace.path.parent)))
        elif self.clock and step.kind in faults.CLOCK_STEPS:
            faults.set_clock(self.clock, faults.CLOCK_STEPS[step.kind])
        elif step.kind == "stop":
            self._stop(step.roles[0])
        else:
            self._kill(step.roles)

    def _kill(self, roles: tuple[str, ...]) -> None:
        found = self.laptop.processes()
        for role in roles:
            victim = faults.kill(found.get(role, []), self._source)
            if victim is None:
                self.report.missing[role] += 1
                continue
            self.report.kills[role] += 1
            self._recoveries.add(Watch(role, victim.pid, self.at, self.laptop.now()))

    def _stop(self, role: str) -> None:
        processes = self.laptop.processes().get(role, [])
        if processes and faults.pause(processes[0]):
            self.report.stops[role] += 1
            self._undo.append((self.at + STOP_S, processes[0]))
        else:
            self.report.missing[role] += 1

    def _tick(self) -> None:
        """Undo what is due, start a `loglake up` that was killed as its user would, look at what recovers."""
        for due in [each for each in self._undo if each[0] <= self.at]:
            self._undo.remove(due)
            self._undone(due[1])
        if not self.laptop.alive:
            self._start_again()
        self._recoveries.look()
        time.sleep(TICK_S)

    def _undone(self, what: object) -> None:
        print(f"{self.at:7.1f} s  undone: {what}", flush=True)
        if isinstance(what, Path):
            what.unlink()
        elif isinstance(what, psutil.Process):
            faults.go_on(what)

    def _start_again(self) -> None:
        killed = any(watch.role == "supervisor" for watch in self._recoveries.waiting)
        if not killed:
            self.report.violated(self.at, f"'loglake up' ended by itself: {self._last_words()}")
        print(f"{self.at:7.1f} s  starting 'loglake up' again", flush=True)
        self.ended_ups += 1
        self.laptop.start()

    def _settle(self) -> None:
        """Undo everything and wait until all that was killed works again."""
        while self._undo:
            self._undone(self._undo.pop()[1])
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline and (self._recoveries.waiting or not self.laptop.healthy):
            self._tick()
        for watch in [*self._recoveries.late, *self._recoveries.waiting]:
            self.report.violated(watch.at, f"{watch.role} (killed then) did not work again in time")
        self.report.recovery_s = dict(self._recoveries.seconds)

    def _take(self, readers: Readers) -> None:
        self.report.answers = dict(readers.answers)
        self.report.reader_failures = dict(readers.failures)
        for fall in readers.falls:
            self.report.violated(self.at, fall)

    def _end(self) -> None:
        while self._undo:
            self._undone(self._undo.pop()[1])
        self.laptop.stop()
        deadline = time.monotonic() + GONE_S
        while (left := self.laptop.leftovers()) and time.monotonic() < deadline:
            time.sleep(TICK_S)
        for process in left:
            self.report.violated(self.at, f"left running after 'loglake down': {' '.join(process.cmdline())[:160]}")
            process.kill()
        folder = self.laptop.workspace.path
        logs = [self.laptop.said, *sorted(folder.glob("logs/*.log"))]
        self.report.messages = messages.collect([path for path in logs if path.exists()])
        self.report.job_messages = messages.collect(sorted(folder.rglob("glue/*.log")))
        self.report.judge(self.at)

    def _last_words(self) -> str:
        return self.laptop.said.read_text(encoding="utf-8", errors="replace").strip()[-600:]
