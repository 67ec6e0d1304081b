"""Reads what `verify` compares: raw objects from S3, and the curated tables through Athena."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from catalog.athena import parse_rows
from catalog.errors import LoglakeError, QueryError
from catalog.settings import Settings
from producer.raw_objects import RawCounter, reject_identity
from producer.verify import Lake

_ROLLUP = "SELECT minute, service, level, SUM(event_count) AS events FROM log_minutes GROUP BY minute, service, level"
_LOGS = (
    "SELECT date_trunc('minute', \"timestamp\") AS minute, service, COUNT(*) AS events,"
    " COUNT(DISTINCT event_id) AS ids FROM logs GROUP BY 1, 2"
)
_REJECTS = "SELECT DISTINCT raw_line FROM rejects"
_POLL_S = 0.3


class LakeReader:
    """Reads one stack's lake again and again; raw objects never change, so each is read once."""

    def __init__(self, settings: Settings, s3: Any = None, athena: Any = None) -> None:
        self._settings = settings
        self._s3 = s3 or boto3.client("s3")
        self._athena = athena or boto3.client("athena")
        self._raw = RawCounter()
        self._read: set[str] = set()

    def read(self) -> Lake:
        """Return what the stages hold now; raise `LoglakeError` if one can't be read."""
        lake = Lake()
        try:
            # Backwards along the flow, so that what moves meanwhile is seen early rather than late.
            self._read_curated(lake)
            self._read_raw()
        except (ClientError, BotoCoreError) as error:
            raise LoglakeError(f"the lake can't be read: {error}") from error
        self._raw.fill(lake)
        return lake

    def _read_raw(self) -> None:
        bucket = self._settings.raw_bucket
        for prefix, count in (("logs/", self._raw.add_events), ("errors/", self._raw.add_errors)):
            for key in self._keys(bucket, prefix):
                if key not in self._read:
                    count(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
                    self._read.add(key)

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):
                    yield entry["Key"]

    def _read_curated(self, lake: Lake) -> None:
        for row in self._query(_LOGS):
            place = row["service"], minute_of(row["minute"])
            lake.logs[place] += int(row["events"])
            lake.log_ids[place] += int(row["ids"])
        for row in self._query(_ROLLUP):
            lake.rollup[row["service"], minute_of(row["minute"]), row["level"]] += int(row["events"])
        lake.rejects = len({reject_identity(row["raw_line"].encode("utf-8")) for row in self._query(_REJECTS)})

    def _query(self, sql: str) -> Iterator[dict[str, str]]:
        started = self._athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self._settings.database},
            WorkGroup=self._settings.work_group,
        )
        bucket, _, key = self._result_of(started["QueryExecutionId"], sql).removeprefix("s3://").partition("/")
        text = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8")
        names, *rows = parse_rows(text)  # `csv` refuses a field of 128 KB, and a rejected line may have megabytes
        for row in rows:
            yield {str(name): value or "" for name, value in zip(names, row, strict=True)}

    def _result_of(self, execution: str, sql: str) -> str:
        while True:
            answer = self._athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            state = answer["Status"]["State"]
            if state == "SUCCEEDED":
                location: str = answer["ResultConfiguration"]["OutputLocation"]
                return location
            if state in ("FAILED", "CANCELLED"):
                reason = answer["Status"].get("StateChangeReason", state)
                raise QueryError(f"verify's query must succeed; got {reason!r} for {sql}")
            time.sleep(_POLL_S)


def minute_of(text: str) -> str:
    """Return a minute as the ledger writes it, from a timestamp as a result object does."""
    return text[:16].replace(" ", "T")


def by_stage(lake: Lake) -> Counter[str]:
    """Return how many events each stage holds."""
    return Counter(
        raw=lake.raw.total(),
        errors=lake.errors,
        rollup=lake.rollup.total(),
        logs=lake.logs.total(),
        rejects=lake.rejects,
    )
