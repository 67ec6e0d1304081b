"""Does one run of a job: its code, its input, a driver, the script."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.engine import Context
from localcloud.jobs import arguments, mirror, spark
from localcloud.jobs.code import Code, CodeError, CodeStore
from localcloud.jobs.drivers import Drivers
from localcloud.jobs.java import JavaNotFound
from localcloud.jobs.mirror import Mirror
from localcloud.jobs.warm_driver import DriverDied, DriverGone, Interrupted, Launch, WarmDriver

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


class RunFailed(Exception):
    """The run failed; the text becomes its ErrorMessage."""


@dataclass(slots=True)
class Control:
    """How others reach a run that is under way."""

    job_name: str
    stopped: threading.Event = field(default_factory=threading.Event)
    deadline: float = float("inf")

    @property
    def timed_out(self) -> bool:
        return time.monotonic() > self.deadline

    def give_up(self) -> bool:
        return self.stopped.is_set() or self.timed_out


class Runner:
    """Runs jobs; keeps one warm driver per job and Glue version between runs, of the latest two jobs."""

    def __init__(self, context: Context, find_java: Callable[[], Path], environment: Mapping[str, str]) -> None:
        self._context = context
        self._find_java = find_java
        self._environment = environment
        folder = context.data_dir
        self.mirror = Mirror(folder / "mirror", lambda: context.client("s3"))
        self._code = CodeStore(folder / "jobs" / "code", lambda: context.client("s3"))
        self._folder = folder / "jobs" / "drivers"
        self.logs = folder / "logs" / "glue"
        self._drivers = Drivers()

    @cached_property
    def _java_home(self) -> Path:
        return self._find_java()

    def log_path(self, run_id: str) -> Path:
        return self.logs / f"{run_id}.log"

    def run(
        self, job: Mapping[str, Any], run: Mapping[str, Any], control: Control, on_running: Callable[[], None]
    ) -> None:
        """Do the run; raise `RunFailed`, or `Interrupted` when the control says so. `on_running`: the script begins."""
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            found = arguments.merged(job, run.get("Arguments") or {})
            code = self._fetched(job, found)
            for where in arguments.places(found):
                count = self.mirror.fetch(where, control.give_up, thorough=not run.get("TriggerName"))
                self._note(run, f"fetched {count} new objects of s3://{where.bucket}/{where.prefix}")
            launch = self._launch(job, code, arguments.spark_settings(found))
            driver = self._drivers.take(_key(job), launch, control.give_up)
            on_running()
            argv = arguments.script_arguments(found, self.mirror.root, job["Name"], run["Id"])
            self._run_on(driver, job, {"script": str(code.script), "arguments": argv, **self._names(run)}, control)
        except mirror.Cancelled:
            raise Interrupted from None
        except (CodeError, JavaNotFound, DriverDied, ClientError, BotoCoreError, ValueError, OSError) as error:
            raise RunFailed(str(error)) from error

    def _fetched(self, job: Mapping[str, Any], found: Mapping[str, str]) -> Code:
        return self._code.fetch(job["Command"]["ScriptLocation"], arguments.extra_py_files(found))

    def _names(self, run: Mapping[str, Any]) -> dict[str, str]:
        return {"run_id": run["Id"], "log": str(self.log_path(run["Id"]))}

    def _note(self, run: Mapping[str, Any], message: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with self.log_path(run["Id"]).open("a", encoding="utf-8") as log:
            log.write(f"{stamp} {message}\n")

    def _run_on(self, driver: WarmDriver, job: Mapping[str, Any], command: Mapping[str, Any], control: Control) -> None:
        """Run the command, on a second driver if the first ended while it was idle."""
        try:
            self._run_once(driver, job, command, control)
        except DriverGone:
            self._run_once(self._drivers.start(driver.launch, control.give_up), job, command, control)

    def _run_once(
        self, driver: WarmDriver, job: Mapping[str, Any], command: Mapping[str, Any], control: Control
    ) -> None:
        """Run the command; give the driver back if it is well, end it if not."""
        try:
            error = driver.run(command, control.give_up)
        except DriverDied:
            driver.end()
            raise
        self._drivers.give_back(_key(job), driver)
        if error:
            raise RunFailed(error)

    def _launch(self, job: Mapping[str, Any], code: Code, own: Mapping[str, str]) -> Launch:
        name = _UNSAFE.sub("-", _key(job))
        folder = self._folder / name
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        submit = spark.submit_arguments(spark.settings(job["Name"], folder, own), folder)
        environment = spark.driver_environment(
            self._context, self._java_home, code.libraries, submit, self._environment
        )
        return Launch(environment, folder, self.logs / f"driver-{name}.log")

    def warm(self, job: Mapping[str, Any]) -> None:
        """Have a driver ready for a run of the job with its default arguments; raise what a run would."""
        found = arguments.merged(job, {})
        self._drivers.warm(_key(job), self._launch(job, self._fetched(job, found), arguments.spark_settings(found)))

    def close(self) -> None:
        """End the idle drivers."""
        self._drivers.close()


def _key(job: Mapping[str, Any]) -> str:
    return f"{job['Name']}-{job.get('GlueVersion') or 'default'}"
