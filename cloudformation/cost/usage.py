"""What a month is charged for: usage worked out from a rate of events and the stack's parameters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import UsageError

HOURS = 730.0
"""Hours in a month, as AWS's own calculator counts them."""
GB = 2.0**30
"""What AWS means by a GB of traffic or storage."""
MIB = 2.0**20

_RECORD_BYTES = 50 * 1024
"""Bytes of an aggregated record as the producer fills them at high rates: two PUT units of 25 KB."""
_LINGER_SECONDS = 0.1
"""At low rates the producer sends what it has this often, however little it is."""
_GZIP = 0.153
"""Raw gzip bytes for each byte of JSON: 30,000 generated events, 17.9 MB, packed to 2.73 MB."""
_SHARD_SHARE = 0.7
"""Share of a shard's limit to plan with; the rest is for peaks and uneven keys."""
_LAMBDA_EVENTS_PER_SECOND = 15_000
"""Events that 512 MB of Lambda, a third of a core, transform in a second; a core here does several times that."""
_CRAWL_DPU, _CRAWL_HOURS = 2, 10 / 60
"""A crawl runs on two DPUs; ten minutes are the least that is charged for one."""
_JOB_EVENTS_PER_DPU_SECOND = 15_000
"""Events that one DPU (4 vCPU) curates in a second: cautious, as two cores of a laptop do more than that."""
_DPU = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "R.1X": 1, "R.2X": 2}


@dataclass(frozen=True, slots=True)
class Traffic:
    """What flows: mean events a second, bytes of one, services that write, peak over mean, queries a day."""

    events_per_second: float = 50.0
    event_bytes: float = 600.0
    services: int = 6
    peak: float = 2.0
    queries_per_day: float = 500.0
    bytes_per_query: float = 10e6
    kept_share: float = 0.1

    @property
    def bytes_per_second(self) -> float:
        return self.events_per_second * self.event_bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """A month's amounts, each in the unit that AWS charges; names say which."""

    shard_hours: float
    put_units: float
    on_demand_gb_in: float
    on_demand_gb_out: float
    on_demand_hours: float
    delivery_gb_in: float
    delivery_gb_out: float
    delivery_objects: float
    lambda_requests: float
    lambda_gb_seconds: float
    storage_gb: float
    storage_infrequent_gb: float
    storage_puts: float
    storage_gets: float
    job_dpu_hours: float
    crawler_dpu_hours: float
    athena_tb: float
    alarms: float
    dashboards: float
    logs_gb: float


def shards_for(traffic: Traffic) -> int:
    """Return the shards that take the peak with a margin: 1 MiB/s each; aggregation keeps records far below 1,000/s."""
    return max(1, math.ceil(traffic.bytes_per_second * traffic.peak / (MIB * _SHARD_SHARE)))


def monthly_usage(traffic: Traffic, parameters: Mapping[str, str], alarms: int) -> Usage:
    """Return what a month of `traffic` uses of a stack with these parameters (of `pipeline.yaml`)."""
    seconds = HOURS * 3600
    gigabytes = traffic.bytes_per_second * seconds / GB
    stream = parameters["IngestMode"] == "stream"
    on_demand = stream and parameters["StreamMode"] == "ON_DEMAND"
    records = _records_per_second(traffic) * seconds
    shards = max(shards_for(traffic), int(parameters["ShardCount"]))
    objects = _objects_per_month(traffic, parameters)
    raw_gb_day = gigabytes / (HOURS / 24) * _GZIP
    return Usage(
        shard_hours=shards * HOURS if stream and not on_demand else 0,
        put_units=max(records, gigabytes * GB / 25_600) if stream and not on_demand else 0,
        on_demand_gb_in=gigabytes if on_demand else 0,
        on_demand_gb_out=gigabytes if on_demand else 0,
        on_demand_hours=HOURS if on_demand else 0,
        delivery_gb_in=_delivery_gb(traffic, stream),
        delivery_gb_out=gigabytes,
        delivery_objects=objects,
        lambda_requests=max(gigabytes * GB / MIB, seconds / 10),
        lambda_gb_seconds=traffic.events_per_second * seconds / _LAMBDA_EVENTS_PER_SECOND * 0.5,
        storage_gb=raw_gb_day * 30 * (1 + traffic.kept_share),
        storage_infrequent_gb=raw_gb_day * max(0, int(parameters["RawRetentionDays"]) - 30),
        storage_puts=objects * 2,
        storage_gets=objects * 2 + traffic.queries_per_day * 30 * 20,
        job_dpu_hours=_job_dpu_hours(traffic, parameters),
        crawler_dpu_hours=firings_per_month(parameters["CrawlSchedule"]) * _CRAWL_DPU * _CRAWL_HOURS,
        athena_tb=traffic.queries_per_day * HOURS / 24 * max(traffic.bytes_per_query, 10e6) / 1e12,
        alarms=alarms,
        dashboards=1,
        logs_gb=0.2,
    )


def _records_per_second(traffic: Traffic) -> float:
    full = traffic.bytes_per_second / _RECORD_BYTES
    return max(full, min(traffic.events_per_second, 1 / _LINGER_SECONDS))


def _delivery_gb(traffic: Traffic, stream: bool) -> float:
    # Behind a stream each event is a record of its own after de-aggregation, and is rounded up to 5 KB; put
    # directly, the producer fills records with as many events as fit.
    size = math.ceil(traffic.event_bytes / 5120) * 5120 if stream else traffic.event_bytes
    return traffic.events_per_second * size * HOURS * 3600 / GB


def _objects_per_month(traffic: Traffic, parameters: Mapping[str, str]) -> float:
    by_time = HOURS * 3600 / float(parameters["BufferSeconds"]) * traffic.services
    by_size = traffic.bytes_per_second * HOURS * 3600 / (float(parameters["BufferMegabytes"]) * MIB)
    return max(by_time, by_size)


def _job_dpu_hours(traffic: Traffic, parameters: Mapping[str, str]) -> float:
    runs = firings_per_month(parameters["JobSchedule"])
    workers = int(parameters["NumberOfWorkers"])
    dpu = _DPU[parameters["WorkerType"]]
    events = traffic.events_per_second * HOURS * 3600 / runs
    busy = events / (_JOB_EVENTS_PER_DPU_SECOND * dpu * max(workers - 1, 1))
    return runs * max(60.0, 45.0 + busy) / 3600 * dpu * workers


def firings_per_month(schedule: str) -> float:
    """Return how often `cron(minutes hours day-of-month month day-of-week year)` fires in a mean month."""
    fields = schedule.removeprefix("cron(").removesuffix(")").split()
    if len(fields) != 6:
        raise UsageError(
            f"a schedule must be cron(minutes hours day-of-month month day-of-week year); got {schedule!r}"
        )
    minutes, hours = _matches(fields[0], 0, 59), _matches(fields[1], 0, 23)
    days = 730 / 24
    if fields[2] not in ("*", "?"):
        days = float(_matches(fields[2], 1, 31))
    elif fields[4] not in ("*", "?"):
        days *= _matches(fields[4], 1, 7) / 7
    return minutes * hours * days * _matches(fields[3], 1, 12) / 12


def _matches(field: str, first: int, last: int) -> int:
    """Return how many values of `first`..`last` a field of a cron expression names: `*`, `5`, `0/15`, `1-5`, `2,4`."""
    names = "SUN MON TUE WED THU FRI SAT" if last == 7 else "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
    for number, name in enumerate(names.split(), 1):
        field = field.upper().replace(name, str(number))
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        start = first if low in ("*", "?") else int(low)
        stop = last if low in ("*", "?") or (step and not high) else int(high or low)
        found.update(range(start, stop + 1, int(step or 1)))
    return len(found)
