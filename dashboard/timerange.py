"""Time ranges as people type them, and the moments they mean.

A range is two texts, `start` and `end`: relative (`now-6h`) or absolute (`2026-11-20T10:00:00Z`). Relative texts stay
relative in the URL, so a shared link keeps following the clock until someone freezes it.
"""

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from catalog.errors import UsageError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MAX_SPAN = timedelta(days=400)
MIN_SPAN = timedelta(minutes=1)

_RELATIVE = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_DURATION = re.compile(r"(?:last\s+)?(\d{1,6})\s*([smhdw])")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_HOW = "type '15m', 'now-6h to now-1h' or '2026-11-20 10:00 to 11:30'"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Two texts, each relative or absolute; `resolve` turns them into moments."""

    start: str = "now-1h"
    end: str = "now"

    @property
    def is_relative(self) -> bool:
        """Whether the range follows the clock."""
        return self.end.startswith("now")


@dataclass(frozen=True, slots=True)
class Window:
    """A resolved range: aware UTC moments, `start` included, `end` not."""

    start: datetime
    end: datetime

    @property
    def span(self) -> timedelta:
        return self.end - self.start

    @property
    def previous(self) -> "Window":
        """The window of equal length that ends where this one starts."""
        return Window(self.start - self.span, self.start)


@dataclass(frozen=True, slots=True)
class Told:
    """A range as the time control shows it: as typed, in words, and its first and last day."""

    text: str
    label: str
    first_day: str
    last_day: str


def tell(time_range: TimeRange, now: datetime, zone: ZoneInfo) -> Told:
    """Return how the time control shows a range in a zone."""
    window = resolve(time_range, now)
    start, end = (moment.astimezone(zone) for moment in (window.start, window.end))
    text = f"{time_range.start} to {time_range.end}"
    if not time_range.is_relative:
        text = f"{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
    same_day = start.date() == end.date()
    label = f"{start:%a %d %b %H:%M} – {end:%H:%M}" if same_day else f"{start:%a %d %b %H:%M} – {end:%a %d %b %H:%M}"
    return Told(text, label, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}")


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone so named; raise `UsageError` for one that does not exist."""
    if name not in zones():
        raise UsageError(f"a time zone must be UTC or an IANA name such as Europe/Berlin; got {name!r}")
    return ZoneInfo(name)


@functools.cache
def zones() -> frozenset[str]:
    """Return the names of all time zones; found once, for that reads a whole directory tree."""
    return frozenset(available_timezones())


def snap(now: datetime, span: timedelta) -> datetime:
    """Return `now` rounded down so that viewers of equal spans ask equal questions: 10 s, 60 s or 5 minutes."""
    step = 10 if span <= timedelta(hours=1) else 60 if span <= timedelta(days=1) else 300
    return datetime.fromtimestamp(now.timestamp() // step * step, UTC)


def resolve(time_range: TimeRange, now: datetime) -> Window:
    """Return the moments of a range; raise `UsageError` unless it is 1 minute to 400 days long and forward."""
    span = _moment(time_range.end, now) - _moment(time_range.start, now)
    snapped = snap(now, abs(span))
    window = Window(_moment(time_range.start, snapped), _moment(time_range.end, snapped))
    if not MIN_SPAN <= window.span <= MAX_SPAN:
        raise UsageError(
            f"a time range must be 1 minute to 400 days long; got {time_range.start!r} to {time_range.end!r}"
        )
    return window


def parse(text: str, now: datetime, zone: ZoneInfo | None = None) -> TimeRange:
    """Return the range that a person typed; times without an offset are in `zone`, UTC when none is given.

    Understands `15m`, `last 2h`, `now-6h to now-1h`, `today`, `yesterday`, `2026-11-20`, `2026-11-20 10:00 to 11:30`
    and `2026-11-20 10:00 to 2026-11-21 09:00`. Raises `UsageError` saying how to write it.
    """
    zone = zone or ZoneInfo("UTC")
    wanted = " ".join(text.split()).lower()
    found = _named(wanted, now, zone) or _pair(wanted, zone)
    if found is None:
        raise UsageError(f"a time range must be understood: {_HOW}; got {text!r}")
    resolve(found, now)
    return found


def parse_moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC moment that a person typed, `now-1h` or a date with or without a time of day in `zone`."""
    point = _point(text.strip().lower(), zone)
    if point is None:
        raise UsageError(f"a moment must be 'now-1h', '2026-11-20' or '2026-11-20 10:00'; got {text!r}")
    return _moment(point, now)


def absolute(window: Window) -> TimeRange:
    """Return the same window as absolute texts: what freezing and brushing write into the URL."""
    return TimeRange(format_moment(window.start), format_moment(window.end))


def format_moment(moment: datetime) -> str:
    """Return a moment as the URL writes it: ISO-8601, UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shift(window: Window, share: float) -> TimeRange:
    """Return the window moved by `share` of its length, as absolute texts."""
    return absolute(Window(window.start + window.span * share, window.end + window.span * share))


def zoom_out(window: Window, now: datetime) -> TimeRange:
    """Return twice the window around its middle, never past `now` unless it already was."""
    half = window.span / 2
    end = max(window.end, min(window.end + half, now))
    return absolute(Window(end - window.span * 2, end))


def _moment(text: str, now: datetime) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative:
        amount, unit = relative.groups()
        return now - timedelta(seconds=int(amount) * UNITS[unit]) if amount else now
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"a time must be 'now', 'now-6h' or ISO-8601; got {text!r}") from None


def _named(text: str, now: datetime, zone: ZoneInfo) -> TimeRange | None:
    duration = _DURATION.fullmatch(text)
    if duration:
        return TimeRange(f"now-{duration[1]}{duration[2]}")
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    if text == "today":
        return TimeRange(format_moment(today), "now")
    if text == "yesterday":
        return absolute(Window(today - timedelta(days=1), today))
    return None


def _pair(text: str, zone: ZoneInfo) -> TimeRange | None:
    first, separator, second = text.partition(" to ")
    if not separator:
        start = _point(first, zone)
        if start is None or len(first) > len("2026-11-20") or start.startswith("now"):
            return None if start is None or not start.startswith("now-") else TimeRange(start)
        return absolute(Window(_moment(start, start_of_epoch()), _moment(start, start_of_epoch()) + timedelta(days=1)))
    if _CLOCK.fullmatch(second):
        second = f"{first[:10]} {second}"
    start, end = _point(first, zone), _point(second, zone)
    return TimeRange(start, end) if start and end else None


def start_of_epoch() -> datetime:
    """Return the moment that absolute texts are resolved against: they do not depend on it."""
    return datetime.fromtimestamp(0, UTC)


def _point(text: str, zone: ZoneInfo) -> str | None:
    if _RELATIVE.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text.replace("z", "+00:00"))
        return format_moment(moment.replace(tzinfo=zone) if moment.tzinfo is None else moment)
    except (ValueError, OverflowError):
        return None
