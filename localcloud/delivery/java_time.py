"""Java's `DateTimeFormatter` patterns, as far as S3 prefixes use them (`!{timestamp:yyyy/MM/dd/HH}`)."""

import calendar
import re
from datetime import datetime

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_MONTHS = tuple(calendar.month_name)[1:]
_DAYS = tuple(calendar.day_name)


def format_time(pattern: str, moment: datetime) -> str:
    """Return `moment` as `pattern` says; raise `ValueError` for a letter that is not supported or an open quote."""
    parts = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            raise ValueError(f"a time pattern must close its quotes; got {pattern!r}")
        parts.append(_part(match, moment))
        position = match.end()
    return "".join(parts)


def _part(match: re.Match[str], moment: datetime) -> str:
    if match.group(1) is not None:
        return match.group(1).replace("''", "'") or "'"
    if match.group(2) is None:
        return match.group()
    return _letter(match.group(2), len(match.group()), moment)


def _letter(letter: str, count: int, moment: datetime) -> str:
    numbers = {
        "d": moment.day,
        "D": moment.timetuple().tm_yday,
        "H": moment.hour,
        "k": moment.hour or 24,
        "K": moment.hour % 12,
        "h": moment.hour % 12 or 12,
        "m": moment.minute,
        "s": moment.second,
        "n": moment.microsecond * 1000,
        "A": (moment.hour * 3600 + moment.minute * 60 + moment.second) * 1000 + moment.microsecond // 1000,
        "e": moment.isoweekday() % 7 + 1,
        "w": int(moment.strftime("%U")) + 1,
    }
    if letter in numbers:
        return str(numbers[letter]).zfill(count)
    if letter in "yuY":
        return f"{moment.year % 100:02d}" if count == 2 else str(moment.year).zfill(count)
    if letter in "ML":
        return _named(_MONTHS, moment.month - 1, count)
    if letter == "E":
        return _named(_DAYS, moment.weekday(), max(count, 3))
    if letter == "S":
        return f"{moment.microsecond * 1000:09d}"[:count]
    if letter == "a":
        return "AM" if moment.hour < 12 else "PM"
    if letter in "QqG":
        return {"G": "AD"}.get(letter, str((moment.month + 2) // 3).zfill(count))
    return _zone(letter, moment)


def _named(names: tuple[str, ...], index: int, count: int) -> str:
    if count < 3:
        return str(index + 1).zfill(count)
    return names[index][:3] if count == 3 else names[index]


def _zone(letter: str, moment: datetime) -> str:
    if letter in "zV":
        return str(moment.tzinfo)
    if letter in "xXZ":
        offset = moment.strftime("%z")
        return "Z" if letter == "X" and offset == "+0000" else offset
    raise ValueError(f"a time pattern may not have the letter {letter!r}")
