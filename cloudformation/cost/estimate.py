"""The bill: usage times rates, line by line, and the levers that would change it most."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloudformation.cost.rates import Rates
from cloudformation.cost.usage import HOURS, Traffic, Usage


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill: the service, what is charged, the amount with its unit, US dollars a month."""

    service: str
    item: str
    amount: float
    unit: str
    dollars: float

    def as_dict(self) -> dict[str, Any]:
        """Return the line for JSON."""
        return {
            "service": self.service,
            "item": self.item,
            "amount": self.amount,
            "unit": self.unit,
            "dollars": round(self.dollars, 2),
        }


@dataclass(frozen=True, slots=True)
class Lever:
    """A change of one parameter, what to set it to, and what a month would then cost less."""

    parameter: str
    value: str
    effect: str
    saves: float


def bill(usage: Usage, rates: Rates, parameters: Mapping[str, str]) -> tuple[Line, ...]:
    """Return the lines of a month's bill, those of nothing left out."""
    dpu = _glue_rate(parameters)
    lines = (
        ("Kinesis", "shards", usage.shard_hours, "shard-hours", rates["stream_shard_hour"]),
        ("Kinesis", "puts", usage.put_units / 1e6, "M units", rates["stream_put_unit_million"]),
        ("Kinesis", "on demand", usage.on_demand_hours, "hours", rates["stream_on_demand_hour"]),
        ("Kinesis", "written", usage.on_demand_gb_in, "GB", rates["stream_on_demand_gb_in"]),
        ("Kinesis", "read", usage.on_demand_gb_out, "GB", rates["stream_on_demand_gb_out"]),
        ("Firehose", "taken in", usage.delivery_gb_in, "GB", rates["delivery_gb_in"]),
        ("Firehose", "partitioned", usage.delivery_gb_out, "GB", rates["delivery_partitioned_gb"]),
        ("Firehose", "objects", usage.delivery_objects / 1e3, "thousand", rates["delivery_objects_thousand"]),
        ("Lambda", "requests", usage.lambda_requests / 1e6, "million", rates["lambda_request_million"]),
        ("Lambda", "running", usage.lambda_gb_seconds, "GB-seconds", rates["lambda_gb_second"]),
        ("S3", "30 days and curated", usage.storage_gb, "GB", rates["storage_gb_month"]),
        ("S3", "older raw", usage.storage_infrequent_gb, "GB", rates["storage_infrequent_gb_month"]),
        ("S3", "puts", usage.storage_puts / 1e3, "thousand", rates["storage_put_thousand"]),
        ("S3", "gets", usage.storage_gets / 1e3, "thousand", rates["storage_get_thousand"]),
        ("Glue", "curation", usage.job_dpu_hours, "DPU-hours", rates[dpu]),
        ("Glue", "crawls", usage.crawler_dpu_hours, "DPU-hours", rates["crawler_dpu_hour"]),
        ("Athena", "scanned", usage.athena_tb, "TB", rates["athena_tb"]),
        ("CloudWatch", "alarms", usage.alarms, "alarms", rates["alarm_month"]),
        ("CloudWatch", "dashboard", usage.dashboards, "dashboards", rates["dashboard_month"]),
        ("CloudWatch", "logs", usage.logs_gb, "GB", rates["logs_gb"]),
    )
    return tuple(Line(*line[:4], dollars=line[2] * line[4]) for line in lines if line[2])


def total(lines: tuple[Line, ...]) -> float:
    """Return the US dollars of all lines."""
    return sum(line.dollars for line in lines)


def levers(parameters: Mapping[str, str], price: Callable[[Mapping[str, str]], float]) -> tuple[Lever, ...]:
    """Return what each change of one parameter would save, dearest first; `price` is the bill of given parameters.

    Changes that save less than a dollar a month are left out.
    """
    now = price(parameters)
    found = []
    for parameter, value, effect in _CHANGES:
        if parameters.get(parameter) == value:
            continue
        saves = now - price({**parameters, parameter: value})
        if saves >= 1:
            found.append(Lever(parameter, value, effect, saves))
    return tuple(sorted(found, key=lambda lever: -lever.saves))


def observed(usage: Usage, measured: Mapping[str, float]) -> Usage:
    """Return the usage with what the stack's own metrics say in place of what was worked out."""
    return replace(usage, **measured)


def per_million_events(lines: tuple[Line, ...], traffic: Traffic) -> float:
    """Return the US dollars for a million events."""
    return total(lines) / (traffic.events_per_second * HOURS * 3600 / 1e6)


_CHANGES = (
    ("JobSchedule", "cron(0 * * * ? *)", "curated tables up to an hour behind; live counts are not"),
    ("GlueVersion", "6.0", "Spark 4.1, charged 30 % less for a DPU-hour"),
    ("ExecutionClass", "FLEX", "a run starts when there is spare capacity"),
    ("CrawlSchedule", "cron(0 0 * * ? *)", "a new service is seen after up to a day; the job does not wait for it"),
    ("BufferSeconds", "300", "objects five minutes late, a fifth as many"),
    ("IngestMode", "direct", "no stream: no live page, no replay of the last day; a delivery stream replaced"),
    ("StreamMode", "PROVISIONED", "shards that you count yourself"),
    ("RawRetentionDays", "90", "raw objects gone after 90 days; curated ones stay"),
)


def _glue_rate(parameters: Mapping[str, str]) -> str:
    if parameters["ExecutionClass"] == "FLEX":
        return "glue_dpu_hour_flex"
    return f"glue_dpu_hour_{parameters['GlueVersion'].replace('.', '_')}"
