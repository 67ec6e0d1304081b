"""What every stage of a running laptop stack is doing, asked of the stage itself."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil

from catalog.errors import LoglakeError
from catalog.laptop import REGION, STACK, process_of
from catalog.settings import Settings
from localcloud.clients import Clients
from localcloud.leftovers import find_leftovers
from localcloud.up import health
from localcloud.workspace import Workspace, read_object

STALE_HEALTH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the status table; `state` is one of running, idle, waiting, failed, stopped."""

    name: str
    state: str
    detail: str


def collect(workspace: Workspace) -> list[Stage]:
    """Return every stage's state; one that can't be asked is `failed` with the reason, and never hides the others."""
    run = read_object(workspace.run_file)
    if process_of(run) is None:
        return [_stopped(workspace)]
    processes = {name: process_of(record) for name, record in run["processes"].items()}
    endpoint = health(run["endpoint_url"])
    stages = [_process("endpoint", processes, run, run["endpoint_url"]), _producer(workspace, processes, run)]
    stages.append(_consumer(workspace, processes, run))
    if endpoint:
        stages += _services(run["endpoint_url"], endpoint)
    return [
        *stages,
        _process("dashboard", processes, run, run["dashboard_url"]),
        _process("alerts", processes, run, "rules on the page Alerts"),
    ]


def as_json(stages: list[Stage]) -> dict[str, Any]:
    """Return the rows for a script."""
    return {
        "stages": [asdict(stage) for stage in stages],
        "healthy": all(s.state not in ("failed", "stopped") for s in stages),
    }


def _stopped(workspace: Workspace) -> Stage:
    """Tell a chain that was stopped from one whose `loglake up` was killed: its stages go on without it."""
    left = ", ".join(name for name, _ in find_leftovers(workspace))
    if not left:
        return Stage("up", "stopped", "nothing runs here; start it with 'loglake up'")
    text = f"'loglake up' was killed and left {left} running; 'loglake up' starts anew, 'loglake down' ends them"
    return Stage("up", "failed", text)


def _process(name: str, processes: Mapping[str, psutil.Process | None], run: Mapping[str, Any], url: str) -> Stage:
    process = processes.get(name)
    if process is None:
        return Stage(name, "failed", f"not running; see 'loglake logs {name}'")
    return Stage(name, "running", f"{url} · {resident_mb(process):.0f} MB resident{_restarts(run, name)}")


def _producer(workspace: Workspace, processes: Mapping[str, psutil.Process | None], run: Mapping[str, Any]) -> Stage:
    if processes.get("producer") is None:
        return Stage("producer", "failed", "not running; see 'loglake logs producer'")
    return Stage("producer", "running", last_line(workspace, "producer") + _restarts(run, "producer"))


def _consumer(workspace: Workspace, processes: Mapping[str, psutil.Process | None], run: Mapping[str, Any]) -> Stage:
    if processes.get("consumer") is None:
        return Stage("consumer", "failed", "not running; see 'loglake logs consumer'")
    facts = read_object(workspace.path / "consumer" / "health.json")
    if time.time() - facts.get("written_at", 0.0) > STALE_HEALTH_SECONDS:
        return Stage(
            "consumer", "waiting", f"has said nothing lately; see 'loglake logs consumer'{_restarts(run, 'consumer')}"
        )
    text = f"engine {facts['engine']} · {facts['shards']} shards · {facts['lag_s']:.1f} s behind the stream"
    return Stage("consumer", "running", text + _restarts(run, "consumer"))


def resident_mb(process: psutil.Process) -> float:
    """Return a process's resident memory and that of its forked workers, in MB; the Spark driver is not counted."""
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def last_line(workspace: Workspace, name: str) -> str:
    """Return the newest line of a stage's log."""
    try:
        text = (workspace.logs / f"{name}.log").read_bytes()[-2000:].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return text.strip().split("\n")[-1]


def _restarts(run: Mapping[str, Any], name: str) -> str:
    count = run["processes"].get(name, {}).get("restarts", 0)
    return f" · started again {count} times" if count else ""


def _services(endpoint_url: str, endpoint: Mapping[str, Any]) -> Iterator[Stage]:
    client = Clients(endpoint_url, REGION)
    try:
        settings = Settings(STACK, {}, client("cloudformation"))
        crawler, job, database, workgroup = settings.crawler, settings.job, settings.database, settings.work_group
    except LoglakeError as error:
        yield Stage("stack", "waiting", str(error))
        return
    yield _guarded("delivery", lambda: _delivery(endpoint))
    yield _guarded("crawler", lambda: _crawler(client("glue").get_crawler(Name=crawler)["Crawler"]))
    yield _guarded("job", lambda: _job(client("glue").get_job_runs(JobName=job, MaxResults=1)["JobRuns"]))
    yield _guarded("lake", lambda: _lake(client("athena"), database, workgroup))


def _guarded(name: str, ask: Callable[[], Stage]) -> Stage:
    try:
        return ask()
    except Exception as error:
        return Stage(name, "failed", f"can't be asked: {error}")


def _delivery(endpoint: Mapping[str, Any]) -> Stage:
    streams = endpoint.get("engines", {}).get("delivery", {})
    if not streams:
        return Stage("delivery", "waiting", "no delivery stream yet")
    error = next((stream["last_error"] for stream in streams.values() if stream["last_error"]), "")
    waiting_mb = sum(stream["spooled_bytes"] + stream["buffered_bytes"] for stream in streams.values()) / 1e6
    objects = sum(stream["delivered_objects"] for stream in streams.values())
    age = max((stream["oldest_age_seconds"] or 0 for stream in streams.values()), default=0)
    detail = f"{objects:,} objects delivered · {waiting_mb:.1f} MB on their way, the oldest for {age:.0f} s"
    return Stage("delivery", "failed" if error else "running", f"{detail} · {error}" if error else detail)


def _crawler(crawler: Mapping[str, Any]) -> Stage:
    last = crawler.get("LastCrawl") or {}
    if crawler.get("State") == "RUNNING":
        return Stage("crawler", "running", "crawling")
    if not last:
        return Stage("crawler", "waiting", "no crawl yet")
    state = "failed" if last.get("Status") == "FAILED" else "idle"
    return Stage(
        "crawler",
        state,
        f"last crawl {last.get('Status')} {_ago(last.get('StartTime'))} {last.get('ErrorMessage', '')}",
    )


def _job(runs: list[Mapping[str, Any]]) -> Stage:
    if not runs:
        return Stage("job", "waiting", "no run yet")
    run = runs[0]
    state = {"SUCCEEDED": "idle", "RUNNING": "running", "STARTING": "running"}.get(run["JobRunState"], "failed")
    seconds = f" in {run['ExecutionTime']} s" if run.get("ExecutionTime") else ""
    return Stage(
        "job",
        state,
        f"last run {run['JobRunState']}{seconds} {_ago(run.get('StartedOn'))} {run.get('ErrorMessage', '')}",
    )


def _lake(athena: Any, database: str, workgroup: str) -> Stage:
    sql = "SELECT sum(counted_rows), sum(log_rows), sum(reject_rows), max(newest_received_at) FROM runs"
    started = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
    )
    execution = started["QueryExecutionId"]
    for _ in range(100):
        status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.1)
    if status["State"] != "SUCCEEDED":
        return Stage("lake", "failed", f"Athena: {status.get('StateChangeReason', status['State'])}")
    row = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"][1]["Data"]
    counted, kept, rejected, newest = (cell.get("VarCharValue") for cell in row)
    if counted is None:
        return Stage("lake", "waiting", "nothing curated yet")
    counts = f"{int(counted):,} events counted · {int(kept or 0):,} kept · {int(rejected or 0):,} rejected"
    return Stage("lake", "idle", f"{counts} · complete to {newest}")


def _ago(moment: datetime | None) -> str:
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"
