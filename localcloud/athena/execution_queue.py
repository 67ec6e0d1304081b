"""The queue of executions: a few run at once, the rest wait their turn, every change of state is kept."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from localcloud.athena.execution import CONCURRENT_QUERIES, Executor
from localcloud.athena.failures import SYSTEM, USER, QueryFailure, ScanLimitExceeded
from localcloud.athena.history import History
from localcloud.athena.jobs import Cancelled, Job

_MERCY_SECONDS = 5.0

logger = logging.getLogger(__name__)

Document = dict[str, Any]


class Queue:
    """Runs jobs on a few threads and writes what becomes of them into the history."""

    def __init__(self, executor: Executor, history: History, clock: Callable[[], float] = time.time) -> None:
        self._executor = executor
        self._history = history
        self._clock = clock
        self._pool = ThreadPoolExecutor(CONCURRENT_QUERIES, thread_name_prefix="athena-query")
        self._jobs: dict[str, tuple[Job, Document, Future[None]]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop what runs and what waits; each ends CANCELLED."""
        with self._lock:
            running = list(self._jobs.values())
        for job, _, _ in running:
            job.stop()
        self._pool.shutdown(wait=False, cancel_futures=False)
        deadline = self._clock() + _MERCY_SECONDS
        for _, _, future in running:
            try:
                future.result(max(0.0, deadline - self._clock()))
            except TimeoutError:
                logger.warning("a query did not stop in time")

    def submit(self, job: Job, document: Document) -> None:
        """Queue a job whose document is in the history as QUEUED."""
        with self._lock:
            future = self._pool.submit(self._run, job, document)
            self._jobs[job.execution_id] = (job, document, future)
            if future.done():
                self._jobs.pop(job.execution_id, None)

    def stop(self, execution_id: str) -> None:
        """Stop an execution if it is queued or running; its state is CANCELLED within a moment."""
        with self._lock:
            found = self._jobs.get(execution_id)
        if found is None:
            return
        job, document, future = found
        job.stop()
        if future.cancel():
            self._finish(job, document, "CANCELLED", "Query cancelled by user", None)

    def _run(self, job: Job, document: Document) -> None:
        started = self._clock()
        execution = document["QueryExecution"]
        execution["Status"]["State"] = "RUNNING"
        execution["Statistics"]["QueryQueueTimeInMillis"] = _millis(started - execution["Status"]["SubmissionDateTime"])
        document["StartedAt"] = started
        self._history.save(document)
        try:
            job.check()
            self._executor.run(job)
        except Cancelled:
            self._finish(job, document, "CANCELLED", "Query cancelled by user", None)
        except ScanLimitExceeded as failure:
            self._finish(job, document, "CANCELLED", failure.text, None)
        except QueryFailure as failure:
            self._finish(job, document, "FAILED", failure.text, failure.category)
        except Exception as error:
            logger.exception("query %s failed", job.execution_id)
            self._finish(job, document, "FAILED", f"GENERIC_INTERNAL_ERROR: {error}", SYSTEM)
        else:
            self._finish(job, document, "SUCCEEDED", None, None)

    def _finish(self, job: Job, document: Document, state: str, reason: str | None, category: int | None) -> None:
        now = self._clock()
        execution = document["QueryExecution"]
        status, statistics = execution["Status"], execution["Statistics"]
        status |= {"State": state, "CompletionDateTime": now}
        if reason is not None:
            status["StateChangeReason"] = reason
        if category is not None:
            kind = 1 if category == SYSTEM else 1000
            status["AthenaError"] = {
                "ErrorCategory": category,
                "ErrorType": kind if category == USER else 1,
                "Retryable": False,
                "ErrorMessage": reason,
            }
        started = document.get("StartedAt", now)
        statistics |= {
            "EngineExecutionTimeInMillis": _millis(now - started),
            "DataScannedInBytes": job.scanned_bytes,
            "TotalExecutionTimeInMillis": _millis(now - status["SubmissionDateTime"]),
            "QueryPlanningTimeInMillis": job.planning_ms,
            "ServiceProcessingTimeInMillis": 1,
        }
        if job.manifest_location:
            statistics["DataManifestLocation"] = job.manifest_location
        document["Columns"] = [column.column_info() for column in job.columns]
        document["RowCount"] = job.row_count
        self._history.save(document)
        with self._lock:
            self._jobs.pop(job.execution_id, None)


def _millis(seconds: float) -> int:
    return max(0, round(seconds * 1000))
