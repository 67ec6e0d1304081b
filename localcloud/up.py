"""`loglake up`: start every stage in order, keep it running, stop it in reverse order.

The stages are started as the commands a person would type, each in a process of its own; what makes it a laptop is the
environment alone (`AWS_ENDPOINT_URL`). A process that dies is started again, and its restarts are shown.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from catalog import laptop
from catalog.errors import LoglakeError
from catalog.laptop import REGION, STACK
from localcloud.clients import Clients
from localcloud.leftovers import MARK, STOP_ORDER
from localcloud.processes import Child, end, identity
from localcloud.workspace import Workspace, read_object, write_json

BACKFILL_EVENTS = 50_000
"""The backfill is thinned to about this many events over the days asked, but for its last part."""
WHOLE_S, WHOLE_EVENTS = 720, 150_000
"""The last seconds of the backfill are at the live rate, at most so many events: more would keep the first job busy."""
LAUNCH_S = 30
"""The producer's clock starts at most so long after its process: the whole part of the past begins so much later."""
ENDPOINT_DEADLINE_S = 60
DEPLOY_DEADLINE_S = 240
DASHBOARD_DEADLINE_S = 60
JOB_INTERVAL_S = 60
HIDDEN_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class UpError(LoglakeError):
    """A stage did not start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `loglake up` was asked for."""

    workspace: Workspace
    rate: float
    backfill_days: float
    port: int
    endpoint_port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.endpoint_port}"

    @property
    def whole_s(self) -> float:
        """How much of the past, in seconds, is filled at the live rate."""
        return float(min(WHOLE_S, WHOLE_EVENTS / self.rate, self.backfill_days * 86_400))

    @property
    def dashboard_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Chain:
    """The running stages of one plan.

    `start` returns once the dashboard answers; `tend` is to be called about once a second after that; `stop` ends
    everything in reverse order, the producer first, so that what it acknowledged is on disk.
    """

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self._tell = say
        self._environment = {k: v for k, v in os.environ.items() if k not in HIDDEN_VARIABLES}
        self._environment |= laptop.variables(plan.endpoint_url, plan.workspace.path)
        self._environment[MARK] = str(plan.workspace.path)
        self._stopping = threading.Event()
        self.children: list[Child] = []
        self.started = time.time()
        self.is_healthy = False
        self._unsaved = False

    def start(self) -> None:
        """Start endpoint, stack, consumer, producer, dashboard; raise `UpError` with a stage's words if one can't."""
        plan = self.plan
        self._register()
        endpoint = self._launch(self._endpoint())
        self._await(endpoint, lambda: bool(health(plan.endpoint_url).get("ready")), ENDPOINT_DEADLINE_S)
        self._say(f"endpoint  answers on {plan.endpoint_url}")
        self._deploy()
        self._launch(self._consumer())
        self._say("consumer  reads the stream")
        self._launch(self._producer())
        self._say("producer  streams" + ("" if self._backfilled else f" after {plan.backfill_days:g} days of history"))
        if not self._backfill:
            whole_from = time.time() - plan.whole_s + LAUNCH_S
            content = {"started": self.started, "days": plan.backfill_days, "whole_from": whole_from}
            write_json(plan.workspace.path / "backfill.json", content)
        dashboard = self._launch(self._dashboard())
        self._await(dashboard, lambda: fetch(f"{plan.dashboard_url}/healthz") is not None, DASHBOARD_DEADLINE_S)
        self._say(f"dashboard answers on {plan.dashboard_url}")
        self._launch(self._alerts())
        threading.Thread(target=self._first_results, daemon=True).start()
        self.is_healthy = True
        self.save()

    def tend(self) -> None:
        """Start again what has died; what can't be done now, for want of disk or memory, is tried again."""
        for child in self.children:
            try:
                if child.revive():
                    self._unsaved = True
                    self._say(f"{child.name} had died and was started again (see {child.log})")
            except OSError as error:
                self._say(f"{child.name} has died and can't be started yet: {error}; free what it lacks")
        if self._unsaved:
            with contextlib.suppress(OSError):
                self.save()

    def stop(self) -> None:
        """End every stage, the last started first."""
        self._stopping.set()
        for child in sorted(self.children, key=lambda child: STOP_ORDER.index(child.name)):
            self._say(f"stopping  {child.name}")
            child.stop()
        self.plan.workspace.run_file.unlink(missing_ok=True)
        laptop.forget(self.plan.workspace.path, os.environ)

    def save(self) -> None:
        """Write down which processes run, for `loglake status` and `loglake down`."""
        plan = self.plan
        content = {
            **identity(os.getpid()),
            "started": self.started,
            "endpoint_url": plan.endpoint_url,
            "dashboard_url": plan.dashboard_url,
            "rate": plan.rate,
            "healthy": self.is_healthy,
            "processes": {child.name: child.record() for child in self.children},
        }
        write_json(plan.workspace.run_file, content)
        self._unsaved = False

    def _say(self, text: str) -> None:
        """Tell the user; one who has gone away, or whose disk is full, must not end the chain."""
        with contextlib.suppress(OSError):
            self._tell(text)

    def _register(self) -> None:
        try:
            laptop.register(self.plan.workspace.path, os.environ)
        except OSError as error:
            self._say(f"commands in other folders need --data-dir {self.plan.workspace.path}: {error}")

    @property
    def _backfilled(self) -> bool:
        return bool(self._backfill) or not self.plan.backfill_days

    @property
    def _backfill(self) -> dict[str, Any]:
        return read_object(self.plan.workspace.path / "backfill.json")

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "loglake", *arguments]

    def _child(self, name: str, arguments: list[str], **rest: Any) -> Child:
        return Child(name, arguments, self._environment, self.plan.workspace.logs / f"{name}.log", **rest)

    def _endpoint(self) -> Child:
        plan = self.plan
        arguments = [sys.executable, "-m", "localcloud", "--port", str(plan.endpoint_port)]
        arguments += ["--data-dir", str(plan.workspace.path), "--job-interval", str(JOB_INTERVAL_S)]
        return self._child("endpoint", arguments, stop_timeout_s=30)

    def _producer(self) -> Child:
        plan = self.plan
        live = self._command("produce", "--to", "kinesis", "--rate", f"{plan.rate:g}")
        live += [
            "--ledger",
            str(plan.workspace.ledger),
            "--dead-letters",
            str(plan.workspace.path / "dead-letters.jsonl"),
        ]
        first = [*live, "--backfill", f"{plan.backfill_days:g}d", "--backfill-events", str(BACKFILL_EVENTS)]
        first += ["--backfill-whole", f"{plan.whole_s:g}s"]
        return self._child("producer", live if self._backfilled else first, restart_arguments=live)

    def _consumer(self) -> Child:
        folder = self.plan.workspace.path / "consumer"
        folder.mkdir(exist_ok=True)
        return self._child(
            "consumer", self._command("consume", "--engine", "poll", "--health-file", str(folder / "health.json"))
        )

    def _dashboard(self) -> Child:
        arguments = ["--port", str(self.plan.port), *self._folders()]
        if "whole_from" in self._backfill:
            moment = datetime.fromtimestamp(self._backfill["whole_from"], UTC)
            arguments += ["--compare-from", f"{moment:%Y-%m-%dT%H:%M:%S}"]
        return self._child("dashboard", self._command("dashboard", *arguments))

    def _alerts(self) -> Child:
        return self._child("alerts", self._command("alerts", "run", *self._folders()))

    def _folders(self) -> list[str]:
        path = self.plan.workspace.path
        return ["--cache-dir", str(path / "cache"), "--state-dir", str(path / "dashboard")]

    def _launch(self, child: Child) -> Child:
        self.children.append(child)  # first, so that an interrupt right after its start ends it
        child.start()
        self.save()
        return child

    def _await(self, child: Child, ready: Callable[[], bool], deadline_s: float) -> None:
        deadline = time.monotonic() + deadline_s
        while not ready():
            if child.was_killed and child.revive():
                self.save()
            if not child.alive and not child.was_killed:
                raise UpError(f"{child.name} ended while starting: {child.last_words()}; see {child.log}")
            if time.monotonic() > deadline:
                raise UpError(f"{child.name} must answer within {deadline_s:g} s; got nothing; see {child.log}")
            time.sleep(0.2)

    def _deploy(self) -> None:
        deploy = self._launch(self._child("deploy", self._command("deploy", "--yes", "--stack-name", STACK)))
        assert deploy.process is not None
        try:
            code = deploy.process.wait(DEPLOY_DEADLINE_S)
        except subprocess.TimeoutExpired:
            deploy.stop()
            raise UpError(f"the stack must deploy within {DEPLOY_DEADLINE_S} s; see {deploy.log}") from None
        if code:
            raise UpError(f"the stack was not deployed: {deploy.last_words()}; see {deploy.log}")
        self.children.remove(deploy)
        self.save()
        self._say(f"stack     {STACK!r} is deployed")

    def _first_results(self) -> None:
        """Crawl and curate once, as soon as the first objects have been delivered."""
        from localcloud.first_results import crawl_and_curate, insist

        client = Clients(self.plan.endpoint_url, REGION)
        insist(lambda: crawl_and_curate(client, STACK, self._stopping, self._say), self._stopping, self._say)


def fetch(url: str) -> bytes | None:
    """Return the body of a 200 answer, or None."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            body: bytes = response.read()
            return body if response.status == 200 else None
    except (urllib.error.URLError, OSError, ValueError):
        return None


def health(endpoint_url: str) -> Mapping[str, Any]:
    """Return what the endpoint says of itself and its engines; empty when it does not answer."""
    body = fetch(f"{endpoint_url}/_loglake/health")
    return json.loads(body) if body else {}


def detach(plan: Plan, deadline_s: float = 300) -> None:
    """Run `loglake up` in the background and return once it is healthy; raise `UpError` with its words if it ends."""
    workspace = plan.workspace
    log = workspace.logs / "up.log"
    arguments = ["--data-dir", str(workspace.path), "--rate", f"{plan.rate:g}", "--port", str(plan.port)]
    arguments += ["--backfill-days", f"{plan.backfill_days:g}", "--endpoint-port", str(plan.endpoint_port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "loglake", "up", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_healthy(plan, process, log, deadline_s)
    except KeyboardInterrupt:
        end(psutil.Process(process.pid), timeout_s=90)
        raise


def _await_healthy(plan: Plan, process: subprocess.Popen[bytes], log: Path, deadline_s: float) -> None:
    workspace = plan.workspace
    deadline = time.monotonic() + deadline_s
    while True:
        run = read_object(workspace.run_file)
        if run.get("pid") == process.pid and run.get("healthy"):
            return
        if process.poll() is not None:
            raise UpError(_last_line(log) or f"'loglake up' ended with {process.returncode}; see {log}")
        if time.monotonic() > deadline:
            raise UpError(
                f"'loglake up' must be healthy within {deadline_s:g} s; see {log}; stop it with 'loglake down'"
            )
        time.sleep(0.3)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")
    return lines[-1].partition(": ")[2] or lines[-1]
