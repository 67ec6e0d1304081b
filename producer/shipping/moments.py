"""When a line happened, out of any of the forms in which applications write it.

ISO-8601 with `T` or a blank and `.` or `,` before the fraction (Python's `asctime`), seconds since the epoch in any
unit, as a number or as digits, the time of Apache and nginx, Go's `2026/11/28 10:00:00`, and RFC 2822.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from producer.shipping.unparsable import Unparsable

WANTED = "ISO-8601 or a number of seconds, ms, us or ns since 1970"
_NUMBER = re.compile(r"\d{9,19}(?:\.\d*)?")
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below which number it counts which part of a second: 1e11 are seconds in the year 5138, and ms in 1973."""
_ACCESS = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_SLASHED = re.compile(r"(\d{4})/(\d{2})/(\d{2}) (\d{2}:\d{2}:\d{2}\S*)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp_of(value: Any, zone: tzinfo) -> str:
    """Return a moment as events have it, in `zone` if it has no offset; raise `Unparsable` for what names none."""
    try:
        return in_utc(_moment(value), zone)
    except (TypeError, ValueError, OverflowError):
        raise Unparsable(f"`timestamp` must be {WANTED}; got {value!r}") from None


def in_utc(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as events have it; one without an offset is in `zone`."""
    aware = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    try:
        text = aware.astimezone(UTC).isoformat(timespec="milliseconds")
    except OverflowError:
        raise Unparsable(f"`timestamp` must be in the years 1 to 9999; got {moment.isoformat()!r}") from None
    return text.removesuffix("+00:00") + "Z"


def access_moment(text: str) -> datetime:
    """Return the moment of `10/Oct/2026:13:55:36 +0000`; raise `ValueError` for any other text."""
    match = _ACCESS.fullmatch(text)
    if not match or match[2] not in _MONTHS:
        raise ValueError("the time must be as in 10/Oct/2026:13:55:36 +0000")
    east = timedelta(hours=int(match[8]), minutes=int(match[9])) * (-1 if match[7] == "-" else 1)
    numbers = (int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]), int(match[4]), int(match[5]), int(match[6]))
    return datetime(*numbers, tzinfo=timezone(east))


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value) if value[10:11] == "T" else _moment_of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("neither text nor number")
    return _since_epoch(value)


def _moment_of_text(text: str) -> datetime:
    if _NUMBER.fullmatch(text):
        return _since_epoch(float(text) if "." in text else int(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if slashed := _SLASHED.fullmatch(text):
        return datetime.fromisoformat("{}-{}-{} {}".format(*slashed.groups()))
    if text[2:3] == "/":
        return access_moment(text)
    return parsedate_to_datetime(text)


def _since_epoch(number: float) -> datetime:
    per_second = next((per_second for below, per_second in _UNITS if abs(number) < below), 0.0)
    if not per_second or not math.isfinite(number):
        raise ValueError("too large")
    if isinstance(number, int):
        return _EPOCH + timedelta(milliseconds=number * 1000 // int(per_second))
    return _EPOCH + timedelta(milliseconds=round(number * 1000 / per_second))
