"""CloudWatch metrics of delivery streams, namespace `AWS/Firehose`, once a minute."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NAMESPACE = "AWS/Firehose"
UNITS: Mapping[str, str] = {
    "IncomingRecords": "Count",
    "IncomingBytes": "Bytes",
    "DeliveryToS3.Records": "Count",
    "DeliveryToS3.Bytes": "Bytes",
    "DeliveryToS3.ObjectCount": "Count",
    "DeliveryToS3.Success": "Count",
    "DeliveryToS3.DataFreshness": "Seconds",
    "BackupToS3.Records": "Count",
    "BackupToS3.Bytes": "Bytes",
    "BackupToS3.Success": "Count",
    "PartitionCount": "Count",
    "PartitionCountExceeded": "Count",
    "ActivePartitionsLimit": "Count",
    "ThrottledRecords": "Count",
}


@dataclass(slots=True)
class Statistic:
    """What CloudWatch calls a statistic set."""

    total: float = 0.0
    count: int = 0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, value: float) -> None:
        self.total += value
        self.count += 1
        self.low, self.high = min(self.low, value), max(self.high, value)


@dataclass
class Counters:
    """The numbers of one delivery stream: those of this minute, and totals since the endpoint started. Thread-safe."""

    totals: dict[str, float] = field(default_factory=dict)
    _minute: dict[str, Statistic] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **values: float) -> None:
        """Add to metrics whose names have their dots written as `__`."""
        with self._lock:
            for python_name, value in values.items():
                name = python_name.replace("__", ".")
                self._minute.setdefault(name, Statistic()).add(value)
                self.totals[name] = self.totals.get(name, 0.0) + value

    def take(self) -> dict[str, Statistic]:
        """Return this minute's numbers and begin the next minute."""
        with self._lock:
            minute, self._minute = self._minute, {}
            return minute


def metric_data(stream: str, minute: Mapping[str, Statistic]) -> list[dict[str, Any]]:
    """Return one minute of a delivery stream as `PutMetricData` takes it."""
    now = datetime.fromtimestamp(time.time(), UTC)
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "DeliveryStreamName", "Value": stream}],
            "Timestamp": now,
            "Unit": UNITS[name],
            "StatisticValues": {
                "SampleCount": each.count,
                "Sum": each.total,
                "Minimum": each.low,
                "Maximum": each.high,
            },
        }
        for name, each in minute.items()
    ]
