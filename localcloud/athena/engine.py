"""The Athena engine: which operations of Athena's API this endpoint answers itself, and how."""

import hashlib
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from localcloud.athena.beginnings import require_beginning
from localcloud.athena.execution import Executor
from localcloud.athena.execution_queue import Queue
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import Memory, TableCatalog
from localcloud.athena.history import History
from localcloud.athena.jobs import Job
from localcloud.athena.metadata import Metadata
from localcloud.athena.objects import ObjectStore
from localcloud.athena.parameters import bind, execute_parts
from localcloud.athena.planner import Planner
from localcloud.athena.purpose_steps import WRITES, Purposes
from localcloud.athena.purposes import Purpose, purpose_of
from localcloud.athena.result_pages import ResultPages
from localcloud.athena.saved_queries import ENGINE_VERSION, SavedQueries
from localcloud.athena.statements import Statements, kind_of
from localcloud.athena.translation import parse, parse_query
from localcloud.athena.workgroups import WorkGroups
from localcloud.engine import Context, Operation, Parameters, ServiceError

TARGET = "AmazonAthena"
MAX_QUERY_BYTES = 262_144
MAX_PAGE_IDS = 50


class AthenaEngine:
    """Athena on DuckDB. Executions are kept in `data_dir/athena`; a query that a crash cut short is FAILED after it."""

    name = "athena"

    def __init__(self, context: Context) -> None:
        folder = context.data_dir / "athena"
        self._history = History(folder / "executions.sqlite")
        memory = Memory()
        s3 = lambda: context.client("s3")  # noqa: E731
        glue = lambda: context.client("glue")  # noqa: E731
        catalog = TableCatalog(glue, memory, context.catalog_changes)
        self._objects = ObjectStore(s3, memory)
        self._workgroups = WorkGroups(lambda: context.upstream("athena"), memory)
        statements = Statements(catalog, glue, s3)
        planner = Planner(catalog, self._objects)
        executor = Executor(
            planner, statements, Purposes(catalog, glue, s3), s3, context.endpoint_url, context.region, folder / "work"
        )
        self._queue = Queue(executor, self._history)
        self._pages = ResultPages(s3)
        self._starting = threading.Lock()
        operations: dict[str, Operation] = {
            "StartQueryExecution": self.start_query_execution,
            "GetQueryExecution": self.get_query_execution,
            "BatchGetQueryExecution": self.batch_get_query_execution,
            "GetQueryResults": self.get_query_results,
            "GetQueryRuntimeStatistics": self.get_query_runtime_statistics,
            "StopQueryExecution": self.stop_query_execution,
            "ListQueryExecutions": self.list_query_executions,
            **Metadata(catalog).operations,
            **SavedQueries(lambda: context.upstream("athena")).operations,
        }
        self.operations: Mapping[str, Operation] = {f"{TARGET}.{name}": run for name, run in operations.items()}

    def start(self) -> None:
        """Fail what a crash left running, and forget what is too old."""
        for document in self._history.unfinished():
            status = document["QueryExecution"]["Status"]
            reason = "GENERIC_INTERNAL_ERROR: the endpoint stopped while the query ran"
            status |= {
                "State": "FAILED",
                "StateChangeReason": reason,
                "CompletionDateTime": time.time(),
                "AthenaError": {"ErrorCategory": 1, "ErrorType": 1, "Retryable": True, "ErrorMessage": reason},
            }
            self._history.save(document)
        self._history.prune()

    def stop(self) -> None:
        """Cancel what runs; history is on disk."""
        self._queue.close()
        self._objects.close()
        self._history.close()

    def start_query_execution(self, request: Parameters) -> Parameters:
        """Queue a query; the same `ClientRequestToken` returns the same execution."""
        sql = request.get("QueryString") or ""
        if not sql.strip() or len(sql.encode()) > MAX_QUERY_BYTES:
            raise ServiceError("InvalidRequestException", f"QueryString must have 1 to {MAX_QUERY_BYTES} bytes")
        with self._starting:
            token = request.get("ClientRequestToken")
            known = self._history.by_token(token) if token else None
            if known:
                if known["QueryExecution"]["Query"] != sql:
                    raise ServiceError("InvalidRequestException", "Idempotent parameters do not match")
                return {"QueryExecutionId": known["QueryExecution"]["QueryExecutionId"]}
            return {"QueryExecutionId": self._start(request, sql, token)}

    def _start(self, request: Parameters, sql: str, token: str | None) -> str:
        group = self._workgroups.get(request.get("WorkGroup") or "primary")
        folder = group.folder((request.get("ResultConfiguration") or {}).get("OutputLocation"))
        values = list(request.get("ExecutionParameters") or [])
        purpose, (kind, substatement), statement = self._understood(sql, values, group.name)
        execution_id = str(uuid.uuid4())
        now = time.time()
        context = dict(request.get("QueryExecutionContext") or {})
        location = _output_location(folder, execution_id, kind, substatement)
        execution: dict[str, Any] = {
            "QueryExecutionId": execution_id,
            "Query": sql,
            "StatementType": kind,
            "SubstatementType": substatement,
            "ResultConfiguration": {"OutputLocation": location},
            "QueryExecutionContext": context,
            "Status": {"State": "QUEUED", "SubmissionDateTime": now},
            "Statistics": {"DataScannedInBytes": 0, "EngineExecutionTimeInMillis": 0},
            "WorkGroup": group.name,
            "EngineVersion": ENGINE_VERSION,
        }
        if values:
            execution["ExecutionParameters"] = values
        document = {"QueryExecution": execution, "Columns": [], "RowCount": 0}
        reuse_key = _reuse_key(sql, values, context, group.name, folder) if kind == "DML" and not purpose else None
        if reuse_key and self._reuse(request, reuse_key, document):
            self._history.save(document, token)
            return execution_id
        job = Job(
            execution_id,
            sql,
            statement,
            (context.get("Database") or "default").lower(),
            location,
            group.cutoff_bytes,
            purpose,
            group.enforced and group.output_location is not None,
        )
        self._history.save(document, token, reuse_key)
        self._queue.submit(job, document)
        return execution_id

    def _understood(
        self, sql: str, values: list[str], group: str
    ) -> tuple[Purpose | None, tuple[str, str], exp.Expr | None]:
        """Return a statement's purpose, its types, and the query in it, parameters bound; None when there is none."""
        try:
            require_beginning(sql)
            purpose = purpose_of(sql)
            kinds = kind_of(sql, purpose)
            if kinds[1] == "EXECUTE":
                name, used = execute_parts(sql)
                return purpose, kinds, bind(parse(self._workgroups.prepared(name, group)), used or values)
            query = purpose.placed_in(sql) if purpose else sql if kinds[1] == "SELECT" else None
            return purpose, kinds, None if query is None else bind(parse_query(query), values)
        except QueryFailure as failure:
            raise ServiceError("InvalidRequestException", failure.text.partition(": ")[2]) from None

    def _reuse(self, request: Parameters, reuse_key: str, document: dict[str, Any]) -> bool:
        """Answer from an earlier execution when the caller allows its age and its result is still there."""
        wanted = (request.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
        if not wanted.get("Enabled"):
            return False
        execution = document["QueryExecution"]
        execution["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": wanted}
        execution["Statistics"]["ResultReuseInformation"] = {"ReusedPreviousResult": False}
        earlier = self._history.reusable(reuse_key, time.time() - 60 * int(wanted.get("MaxAgeInMinutes", 60)))
        if not earlier or not self._pages.exists(earlier["QueryExecution"]["ResultConfiguration"]["OutputLocation"]):
            return False
        now = time.time()
        execution["ResultConfiguration"] = earlier["QueryExecution"]["ResultConfiguration"]
        execution["Status"] |= {"State": "SUCCEEDED", "CompletionDateTime": now}
        execution["Statistics"] |= {
            "TotalExecutionTimeInMillis": 1,
            "QueryQueueTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 1,
            "ResultReuseInformation": {"ReusedPreviousResult": True},
        }
        document |= {"Columns": earlier["Columns"], "RowCount": earlier["RowCount"]}
        return True

    def _document(self, request: Parameters) -> dict[str, Any]:
        name = request.get("QueryExecutionId") or ""
        document = self._history.get(name)
        if document is None:
            raise ServiceError("InvalidRequestException", f"QueryExecution {name} was not found")
        return document

    def get_query_execution(self, request: Parameters) -> Parameters:
        return {"QueryExecution": self._document(request)["QueryExecution"]}

    def batch_get_query_execution(self, request: Parameters) -> Parameters:
        found, missing = [], []
        for name in request.get("QueryExecutionIds") or []:
            document = self._history.get(name)
            if document:
                found.append(document["QueryExecution"])
            else:
                text = f"QueryExecution {name} was not found"
                missing.append({"QueryExecutionId": name, "ErrorCode": "INVALID_INPUT", "ErrorMessage": text})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def get_query_results(self, request: Parameters) -> Parameters:
        document = self._document(request)
        state = document["QueryExecution"]["Status"]["State"]
        if state != "SUCCEEDED":
            text = f"Query did not finish successfully. Final query state: {state}"
            if state in {"QUEUED", "RUNNING"}:
                text = f"Query has not yet finished. Current state: {state}"
            raise ServiceError("InvalidRequestException", text)
        return self._pages.page(document, request.get("NextToken"), request.get("MaxResults"))

    def get_query_runtime_statistics(self, request: Parameters) -> Parameters:
        document = self._document(request)
        statistics = document["QueryExecution"]["Statistics"]
        timeline = {
            "QueryQueueTimeInMillis": statistics.get("QueryQueueTimeInMillis", 0),
            "QueryPlanningTimeInMillis": statistics.get("QueryPlanningTimeInMillis", 0),
            "EngineExecutionTimeInMillis": statistics.get("EngineExecutionTimeInMillis", 0),
            "ServiceProcessingTimeInMillis": statistics.get("ServiceProcessingTimeInMillis", 0),
            "TotalExecutionTimeInMillis": statistics.get("TotalExecutionTimeInMillis", 0),
        }
        rows = {"InputBytes": statistics["DataScannedInBytes"], "OutputRows": document.get("RowCount", 0)}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def stop_query_execution(self, request: Parameters) -> Parameters:
        self._queue.stop(self._document(request)["QueryExecution"]["QueryExecutionId"])
        return {}

    def list_query_executions(self, request: Parameters) -> Parameters:
        group = request.get("WorkGroup") or "primary"
        limit = int(request.get("MaxResults") or MAX_PAGE_IDS)
        token = request.get("NextToken") or "0"
        if not token.isdigit():
            raise ServiceError(
                "InvalidRequestException", f"NextToken must be one that this operation gave; got {token!r}"
            )
        ids = self._history.ids(group, limit + 1, int(token))
        more = {"NextToken": str(int(token) + limit)} if len(ids) > limit else {}
        return {"QueryExecutionIds": ids[:limit], **more}


def _output_location(folder: str, execution_id: str, kind: str, substatement: str) -> str:
    if substatement in WRITES:
        return f"{folder}{'tables/' if substatement == 'CREATE_TABLE_AS_SELECT' else ''}{execution_id}"
    return f"{folder}{execution_id}.{'csv' if kind == 'DML' else 'txt'}"


def _reuse_key(sql: str, values: list[str], context: Mapping[str, Any], group: str, folder: str) -> str:
    parts = [" ".join(sql.split()), *values, context.get("Catalog") or "", context.get("Database") or "", group, folder]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
