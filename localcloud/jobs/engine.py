"""The jobs engine: Glue's job-run operations over real runs, and the scheduler that starts them."""

import logging
import os
import secrets
import sqlite3
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from localcloud.engine import Context, Operation, Parameters, ServiceError
from localcloud.glue_records import ask, paged
from localcloud.jobs.java import find_java
from localcloud.jobs.runner import Control, RunFailed, Runner
from localcloud.jobs.runs import UNFINISHED, Runs
from localcloud.jobs.scheduler import Scheduler
from localcloud.jobs.warm_driver import Interrupted

LOG_GROUP = "/aws-glue/jobs"
PAGE = 50
RETRY_SECONDS = 2.0
MEND_DISK = "free some space if the disk is full"
STOP_SECONDS = 10
logger = logging.getLogger(__name__)
_COPIED = ("MaxCapacity", "WorkerType", "NumberOfWorkers", "GlueVersion", "ExecutionClass", "SecurityConfiguration")


def build(context: Context, environment: Mapping[str, str] | None = None) -> "JobsEngine":
    """Return the engine; Java is looked for in `environment`, this process's own when none is given."""
    found = os.environ if environment is None else environment
    return JobsEngine(context, Runner(context, lambda: find_java(found), found))


class JobsEngine:
    """Answers the job-run operations; the jobs' own records stay the emulator's.

    A run that was under way when the process died is FAILED after the next start.
    """

    name = "glue-jobs"

    def __init__(self, context: Context, runner: Runner) -> None:
        self._context = context
        self._runner = runner
        self._runs = Runs(context.data_dir / "jobs" / "runs.sqlite")
        self._lock = threading.Lock()
        self._controls: dict[str, tuple[Control, threading.Thread]] = {}
        self._scheduler = Scheduler(context, self.begin, context.job_interval_seconds, self.prepare)
        self.operations: Mapping[str, Operation] = {
            "AWSGlue.StartJobRun": self.start_job_run,
            "AWSGlue.GetJobRun": self.get_job_run,
            "AWSGlue.GetJobRuns": self.get_job_runs,
            "AWSGlue.BatchStopJobRun": self.batch_stop_job_run,
            "AWSGlue.ResetJobBookmark": self.reset_job_bookmark,
            "AWSGlue.StartTrigger": self.start_trigger,
        }
        for run in self._runs.unfinished():
            self._end(run["Id"], "FAILED", "the endpoint stopped during the run")

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Stop the runs under way and end the drivers."""
        self._scheduler.stop()
        with self._lock:
            controls = list(self._controls.values())
        for control, _ in controls:
            control.stopped.set()
        for _, thread in controls:
            thread.join(timeout=STOP_SECONDS)
        self._runner.close()
        self._runs.close()

    def status(self) -> dict[str, Any]:
        with self._lock:
            return {"running": sorted(self._controls)}

    def start_job_run(self, parameters: Parameters) -> Parameters:
        return {"JobRunId": self.begin(parameters["JobName"], parameters)}

    def begin(self, job_name: str, parameters: Mapping[str, Any], trigger: str = "") -> str:
        """Start a run and return its id; raise `ServiceError` when the job is unknown or has its runs already."""
        job = self._job(job_name)
        limit = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns") or 1
        run = _new_run(job, parameters, trigger)
        control = Control(job_name)
        if run["Timeout"]:
            control.deadline = time.monotonic() + run["Timeout"] * 60
        thread = threading.Thread(target=self._run, args=(job, run, control), name=f"run-{job_name}", daemon=True)
        with self._lock:
            under_way = sum(control.job_name == job_name for control, _ in self._controls.values())
            if under_way >= limit:
                raise ServiceError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job_name}")
            self._runs.save(run)
            self._controls[run["Id"]] = (control, thread)
        thread.start()
        return str(run["Id"])

    def prepare(self, job_name: str) -> None:
        """Start a driver for the job in the background; what goes wrong there is for the first run to say."""
        threading.Thread(target=self._warm, args=(job_name,), name=f"warm-{job_name}", daemon=True).start()

    def _warm(self, job_name: str) -> None:
        try:
            self._runner.warm(self._job(job_name))
        except Exception as error:
            logger.info("no driver was started for job %s: %s", job_name, error)

    def get_job_run(self, parameters: Parameters) -> Parameters:
        return {"JobRun": _shown(self._known_run(parameters["JobName"], parameters["RunId"]))}

    def get_job_runs(self, parameters: Parameters) -> Parameters:
        self._job(parameters["JobName"])
        page, token = paged(self._runs.of_job(parameters["JobName"]), parameters, PAGE)
        return {"JobRuns": [_shown(run) for run in page], **token}

    def batch_stop_job_run(self, parameters: Parameters) -> Parameters:
        name = parameters["JobName"]
        stopped, errors = [], []
        for run_id in parameters["JobRunIds"]:
            try:
                self._stop_run(name, run_id)
                stopped.append({"JobName": name, "JobRunId": run_id})
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def reset_job_bookmark(self, parameters: Parameters) -> Parameters:
        """Answer as if the bookmark were reset: jobs here keep their place in a checkpoint, not in a bookmark."""
        self._job(parameters["JobName"])
        return {"JobBookmarkEntry": {"JobName": parameters["JobName"], "Version": 0, "Run": 0, "Attempt": 0}}

    def start_trigger(self, parameters: Parameters) -> Parameters:
        """Fire an ON_DEMAND trigger; activate any other."""
        upstream = self._context.upstream("glue")
        trigger = ask(upstream.get_trigger, {"Name": parameters["Name"]})["Trigger"]
        if trigger["Type"] == "ON_DEMAND":
            self._scheduler.fire(trigger)
        else:
            ask(upstream.start_trigger, {"Name": parameters["Name"]})
        return {"Name": parameters["Name"]}

    def _job(self, name: str) -> dict[str, Any]:
        job = ask(self._context.upstream("glue").get_job, {"JobName": name})["Job"]
        assert isinstance(job, dict)
        return job

    def _known_run(self, job_name: str, run_id: str) -> dict[str, Any]:
        run = self._runs.get(run_id)
        if run is None or run["JobName"] != job_name:
            raise ServiceError("EntityNotFoundException", f"Job Run not found: {run_id} of job {job_name}")
        return run

    def _stop_run(self, job_name: str, run_id: str) -> None:
        self._known_run(job_name, run_id)
        with self._lock:
            control, _ = self._controls.get(run_id, (None, None))
        if control is None:
            raise ServiceError("InvalidInputException", f"Job Run {run_id} has ended already")
        self._change(run_id, JobRunState="STOPPING")
        control.stopped.set()

    def _change(self, run_id: str, **changes: Any) -> dict[str, Any]:
        return self._runs.change(run_id, {**changes, "LastModifiedOn": time.time()})

    def _end(self, run_id: str, state: str, message: str = "") -> dict[str, Any]:
        now = time.time()
        run = self._runs.get(run_id)
        assert run is not None
        seconds = max(0, round(now - run.get("RunningOn", now)))
        ended = {"JobRunState": state, "CompletedOn": now, "ExecutionTime": seconds}
        return self._change(run_id, **ended, **({"ErrorMessage": message} if message else {}))

    def _run(self, job: Mapping[str, Any], run: Mapping[str, Any], control: Control) -> None:
        run_id = run["Id"]
        try:
            self._runner.run(job, run, control, lambda: self._mark_running(run_id))
            outcome = ("SUCCEEDED", "")
        except Interrupted:
            timed_out = control.timed_out and not control.stopped.is_set()
            outcome = ("TIMEOUT", f"Job run timed out after {run['Timeout']} minutes") if timed_out else ("STOPPED", "")
        except RunFailed as error:
            outcome = ("FAILED", str(error))
        except Exception as error:
            traceback.print_exc()
            outcome = ("FAILED", f"the job runner broke: {error!r}")
        try:
            ended = self._end_surely(run_id, control, *outcome)
        finally:
            with self._lock:
                del self._controls[run_id]
        self._scheduler.run_ended(ended)

    def _end_surely(self, run_id: str, control: Control, state: str, message: str) -> dict[str, Any]:
        """Write a run's end down, however long the disk is full: unwritten, the run would seem to go on for ever."""
        while True:
            try:
                return self._end(run_id, state, message)
            except sqlite3.OperationalError as error:
                logger.error("the end of run %s can't be written: %s; trying again; %s", run_id, error, MEND_DISK)
                if control.stopped.wait(RETRY_SECONDS):
                    raise

    def _mark_running(self, run_id: str) -> None:
        self._change(run_id, JobRunState="RUNNING", RunningOn=time.time())


def _new_run(job: Mapping[str, Any], parameters: Mapping[str, Any], trigger: str) -> dict[str, Any]:
    now = time.time()
    timeout = parameters.get("Timeout") or job.get("Timeout")
    run = {
        "Id": f"jr_{secrets.token_hex(32)}",
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": "SCRIPT",
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": dict(parameters.get("Arguments") or {}),
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": timeout,
        "LogGroupName": LOG_GROUP,
        **{key: job[key] for key in _COPIED if job.get(key)},
        **{key: parameters[key] for key in _COPIED if parameters.get(key)},
    }
    return {**run, "TriggerName": trigger} if trigger else run


def _shown(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run as the API has it, with the time it has been running so far."""
    shown = {key: value for key, value in run.items() if key != "RunningOn" and value is not None}
    if run["JobRunState"] in UNFINISHED and "RunningOn" in run:
        shown["ExecutionTime"] = max(0, round(time.time() - run["RunningOn"]))
    return shown
