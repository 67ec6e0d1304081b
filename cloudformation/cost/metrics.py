"""What a running stack used: its own metrics of some days, brought to a month. Boto3 is at home here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.errors import LoglakeError

_DAYS_A_MONTH = 730 / 24


@dataclass(frozen=True, slots=True)
class Observed:
    """Events a second and bytes of one as Firehose took them in; `usage` holds amounts of `Usage` for a month."""

    events_per_second: float
    event_bytes: float
    usage: Mapping[str, float]


class Metrics:
    """A stack's metrics over the last `days`; `settings` are the stack's outputs."""

    def __init__(self, session: Any, settings: Mapping[str, str], days: int) -> None:
        self._cloudwatch = session.client("cloudwatch")
        self._glue = session.client("glue")
        self._settings = settings
        self._end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        self._start = self._end - timedelta(days=days)
        self._days = days

    def read(self) -> Observed:
        """Return what was used; raise `LoglakeError` when nothing was delivered in that time."""
        delivery = {"DeliveryStreamName": self._settings["delivery_stream"]}
        source = "DataReadFromKinesisStream.Bytes" if self._settings.get("stream") else "IncomingBytes"
        events, first = self._sum("AWS/Firehose", "DeliveryToS3.Records", delivery)  # of a stream: after de-aggregation
        size = self._sum("AWS/Firehose", source, delivery)[0] or self._sum("AWS/Firehose", "IncomingBytes", delivery)[0]
        if first is None:
            raise LoglakeError(
                f"the delivery stream {delivery['DeliveryStreamName']!r} must have delivered something in the last "
                f"{self._days} days; its metrics say nothing; try 'loglake cost --rate EVENTS_PER_SECOND'"
            )
        seconds = max((self._end - max(first, self._start)).total_seconds(), 3600.0)
        month = _DAYS_A_MONTH * 86_400 / seconds
        scanned, _ = self._sum("AWS/Athena", "ProcessedBytes", {"WorkGroup": self._settings["work_group"]})
        usage = {"athena_tb": scanned * month / 1e12, "job_dpu_hours": self._job_dpu_seconds() * month / 3600}
        return Observed(events / seconds, size / events, {name: value for name, value in usage.items() if value})

    def _sum(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> tuple[float, datetime | None]:
        """Return the sum of a metric's hours, and the first hour that has any."""
        points = self._cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=self._start,
            EndTime=self._end,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        found = [point for point in points if point["Sum"]]
        return sum(point["Sum"] for point in found), min((point["Timestamp"] for point in found), default=None)

    def _job_dpu_seconds(self) -> float:
        total = 0.0
        for page in self._glue.get_paginator("get_job_runs").paginate(JobName=self._settings["job"]):
            for run in page["JobRuns"]:
                if run["StartedOn"] < self._start:
                    return total
                total += run.get("DPUSeconds") or run.get("ExecutionTime", 0) * (run.get("MaxCapacity") or 2.0)
        return total
