"""Athena on the laptop against plain DuckDB on the same files, and against its own targets, in one run.

    python -m benchmarks.athena [--rows 10000000]

Rows are those of the curated `logs` in ten days of partitions; `points` is a table of a thousand partitions.
"""

import argparse
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pandas

DATABASE, BUCKET, WORK_GROUP = "bench_db", "bench", "bench"
DAYS = tuple(f"{day:02}" for day in range(1, 11))
POINTS = 1000
SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
COLUMNS = {
    "event_id": "string", "timestamp": "timestamp", "level": "string", "endpoint": "string", "status_code": "int",
    "response_time_ms": "double", "message": "string",
}  # fmt: skip
ROWS_SQL = """
SELECT md5(CAST(i AS VARCHAR)) AS event_id,
       TIMESTAMP '2026-11-{day} 00:00:00' + INTERVAL (i % 86400) SECOND AS "timestamp",
       ['WARNING', 'ERROR', 'CRITICAL'][1 + i % 3] AS level, '/route/' || (i % 20) AS endpoint,
       CAST(400 + i % 150 AS INTEGER) AS status_code, CAST((i % 1000) * 1.7 AS DOUBLE) AS response_time_ms,
       'message ' || (i % 5000) AS message
FROM range({rows}) AS t(i)
"""
ROLLUP = (
    "SELECT date_trunc('hour', timestamp) AS hour, level, COUNT(*) AS n, AVG(response_time_ms) AS mean_ms "
    "FROM {logs} GROUP BY 1, 2 ORDER BY 1, 2"
)
TARGETS = {
    "rollup / DuckDB": 2.0,
    "point query, s": 0.3,
    "8 at once / in turn": 1.3,
    "million rows to DataFrame, s": 3.0,
}


@dataclass(frozen=True)
class Bench:
    """An endpoint with the tables in it, and the same files in a folder."""

    url: str
    folder: Path

    def client(self, service: str) -> Any:
        return boto3.Session("test", "test", region_name="us-east-1").client(service, endpoint_url=self.url)

    def run(self, athena: Any, sql: str) -> str:
        """Run a query to its end and return where its result is."""
        context = {"Database": DATABASE}
        started = athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, WorkGroup=WORK_GROUP)
        while True:
            execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
            if execution["Status"]["State"] == "SUCCEEDED":
                return str(execution["ResultConfiguration"]["OutputLocation"])
            if execution["Status"]["State"] in {"FAILED", "CANCELLED"}:
                raise RuntimeError(execution["Status"]["StateChangeReason"])
            time.sleep(0.01)


@contextmanager
def endpoint(folder: Path) -> Iterator[str]:
    """Run an endpoint of its own while the block runs; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "localcloud", "--port", str(port), "--data-dir", str(folder / "data")]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "AWS_ENDPOINT_URL": ""})
    try:
        _wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/_loglake/health", timeout=2) as answer:
                if json.load(answer)["ready"]:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the endpoint must become ready within a minute")


def prepare(bench: Bench, rows: int) -> None:
    """Write the files once, put them to the endpoint and register the tables."""
    s3, glue, athena = bench.client("s3"), bench.client("glue"), bench.client("athena")
    s3.create_bucket(Bucket=BUCKET)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    location = {"OutputLocation": f"s3://{BUCKET}/results/"}
    athena.create_work_group(Name=WORK_GROUP, Configuration={"ResultConfiguration": location})
    (bench.folder / "logs").mkdir()
    for day in DAYS:
        path = bench.folder / "logs" / f"{day}.parquet"
        sql = ROWS_SQL.format(day=day, rows=rows // len(DAYS))
        duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        s3.upload_file(str(path), BUCKET, f"logs/day={day}/a.parquet")
    make_table(glue, "logs", "day", DAYS)
    small = bench.folder / "point.parquet"
    duckdb.sql(f"COPY ({ROWS_SQL.format(day='01', rows=100)}) TO '{small}' (FORMAT parquet)")
    values = [f"{point:04}" for point in range(POINTS)]
    for value in values:
        s3.put_object(Bucket=BUCKET, Key=f"points/point={value}/a.parquet", Body=small.read_bytes())
    make_table(glue, "points", "point", values)


def make_table(glue: Any, name: str, key: str, values: Any) -> None:
    storage = {
        "Location": f"s3://{BUCKET}/{name}/",
        "Columns": [{"Name": column, "Type": kind} for column, kind in COLUMNS.items()],
        "SerdeInfo": {"SerializationLibrary": SERDE},
    }
    keys = [{"Name": key, "Type": "string"}]
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "StorageDescriptor": storage}
    glue.create_table(DatabaseName=DATABASE, TableInput=table)
    parts = [
        {"Values": [value], "StorageDescriptor": {**storage, "Location": f"s3://{BUCKET}/{name}/{key}={value}/"}}
        for value in values
    ]
    for start in range(0, len(parts), 100):
        glue.batch_create_partition(
            DatabaseName=DATABASE, TableName=name, PartitionInputList=parts[start : start + 100]
        )


def seconds_of(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rollup_ratio(bench: Bench, athena: Any) -> float:
    """Return the median of three interleaved rounds' ratios: the endpoint's time over DuckDB's."""
    files = f"read_parquet('{bench.folder}/logs/*.parquet')"
    connection = duckdb.connect(config={"threads": "2"})
    ratios = []
    for _ in range(3):
        plain = seconds_of(lambda: connection.execute(ROLLUP.format(logs=files)).fetchall())
        ours = seconds_of(lambda: bench.run(athena, ROLLUP.format(logs="logs")))
        print(f"rollup: DuckDB {plain:.2f} s, endpoint {ours:.2f} s")
        ratios.append(ours / plain)
    return statistics.median(ratios)


def point_seconds(bench: Bench, athena: Any) -> float:
    sql = "SELECT level, COUNT(*) FROM points WHERE point = '{:04}' GROUP BY level"
    return statistics.median(seconds_of(lambda n=n: bench.run(athena, sql.format(n * 37))) for n in range(9))


def together_ratio(bench: Bench, athena: Any) -> float:
    sql = "SELECT endpoint, AVG(response_time_ms) FROM logs WHERE day = '{}' GROUP BY endpoint"
    queries = [sql.format(day) for day in DAYS[:8]]
    in_turn = seconds_of(lambda: [bench.run(athena, query) for query in queries])
    with ThreadPoolExecutor(8) as pool:
        at_once = seconds_of(lambda: list(pool.map(lambda query: bench.run(athena, query), queries)))
    print(f"8 queries: in turn {in_turn:.2f} s, at once {at_once:.2f} s")
    return at_once / in_turn


def frame_seconds(bench: Bench, athena: Any) -> float:
    s3 = bench.client("s3")

    def fetch() -> None:
        location = bench.run(athena, "SELECT event_id, timestamp, level, response_time_ms FROM logs LIMIT 1000000")
        key = location.removeprefix(f"s3://{BUCKET}/")
        frame = pandas.read_csv(io.BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()), engine="pyarrow")
        assert len(frame) == 1_000_000, len(frame)

    return statistics.median(seconds_of(fetch) for _ in range(3))


def main() -> int:
    """Measure, print, and return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the curated table; at least a million")
    rows = max(1_000_000, parser.parse_args().rows)
    with tempfile.TemporaryDirectory() as name, endpoint(Path(name)) as url:
        bench = Bench(url, Path(name))
        print(f"prepared {rows:,} rows in {seconds_of(lambda: prepare(bench, rows)):.0f} s")
        athena = bench.client("athena")
        bench.run(athena, "SELECT 1")
        ways = (rollup_ratio, point_seconds, together_ratio, frame_seconds)
        figures = dict(zip(TARGETS, (way(bench, athena) for way in ways), strict=True))
    for what, figure in figures.items():
        print(f"{what:<32}{figure:>8.2f}   target {TARGETS[what]:g}")
    met = all(figures[what] <= target for what, target in TARGETS.items())
    rounded = {what: round(figure, 3) for what, figure in figures.items()}
    load = [round(value, 1) for value in os.getloadavg()]
    print(json.dumps({"benchmark": "athena", "rows": rows, "figures": rounded, "load": load, "met": met}))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
