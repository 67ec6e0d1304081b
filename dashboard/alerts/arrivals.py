"""How events arrived: live, minute by minute, or shipped in bulk. A file that somebody shipped once is no service."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.athena import read_csv
from dashboard.statements import Statement, among, partitions, timestamp_literal
from dashboard.timerange import Window

STRETCH_SECONDS = 600
LIVE_SECONDS = 300
"""An event that arrives later than this after it happened did not come live."""
HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a service sent of ten minutes: kept events, those that came live, and when the first and last arrived."""

    start: int
    events: int
    live: int
    first_received: int
    last_received: int


def arrivals(window: Window, services: Sequence[str]) -> Statement:
    """Return the statement for how the kept events of some services arrived, in stretches of ten minutes."""
    days, day_parameters = partitions(window)
    only, names = among("service", services)
    slot = f'CAST(floor(to_unixtime("timestamp") / {STRETCH_SECONDS}) AS bigint) * {STRETCH_SECONDS}'
    late = f'to_unixtime(received_at) - to_unixtime("timestamp") > {LIVE_SECONDS}'
    sql = (
        f"SELECT service, {slot} AS slot, count(*) AS events, sum(CASE WHEN {late} THEN 0 ELSE 1 END) AS live, "
        "CAST(min(to_unixtime(received_at)) AS bigint) AS first_received, "
        "CAST(max(to_unixtime(received_at)) AS bigint) AS last_received "
        f'FROM logs WHERE {days} AND "timestamp" >= ? AND "timestamp" < ?{only} GROUP BY service, {slot}'
    )
    bounds = (timestamp_literal(window.start), timestamp_literal(window.end))
    return Statement(sql, day_parameters + bounds + names)


def read_arrivals(content: bytes) -> dict[str, list[Stretch]]:
    """Return the stretches of each service, the oldest first."""
    found: dict[str, list[Stretch]] = {}
    for service, *numbers in read_csv(content)[1]:
        found.setdefault(str(service), []).append(Stretch(*(int(float(number or 0)) for number in numbers)))
    return {service: sorted(stretches, key=lambda stretch: stretch.start) for service, stretches in found.items()}


def was_shipped_once(stretches: Sequence[Stretch]) -> bool:
    """Return whether an hour of events or more arrived within less than one."""
    if not stretches:
        return False
    happened = stretches[-1].start + STRETCH_SECONDS - stretches[0].start
    took = max(found.last_received for found in stretches) - min(found.first_received for found in stretches)
    return took < HOUR_SECONDS <= happened


def is_live(stretches: Sequence[Stretch]) -> bool:
    """Return whether at least half of a service's latest hour came live; without kept events nothing says otherwise."""
    latest = [found for found in stretches if found.start > stretches[-1].start - HOUR_SECONDS]
    return sum(found.live for found in latest) * 2 >= sum(found.events for found in latest)


def fed() -> Statement:
    """Return the statement for how many seconds of arrivals the lake has taken in: few when it was shipped to once."""
    span = "to_unixtime(newest_received_at) - to_unixtime(oldest_received_at)"
    return Statement(f"SELECT CAST(sum({span}) AS bigint) AS seconds FROM runs")


def was_fed(content: bytes) -> bool:
    """Return whether the lake has been fed for an hour in all."""
    rows = read_csv(content)[1]
    return bool(rows) and int(float(rows[0][0] or 0)) >= HOUR_SECONDS
