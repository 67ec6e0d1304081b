"""A running endpoint with a small lake in it: real objects in S3, real tables in the Glue catalog."""

import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

DATABASE = "app_logs_db"
LEVELS = ("INFO", "INFO", "INFO", "WARNING", "ERROR")
DAYS = ("19", "20", "21")


class Lake:
    """Clients of the endpoint, and a query in one call."""

    def __init__(self, url: str) -> None:
        self.url = url
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.s3: Any = session.client("s3", endpoint_url=url)
        self.glue: Any = session.client("glue", endpoint_url=url)
        self.athena: Any = session.client("athena", endpoint_url=url)

    def start(self, sql: str, **options: Any) -> str:
        return self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": DATABASE}, WorkGroup="lake", **options
        )["QueryExecutionId"]

    def wait(self, execution_id: str) -> dict[str, Any]:
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return execution
            time.sleep(0.02)

    def run(self, sql: str, **options: Any) -> dict[str, Any]:
        """Run to the end and return the execution."""
        return self.wait(self.start(sql, **options))

    def rows(self, sql: str, **options: Any) -> list[list[str | None]]:
        """Run and return the first page without its header; fail with the engine's words."""
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        page = self.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        skip = 1 if execution["StatementType"] == "DML" else 0
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in page[skip:]]

    def failure(self, sql: str, **options: Any) -> str:
        """Run what must fail and return the reason."""
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return execution["Status"]["StateChangeReason"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("endpoint")
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "localcloud", "--port", url.rpartition(":")[2], "--data-dir", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "AWS_ENDPOINT_URL": ""})
    try:
        _wait_until_ready(url, process, folder / "log")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Any) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/_loglake/health", timeout=2) as answer:
                if json.load(answer)["ready"]:
                    return
        except OSError:
            assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def event(index: int, day: str) -> dict[str, Any]:
    moment = datetime(2026, 11, int(day)) + timedelta(seconds=index * 37)
    return {
        "event_id": f"{day}-{index}",
        "timestamp": moment.isoformat(timespec="milliseconds") + "Z",
        "level": LEVELS[index % 5],
        "service": "api-gateway",
        "endpoint": f"/route/{index % 7}",
        "status_code": 500 if LEVELS[index % 5] == "ERROR" else 200,
        "response_time_ms": float(index * 3 + 0.5),
        "message": f'said "{index}", twice\nover',
    }


RAW_COLUMNS = {
    "event_id": "string", "timestamp": "string", "level": "string", "service": "string", "endpoint": "string",
    "status_code": "int", "response_time_ms": "double", "message": "string", "user_id": "string",
}  # fmt: skip

JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def table_input(name: str, location: str, columns: dict[str, str], keys: dict[str, str], serde: str) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": kind} for key, kind in keys.items()],
        "StorageDescriptor": {
            "Location": location,
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "SerdeInfo": {"SerializationLibrary": serde},
        },
        "Parameters": {},
    }


def put_raw(lake: Lake) -> None:
    for day in DAYS:
        lines = "".join(json.dumps(event(index, day)) + "\n" for index in range(500))
        key = f"logs/api-gateway/year=2026/month=11/day={day}/part.json.gz"
        lake.s3.put_object(Bucket="raw", Key=key, Body=gzip.compress(lines.encode()))
    keys = dict.fromkeys(("year", "month", "day"), "string")
    table = table_input("api_gateway", "s3://raw/logs/api-gateway/", RAW_COLUMNS, keys, JSON_SERDE)
    lake.glue.create_table(DatabaseName=DATABASE, TableInput=table)
    for day in DAYS:
        add_partition(lake, table, ["2026", "11", day])


def add_partition(lake: Lake, table: dict[str, Any], values: list[str]) -> None:
    names = [key["Name"] for key in table["PartitionKeys"]]
    folders = "/".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    storage = {**table["StorageDescriptor"], "Location": f"{table['StorageDescriptor']['Location']}{folders}/"}
    lake.glue.create_partition(
        DatabaseName=DATABASE, TableName=table["Name"], PartitionInput={"Values": values, "StorageDescriptor": storage}
    )


MINUTE_COLUMNS = {
    "minute": "timestamp", "service": "string", "level": "string", "event_count": "bigint",
    "latency_histogram": "map<int,bigint>", "added_later": "string",
}  # fmt: skip


def put_minutes(lake: Lake) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = dict.fromkeys(("year", "month", "day"), "string")
    table = table_input("log_minutes", "s3://lake/curated/log_minutes/", MINUTE_COLUMNS, keys, PARQUET_SERDE)
    lake.glue.create_table(DatabaseName=DATABASE, TableInput=table)
    for day in DAYS:
        count = 1440
        rows = pa.table(
            {
                "minute": pa.array(
                    [datetime(2026, 11, int(day)) + timedelta(minutes=m) for m in range(count)], pa.timestamp("us")
                ),
                "service": ["api-gateway" if m % 2 else "payment" for m in range(count)],
                "level": [LEVELS[m % 5] for m in range(count)],
                "event_count": pa.array(range(count), pa.int64()),
                "latency_histogram": pa.array(
                    [[(m % 3, 1), (7, 2)] for m in range(count)], pa.map_(pa.int32(), pa.int64())
                ),
            }
        )
        body = io.BytesIO()
        pq.write_table(rows, body)
        key = f"curated/log_minutes/year=2026/month=11/day={day}/batch-00000001-0.parquet"
        lake.s3.put_object(Bucket="lake", Key=key, Body=body.getvalue())
        lake.s3.put_object(Bucket="lake", Key=key.rpartition("/")[0] + "/_SUCCESS", Body=b"x")
        add_partition(lake, table, ["2026", "11", day])


@pytest.fixture(scope="session")
def lake(endpoint_url: str) -> Lake:
    lake = Lake(endpoint_url)
    for bucket in ("raw", "lake", "results"):
        lake.s3.create_bucket(Bucket=bucket)
    lake.glue.create_database(DatabaseInput={"Name": DATABASE})
    lake.athena.create_work_group(
        Name="lake",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://results/query-results/"},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    put_raw(lake)
    put_minutes(lake)
    empty = table_input("empty", "s3://lake/empty/", {"a": "int", "b": "map<string,int>"}, {}, PARQUET_SERDE)
    lake.glue.create_table(DatabaseName=DATABASE, TableInput=empty)
    return lake
