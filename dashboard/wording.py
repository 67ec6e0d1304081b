"""Numbers, durations and times as people read them: one way everywhere."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DOLLARS_PER_BYTE = 5 / 10**12
LEAST_BILLED_BYTES = 10 * 10**6
NOTHING = "–"
LONGEST_SECONDS = 100 * 365 * 86_400.0


def count(value: float | None) -> str:
    """Return `66,855`; from ten million on `12.3 M`."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:,.0f}" if value < 10**7 else short(value)


def short(value: float | None) -> str:
    """Return `66.9 k`."""
    if value is None or math.isnan(value):
        return NOTHING
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f}"


def share(value: float | None) -> str:
    """Return `0.41 %`, `12.3 %`."""
    if value is None or math.isnan(value):
        return NOTHING
    percent = value * 100
    return f"{percent:.1f} %" if percent >= 10 else f"{percent:.2f} %"


def duration(ms: float | None) -> str:
    """Return `41 ms`, `1.24 s`, `3 min 5 s`."""
    if ms is None or math.isnan(ms):
        return NOTHING
    if ms < 1000:
        return f"{ms:.3g} ms" if ms < 10 else f"{ms:.0f} ms"
    if ms / 1000 > LONGEST_SECONDS:
        return "> 100 years"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s"
    return age(ms / 1000)


def age(seconds: float) -> str:
    """Return `42 s`, `11 min`, `3 h 5 min`, `2 d 4 h`."""
    seconds = max(0, round(min(seconds, LONGEST_SECONDS)))
    for limit, unit, small, name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= limit:
            rest = seconds % limit // small
            return f"{seconds // limit} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def size(value: float | None) -> str:
    """Return bytes in decimal units, as Athena bills: `412 MB`."""
    if value is None:
        return NOTHING
    for limit, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f} B"


def dollars(scanned_bytes: int, executions: int = 1) -> str:
    """Return what Athena charges for a scan: 5 dollars a TB, 10 MB a query at least."""
    billed = max(scanned_bytes, LEAST_BILLED_BYTES * executions) if scanned_bytes else 0
    amount = billed * DOLLARS_PER_BYTE
    if 0 < amount < 0.0001:
        return "< $0.0001"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def change(value: float | None) -> str:
    """Return a relative change: `+12 %`, `×3.4` when it more than doubled."""
    if value is None:
        return "no earlier data"
    if value >= 1:
        return f"×{value + 1:.1f}"
    percent = round(value * 100)
    return f"{percent:+d} %".replace("-", "−") if percent else "±0 %"


def clock(moment: datetime, zone: str = "UTC") -> str:
    """Return `20:28:40` in a zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def day_and_clock(moment: datetime, zone: str = "UTC") -> str:
    """Return `Sat 21 Nov, 20:28` in a zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M}"


def moment(value: datetime) -> str:
    """Return `2026-11-21 20:28 UTC`: for what is read far from any page with a zone of its own."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def from_epoch(seconds: float) -> datetime:
    """Return the aware UTC moment of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)
