"""A lake worth looking at: six services over some hours, with an incident in payment, as Parquet in a folder.

Laid out as the lake is: `logs`, `log_minutes` and the raw tables partitioned by strings, raw timestamps as ISO texts.
"""
# ruff: noqa: E501  the SQL reads better in whole lines

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from catalog.latency import BASE, HIGHEST_BUCKET, LOWEST_BUCKET
from catalog.names import table_name

DATABASE = "app_logs_db"
VARYING = re.compile(r"\"[^\"]*\"|\b[A-Za-z_-]*\d[\w.:%+-]*(?<![.:])")
"""What a pattern leaves open; the job's own expression has more kinds."""


@dataclass(frozen=True)
class Service:
    """How one service behaves: share of the traffic, median milliseconds, error rate, endpoints, error types."""

    name: str
    share: float
    median_ms: float
    error_rate: float
    endpoints: tuple[str, ...]
    errors: tuple[str, ...]


SERVICES = (
    Service(
        "api-gateway",
        0.34,
        38,
        0.006,
        ("/v1/orders", "/v1/cart", "/v1/search", "/v1/session", "/healthz"),
        ("UpstreamTimeout", "BadGateway"),
    ),
    Service(
        "authentication",
        0.17,
        22,
        0.009,
        ("/login", "/token/refresh", "/logout", "/mfa/verify"),
        ("InvalidToken", "RateLimited"),
    ),
    Service(
        "user-service",
        0.15,
        31,
        0.005,
        ("/users/{id}", "/users/{id}/address", "/users/search"),
        ("NotFound", "ReplicaLag"),
    ),
    Service(
        "payment",
        0.12,
        140,
        0.011,
        ("/charges", "/charges/{id}/capture", "/refunds", "/webhooks/psp"),
        ("CardDeclined", "PspTimeout", "PoolExhausted"),
    ),
    Service(
        "inventory",
        0.14,
        54,
        0.007,
        ("/stock/{sku}", "/stock/{sku}/reserve", "/warehouses"),
        ("StockConflict", "LockTimeout"),
    ),
    Service("notification", 0.08, 85, 0.013, ("/email", "/sms", "/push"), ("ProviderRejected", "TemplateMissing")),
)
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u202eright to left\u2028",
    "{{constructor}}",
    "😀 'quoted' \"twice\"",
)


def build(folder: Path, end: datetime, hours: int = 48, per_second: float = 5.0, seed: int = 7) -> Path:
    """Write the lake into `folder`, the last event just before `end`; return the folder."""
    rng = np.random.default_rng(seed)
    frame = pd.concat([_events(service, end, hours, per_second, rng) for service in SERVICES], ignore_index=True)
    return write(frame, folder, end)


def write(frame: pd.DataFrame, folder: Path, end: datetime) -> Path:
    """Write the lake of a frame of events, which may lack any of their values, into `folder`; return the folder."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.register("frame", frame)
    connection.execute("CREATE TABLE events AS SELECT * FROM frame")
    _write(connection, folder, end)
    return folder


def _events(service: Service, end: datetime, hours: int, per_second: float, rng: np.random.Generator) -> pd.DataFrame:
    seconds = hours * 3600
    moment = np.arange(seconds)
    clock = (end.timestamp() - seconds + moment) % 86_400 / 86_400
    shape = 0.75 + 0.35 * np.sin(2 * np.pi * (clock - 0.35)) + 0.08 * np.sin(moment / 700)
    counts = rng.poisson(per_second * service.share * shape)
    offset = np.repeat(moment, counts) + rng.random(counts.sum())
    left = seconds - offset
    in_incident = (service.name in ("payment", "api-gateway")) & (left < 38 * 60) & (left > 11 * 60)
    weight = np.where(in_incident, 1.0 if service.name == "payment" else 0.25, 0.0)
    return _columns(service, end - timedelta(seconds=seconds), offset, weight, rng)


def _columns(
    service: Service, start: datetime, offset: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    size = len(offset)
    endpoint = rng.choice(service.endpoints, size, p=_falling(len(service.endpoints)))
    guilty = weight * np.where(endpoint == service.endpoints[0], 1.6, 0.6)
    failed = rng.random(size) < service.error_rate + 0.22 * guilty
    duration = (
        service.median_ms
        * np.exp(rng.normal(0, 0.55, size))
        * (1 + 4.5 * guilty * rng.random(size))
        * np.where(failed, 2.2, 1)
    )
    chance = rng.random(size)
    level = np.where(
        failed,
        np.where(chance < 0.06, "CRITICAL", "ERROR"),
        np.where(chance < 0.045, "WARNING", np.where(chance < 0.25, "DEBUG", "INFO")),
    )
    status = np.where(
        failed,
        rng.choice([500, 502, 503, 504], size),
        np.where(
            chance < 0.045, rng.choice([400, 401, 404, 429], size), rng.choice([200, 200, 200, 201, 204, 304], size)
        ),
    )
    error = np.where(failed, np.where(guilty > 0, service.errors[-1], rng.choice(service.errors, size)), None)
    frame = pd.DataFrame(
        {
            "moment": pd.to_datetime(start.timestamp() * 1000 + np.floor(offset * 1000), unit="ms"),
            "level": level,
            "service": service.name,
        }
    )
    frame["event_id"] = [f"0192{value:028x}" for value in rng.integers(0, 2**60, size)]
    frame = frame.assign(environment="production", host=[f"{service.name}-{n}" for n in rng.integers(1, 5, size)])
    frame = frame.assign(
        http_method=rng.choice(["GET", "POST", "PUT"], size), endpoint=endpoint, status_code=status.astype("int32")
    )
    frame = frame.assign(
        response_time_ms=np.round(duration, 2),
        request_bytes=rng.integers(80, 4000, size),
        response_bytes=rng.integers(200, 60_000, size),
    )
    frame = frame.assign(client_ip="203.0.113.0", user_agent="Mozilla/5.0", error_type=error)
    frame["user_id"] = [f"u{value}" for value in rng.integers(1000, 9999, size)]
    frame["trace_id"] = [f"{value:032x}" for value in rng.integers(0, 2**62, size)]
    frame["message"] = _messages(frame, rng)
    frame["pattern"] = [VARYING.sub("<*>", message.split("\n")[0]) for message in frame["message"]]
    return frame


def _messages(frame: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    lines = [
        f"{method} {endpoint} failed after {ms:.0f} ms: {error}"
        if isinstance(error, str)
        else f"slow or refused: {method} {endpoint} answered {status} in {ms:.0f} ms"
        if level == "WARNING"
        else f"{method} {endpoint} answered {status} in {ms:.0f} ms"
        for method, endpoint, ms, error, status, level in zip(
            frame.http_method,
            frame.endpoint,
            frame.response_time_ms,
            frame.error_type,
            frame.status_code,
            frame.level,
            strict=True,
        )
    ]
    if frame["service"].iloc[0] == "notification":
        places = np.flatnonzero((frame.level == "WARNING").to_numpy())
        for number, place in enumerate(places[-len(HOSTILE) :]):
            lines[place] = HOSTILE[number]
    return lines


def _falling(count: int) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1)
    return weights / weights.sum()


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, end: datetime) -> None:
    day = "strftime(moment, '%Y') AS year, strftime(moment, '%m') AS month, strftime(moment, '%d') AS day"
    body = "event_id, level, environment, host, http_method, endpoint, status_code, response_time_ms, request_bytes, response_bytes, client_ip, user_id, user_agent, trace_id, message, error_type"
    _copy(
        connection,
        f"SELECT moment AS timestamp, {body}, moment + INTERVAL 3 SECOND AS received_at, NULL::VARCHAR AS extra, md5(pattern)[:16] AS pattern_id, pattern, service, {day} FROM events WHERE COALESCE(level, '') NOT IN ('DEBUG', 'INFO')",
        folder / "logs",
        "service, year, month, day",
    )
    for service in SERVICES:
        iso = "strftime(moment, '%Y-%m-%dT%H:%M:%S.%g') || 'Z'"
        _copy(
            connection,
            f"SELECT {iso} AS timestamp, service, {body}, {day} FROM events WHERE service = '{service.name}' ORDER BY moment",
            folder / table_name(service.name),
            "year, month, day",
        )
    bucket = f"CASE WHEN response_time_ms IS NOT NULL THEN greatest({LOWEST_BUCKET}, least({HIGHEST_BUCKET}, floor(ln(greatest(response_time_ms, 0.1)) / ln({BASE})))::INT) END"
    minutes = f"""SELECT date_trunc('minute', moment) AS minute, service, level, CASE WHEN status_code BETWEEN 100 AND 599 THEN (status_code // 100)::VARCHAR || 'xx' END AS status_class, endpoint,
        count(*) AS event_count, sum(response_bytes)::BIGINT AS response_bytes_sum, sum(response_time_ms) AS response_time_ms_sum,
        max(response_time_ms) AS response_time_ms_max, histogram({bucket})::MAP(INT, BIGINT) AS latency_histogram, histogram(pattern)::MAP(VARCHAR, BIGINT) AS patterns, {day}
        FROM events GROUP BY ALL"""
    _copy(connection, minutes, folder / "log_minutes", "year, month, day")
    _copy(
        connection,
        f"""SELECT 'run-' || i AS run_id, i AS batch_id, TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' - INTERVAL (i * 10) MINUTE AS started_at,
        TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' - INTERVAL (i * 600 - 42) SECOND AS finished_at, 14 + i % 5 AS input_objects, 9000 + i * 37 % 800 AS input_rows,
        600 + i AS log_rows, 700 AS minute_rows, 9000 + i * 37 % 800 - i % 3 AS counted_rows, i % 3 AS reject_rows, i % 2 AS duplicate_rows, 8400 AS dropped_level_rows, 1200000 AS input_bytes,
        TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' - INTERVAL (i * 10 + 12) MINUTE AS oldest_received_at,
        TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' - INTERVAL (i * 600) SECOND AS newest_received_at FROM range(0, 24) r(i)""",
        folder / "runs",
        "",
    )
    _copy(
        connection,
        f"""SELECT '`status_code` must be int; got ''two hundred''' AS reason, '{{"event_id": "x", "level": "INFO"' AS raw_line,
        'logs/payment/x-' || i || '.json.gz' AS source_object, TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' - INTERVAL (i) HOUR AS rejected_at,
        '{end:%Y}' AS year, '{end:%m}' AS month, '{end:%d}' AS day FROM range(0, 7) r(i)""",
        folder / "rejects",
        "year, month, day",
    )


def _copy(connection: duckdb.DuckDBPyConnection, query: str, folder: Path, partition: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if partition:
        connection.execute(
            f"COPY ({query}) TO '{folder}' (FORMAT parquet, PARTITION_BY ({partition}), OVERWRITE_OR_IGNORE)"
        )
    else:
        connection.execute(f"COPY ({query}) TO '{folder}/part.parquet' (FORMAT parquet)")


def now_end() -> datetime:
    """Return the end of a demo lake that looks alive: the current minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
