"""What each named query answers over a small lake whose rows are written out here."""

import gzip
import io
import json
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.latency import bucket_of, percentile
from catalog.named_queries import named_queries, named_query
from catalog.schema import EVENT_COLUMNS
from catalog.tables import LOG_MINUTES, LOGS, REJECTS, RUNS
from tests.localcloud.athena.conftest import JSON_SERDE, PARQUET_SERDE, table_input

pytestmark = pytest.mark.local

DATABASE = "known_db"
DAY = dict.fromkeys(("year", "month", "day"), "string")
TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "map<int,bigint>": pa.map_(pa.int32(), pa.int64()),
    "map<string,bigint>": pa.map_(pa.string(), pa.int64()),
}


def at(text):
    return datetime.fromisoformat(f"2026-11-{text}")


def minute(moment, service, level, count, endpoint=None, status=None, latencies=()):
    histogram = {}
    for latency in latencies:
        histogram[bucket_of(latency)] = histogram.get(bucket_of(latency), 0) + 1
    return {
        "minute": at(moment),
        "service": service,
        "level": level,
        "event_count": count,
        "endpoint": endpoint,
        "status_class": status,
        "response_time_ms_sum": float(sum(latencies)) if latencies else None,
        "response_time_ms_max": float(max(latencies)) if latencies else None,
        "latency_histogram": list(histogram.items()) if latencies else None,
    }


SLOW = [10.0] * 90 + [500.0] * 10
MINUTES = {
    "20": [
        minute("20 09:00", "payment", "INFO", 100, "/pay", "2xx", SLOW),
        minute("20 09:00", "payment", "ERROR", 25, "/pay", "5xx", [100.0] * 25),
        minute("20 09:30", "notification", "INFO", 7),
    ],
    "21": [
        minute("21 10:00", "payment", "INFO", 30, "/refund", "2xx", [20.0] * 30),
        minute("21 10:01", "payment", "CRITICAL", 10, "/refund", "5xx", [40.0] * 10),
        minute("21 10:30", "inventory", "WARNING", 4, "/stock", "4xx", [2.0] * 4),
    ],
}


def log(moment, level, minutes_late=0, **values):
    event = {"event_id": moment, "timestamp": at(moment), "level": level, "message": f"at {moment}"}
    return {**event, "received_at": at(moment) + timedelta(minutes=minutes_late), **values}


LOG_ROWS = {
    ("payment", "20"): [
        log("20 09:00", "ERROR", user_id="ann", error_type="Timeout", trace_id="t1", status_code=500),
        log("20 09:01", "ERROR", user_id="ann", error_type="CardDeclined"),
        log("20 09:02", "WARNING", user_id="ann", minutes_late=30),
    ],
    ("inventory", "21"): [
        log("21 10:00", "ERROR", user_id="bob", error_type="Timeout", minutes_late=5),
        log("21 10:01", "CRITICAL", user_id="bob", error_type="OutOfStock", trace_id="t1", minutes_late=6),
        log("21 10:02", "ERROR", error_type="OutOfStock"),
    ],
}
REJECT_ROWS = {
    day: [
        {"reason": reason, "raw_line": "{", "source_object": f"{day}-{place}", "rejected_at": at(f"{day} 0{place}:00")}
        for place, reason in enumerate(reasons)
    ]
    for day, reasons in {"20": ["not JSON"], "21": ["no level", "not JSON", "not JSON"]}.items()
}
RUN_ROWS = [
    {"run_id": f"r{n}", "batch_id": n, "started_at": at(f"21 1{n}:00"), "finished_at": at(f"21 1{n}:02"), "log_rows": n}
    for n in range(3)
]
REQUESTS = [
    {"client_ip": "10.0.0.0", "status_code": 200, "response_bytes": 100, "level": "INFO"},
    {"client_ip": "10.0.0.0", "status_code": 404, "response_bytes": 50, "level": "WARNING"},
    {"client_ip": "10.9.0.0", "status_code": 500, "response_bytes": None, "level": "ERROR", "response_time_ms": 1500.5},
    {"client_ip": None, "level": "INFO", "response_time_ms": 1000.0},
]


def parquet(rows, table):
    body = io.BytesIO()
    columns = {column.name: TYPES[column.type] for column in table.columns}
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), body)
    return body.getvalue()


def make_table(lake, table, keys, partitions):
    columns = {column.name: column.type for column in table.columns}
    location = f"s3://lake/known/{table.prefix}"
    made = table_input(table.name, location, columns, keys, PARQUET_SERDE)
    lake.glue.create_table(DatabaseName=DATABASE, TableInput=made)
    for values, rows in partitions.items():
        folder = "".join(f"{key}={value}/" for key, value in zip(keys, values, strict=True))
        lake.s3.put_object(Bucket="lake", Key=f"known/{table.prefix}{folder}a.parquet", Body=parquet(rows, table))
        if keys:
            storage = {**made["StorageDescriptor"], "Location": location + folder}
            partition = {"Values": list(values), "StorageDescriptor": storage}
            lake.glue.create_partition(DatabaseName=DATABASE, TableName=table.name, PartitionInput=partition)


@pytest.fixture(scope="module")
def known(lake):
    lake.glue.create_database(DatabaseInput={"Name": DATABASE})
    days = {("2026", "11", day): rows for day, rows in MINUTES.items()}
    make_table(lake, LOG_MINUTES, DAY, days)
    services = {(service, "2026", "11", day): rows for (service, day), rows in LOG_ROWS.items()}
    make_table(lake, LOGS, {"service": "string", **DAY}, services)
    make_table(lake, REJECTS, DAY, {("2026", "11", day): rows for day, rows in REJECT_ROWS.items()})
    make_table(lake, RUNS, {}, {(): RUN_ROWS})
    columns = {column.name: column.type for column in EVENT_COLUMNS}
    raw = table_input("api_gateway", "s3://raw/known/", columns, {}, JSON_SERDE)
    lake.glue.create_table(DatabaseName=DATABASE, TableInput=raw)
    lines = "".join(
        json.dumps({"service": "api-gateway", "timestamp": "2026-11-21T10:00:00.000Z", "endpoint": "/x"} | request)
        + "\n"
        for request in REQUESTS
    )
    lake.s3.put_object(Bucket="raw", Key="known/a.json.gz", Body=gzip.compress(lines.encode()))
    return lake


def p(latencies, quantile):
    histogram = {}
    for latency in latencies:
        histogram[bucket_of(latency)] = histogram.get(bucket_of(latency), 0) + 1
    return str(round(percentile(histogram, quantile), 1))


PAY, REFUND, STOCK = [*SLOW, *[100.0] * 25], [*[20.0] * 30, *[40.0] * 10], [2.0] * 4
PAYMENT = PAY + REFUND
MORNING, NEXT = "2026-11-20 09:00:00.000", "2026-11-21 10:00:00.000"

ANSWERS = {
    "busiest-minutes": [
        [MORNING, "125", "payment", "125"],
        [NEXT, "30", "payment", "30"],
        ["2026-11-21 10:01:00.000", "10", "payment", "10"],
        ["2026-11-20 09:30:00.000", "7", "notification", "7"],
        ["2026-11-21 10:30:00.000", "4", "inventory", "4"],
    ],
    "count-by-level": [
        ["payment", "INFO", "130"],
        ["payment", "ERROR", "25"],
        ["payment", "CRITICAL", "10"],
        ["notification", "INFO", "7"],
        ["inventory", "WARNING", "4"],
    ],
    "deploy-comparison": [
        ["inventory", "after", "4", "0.0", "2.0"],
        ["payment", "before", "30", "0.0", "20.0"],
        ["payment", "after", "10", "100.0", "40.0"],
    ],
    "error-rate-by-service-and-hour": [
        ["inventory", NEXT, "4", "0.0"],
        ["notification", MORNING, "7", "0.0"],
        ["payment", MORNING, "125", "20.0"],
        ["payment", NEXT, "40", "25.0"],
    ],
    "errors-by-hour": [["2026-11-21 10:00:00.000 UTC", "api-gateway", "500", "1"]],
    "errors-per-day": [
        ["2026-11-21", "payment", "10", "25.0"],
        ["2026-11-21", "inventory", "0", "0.0"],
        ["2026-11-20", "payment", "25", "20.0"],
        ["2026-11-20", "notification", "0", "0.0"],
    ],
    "job-runs": [
        [f"r{n}", str(n), f"2026-11-21 1{n}:00:00.000", "120", None, None, str(n), None, None, None, None, None]
        for n in (2, 1, 0)
    ],
    "late-data": [["inventory", "2026-11-21", "1", "360"], ["payment", "2026-11-20", "1", "1800"]],
    "latency-by-service": [
        ["payment", "165", p(PAYMENT, 0.5), p(PAYMENT, 0.95), p(PAYMENT, 0.99)],
        ["inventory", "4", p(STOCK, 0.5), p(STOCK, 0.95), p(STOCK, 0.99)],
    ],
    "new-error-types": [
        ["OutOfStock", "inventory", "2026-11-21 10:01:00.000", "2", "at 21 10:02"],
        ["Timeout", "inventory", NEXT, "1", "at 21 10:00"],
    ],
    "p95-by-endpoint": [
        ["payment", "/pay", "125", p(PAY, 0.95)],
        ["payment", "/refund", "40", p(REFUND, 0.95)],
        ["inventory", "/stock", "4", p(STOCK, 0.95)],
    ],
    "recent-rejects": [
        ["not JSON", "3", "2026-11-21 02:00:00.000", "21-2"],
        ["no level", "1", "2026-11-21 00:00:00.000", "21-0"],
    ],
    "rejects-by-day": [
        ["2026-11-21", "not JSON", "2"],
        ["2026-11-21", "no level", "1"],
        ["2026-11-20", "not JSON", "1"],
    ],
    "server-errors-by-endpoint": [["payment", "/pay", "25", "20.0"], ["payment", "/refund", "10", "25.0"]],
    "slow-requests": [["2026-11-21T10:00:00.000Z", "/x", "1500.5", "500"]],
    "slowest-endpoints": [
        ["payment", "/pay", "125", "67.2", "500.0"],
        ["payment", "/refund", "40", "25.0", "40.0"],
        ["inventory", "/stock", "4", "2.0", "2.0"],
    ],
    "top-talkers": [["10.0.0.0", "2", "1", "150"], ["10.9.0.0", "1", "1", None]],
    "trace-lookup": [
        ["2026-11-20 09:00:00.000", "payment", "ERROR", None, None, "500", None, "Timeout", "at 20 09:00"],
        ["2026-11-21 10:01:00.000", "inventory", "CRITICAL", None, None, None, None, "OutOfStock", "at 21 10:01"],
    ],
    "users-with-most-errors": [["ann", "2", "CardDeclined, Timeout"], ["bob", "2", "OutOfStock, Timeout"]],
    "volume-by-level-and-hour": [
        [NEXT, "INFO", "30"],
        [NEXT, "CRITICAL", "10"],
        [NEXT, "WARNING", "4"],
        [MORNING, "INFO", "107"],
        [MORNING, "ERROR", "25"],
    ],
    "volume-by-service": [
        ["payment", "165", "35", "21.2"],
        ["notification", "7", "0", "0.0"],
        ["inventory", "4", "0", "0.0"],
    ],
}
PARAMETERS = {
    "deploy-comparison": ["'2026-11-21 10:01:30'"],
    "new-error-types": ["DATE '2026-11-21'"],
    "trace-lookup": ["'t1'"],
}
UNORDERED_TIES = {"count-by-level", "late-data"}


def test_every_named_query_has_an_answer_here():
    assert set(ANSWERS) == {query.name for query in named_queries()}
    assert len(ANSWERS) >= 15


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_named_query_answers_what_the_data_hold(known, name):
    sql = named_query(name).sql(DATABASE)
    values = PARAMETERS.get(name)
    rows = known.rows(sql, **({"ExecutionParameters": values} if values else {}))
    if name in UNORDERED_TIES:
        assert sorted(rows) == sorted(ANSWERS[name])
    else:
        assert rows == ANSWERS[name]
