"""What the pipeline costs at AWS's list prices, us-east-1: so far where it is counted, and a month at today's rate.

Prices of September 2026. A laptop is not billed; the figures are what AWS would ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.inspection import JobRun

MONTH_HOURS = 730
KINESIS_SHARD_HOUR = 0.015
KINESIS_MILLION_UNITS = 0.014
FIREHOSE_GB = 0.029 + 0.020
"""Delivery from a stream, and dynamic partitioning."""
FIREHOSE_RECORD_BYTES = 5000
"""Firehose bills records in steps of 5 KB; the producer's aggregation is undone before it counts."""
GLUE_DPU_HOUR = 0.44
GLUE_MINIMUM_SECONDS = 60
S3_GB_MONTH = 0.023
ATHENA_BYTE = 5 / 10**12
UNIT_BYTES = 25_000


@dataclass(frozen=True, slots=True)
class Day:
    """What arrived in the last 24 hours: events, raw bytes as stored, and over how many hours they were counted."""

    events: float
    stored_bytes: float
    hours: float


@dataclass(frozen=True, slots=True)
class Line:
    """One service's dollars: so far (None where nobody counts it), a month at the rate of the last day, and of what."""

    name: str
    so_far: float | None
    month: float | None
    basis: str


def lines(day: Day | None, runs: Sequence[JobRun], scanned_bytes: int, scanned_hours: float) -> list[Line]:
    """Return the bill; stages that depend on what arrived have no month without a day's counts."""
    per_month = MONTH_HOURS / day.hours if day and day.hours else 0.0
    events = day.events * per_month if day else 0.0
    stored = day.stored_bytes * per_month if day else 0.0
    known = bool(day and day.hours)
    units = KINESIS_SHARD_HOUR * MONTH_HOURS + events / 50 / 10**6 * KINESIS_MILLION_UNITS
    delivered = events * FIREHOSE_RECORD_BYTES / 10**9 * FIREHOSE_GB
    athena = scanned_bytes * ATHENA_BYTE
    return [
        Line("Kinesis", None, units if known else None, "one shard, 50 events to a record"),
        Line("Firehose", None, delivered if known else None, "5 KB an event at least, dynamic partitioning"),
        Line("Glue job", sum(glue_dollars(run) for run in runs), _glue_month(runs), f"the latest {len(runs)} runs"),
        Line("S3", None, stored / 10**9 * S3_GB_MONTH if known else None, "a month of raw data, kept a month"),
        Line(
            "Athena", athena, athena / scanned_hours * MONTH_HOURS if scanned_hours else None, "the dashboard's queries"
        ),
    ]


def glue_dollars(run: JobRun) -> float:
    """Return what a run costs: a minute at least."""
    return max(run.seconds, GLUE_MINIMUM_SECONDS) / 3600 * run.dpus * GLUE_DPU_HOUR


def _glue_month(runs: Sequence[JobRun]) -> float | None:
    if len(runs) < 2:
        return None
    hours = (runs[0].started_at - runs[-1].started_at).total_seconds() / 3600
    return sum(glue_dollars(run) for run in runs[:-1]) / hours * MONTH_HOURS if hours else None
