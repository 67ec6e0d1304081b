"""Readers that count the tables all the while: a count that falls was wrong before or is wrong now."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config

STATEMENTS = {
    "logs": "SELECT count(*) FROM logs",
    "log_minutes": "SELECT sum(event_count) FROM log_minutes",
}
PAUSE_S = 2.0
QUERY_S = 60.0


@dataclass(slots=True)
class Readers:
    """What two readers saw, each of one table, through the endpoint's Athena."""

    url: str
    began: float
    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    falls: list[str] = field(default_factory=list)
    latest: dict[str, int] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for table in STATEMENTS:
            self._threads.append(threading.Thread(target=self._read, args=(table,), daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(QUERY_S)

    def _read(self, table: str) -> None:
        client = athena(self.url)
        while not self.stopping.wait(PAUSE_S):
            try:
                self.note(table, count(client, STATEMENTS[table]))
            except Exception as error:
                self.failures[f"{table}: {type(error).__name__}: {_shape(str(error))}"] += 1

    def note(self, table: str, found: int) -> None:
        """Take an answer down; one that is less than the one before is a fall."""
        before = self.latest.get(table, 0)
        if found < before:
            self.falls.append(f"{table} fell from {before:,} to {found:,} at {time.monotonic() - self.began:.1f} s")
        self.latest[table] = found
        self.answers[table] += 1


def athena(url: str) -> Any:
    """Return a client that does not wait long for an endpoint that is gone."""
    import boto3

    from localcloud.clients import ACCESS_KEY, SECRET_KEY
    from localcloud.up import REGION

    config = Config(connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.session.Session(region_name=REGION, **keys).client("athena", endpoint_url=url, config=config)


def count(client: Any, sql: str) -> int:
    """Return the number that a statement answers; raise with Athena's own words when it answers none."""
    from localcloud.up import STACK

    started = client.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": "app_logs_db"}, WorkGroup=STACK
    )
    deadline = time.monotonic() + QUERY_S
    while time.monotonic() < deadline:
        found = client.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]["Status"]
        if found["State"] == "SUCCEEDED":
            rows = client.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
            return int(rows[1]["Data"][0].get("VarCharValue") or 0)
        if found["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(found.get("StateChangeReason", found["State"]))
        time.sleep(0.2)
    raise TimeoutError("no answer within a minute")


def _shape(text: str) -> str:
    """Return an error without what differs from one to the next."""
    return " ".join(text.split())[:160]
