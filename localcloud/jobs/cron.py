"""AWS's cron expressions: `cron(Minutes Hours Day-of-month Month Day-of-week Year)`, in UTC.

https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html
The first five fields are translated for the `cronsim` package, which numbers weekdays from 0 (AWS: from 1) and has `*`
where AWS demands `?`; the year is ours.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

FIRST_YEAR, LAST_YEAR = 1970, 2199
_EXPRESSION = re.compile(r"\s*cron\((.*)\)\s*", re.IGNORECASE)


class CronError(ValueError):
    """Not a schedule that AWS takes."""


@dataclass(frozen=True, slots=True)
class Cron:
    """When a schedule fires; `fields` are cronsim's five, `years` those in which it may fire."""

    fields: str
    years: frozenset[int]

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first firing after `moment`, which must be in UTC; None when there is none."""
        found = self._advance(moment)
        while found is not None and found.year not in self.years:
            later = [year for year in self.years if year > found.year]
            start = datetime(min(later), 1, 1, tzinfo=UTC) - timedelta(seconds=1) if later else None
            found = self._advance(start) if start else None
        return found

    def _advance(self, moment: datetime) -> datetime | None:
        try:
            return next(CronSim(self.fields, moment))
        except StopIteration:
            return None


def parse(expression: str) -> Cron:
    """Return the schedule of `cron(…)`; raise `CronError` naming what is wrong."""
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        raise CronError(f"a schedule must be cron(minutes hours day month weekday year); got {expression!r}")
    parts = match.group(1).upper().split()
    if len(parts) != 6:
        raise CronError(f"a schedule must have six fields; got {expression!r}")
    minutes, hours, day, month, weekday, year = parts
    if "?" not in (day, weekday):
        raise CronError(f"day of month or day of week must be '?'; got {expression!r}")
    fields = " ".join([minutes, hours, _any(day), month, _weekday(_any(weekday), expression)])
    cron = Cron(fields, _years(year, expression))
    try:
        CronSim(fields, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise CronError(f"{error}; got {expression!r}") from error
    return cron


def _any(field: str) -> str:
    return "*" if field == "?" else field


def _weekday(field: str, expression: str) -> str:
    """Return the field with AWS's weekdays 1 to 7 (Sunday first) as cronsim's 0 to 6; steps and counts are kept."""
    return ",".join(_weekday_term(term, expression) for term in field.split(","))


def _weekday_term(term: str, expression: str) -> str:
    if term == "L":
        return "6"
    head, mark, tail = re.fullmatch(r"([^/#]*)([/#]?)(.*)", term).groups()  # type: ignore[union-attr]
    days = [_day_number(day, expression) for day in head.split("-")]
    return "-".join(days) + mark + tail


def _day_number(day: str, expression: str) -> str:
    match = re.fullmatch(r"(\d+)(L?)", day)
    if match is None:
        return day
    number = int(match.group(1))
    if not 1 <= number <= 7:
        raise CronError(f"a day of the week must be 1 to 7; got {expression!r}")
    return f"{number - 1}{match.group(2)}"


def _years(field: str, expression: str) -> frozenset[int]:
    return frozenset(year for term in field.split(",") for year in _years_of(term, expression))


def _years_of(term: str, expression: str) -> range:
    match = re.fullmatch(r"(?:\*|(\d{4})(?:-(\d{4}))?)(?:/([1-9]\d*))?", term)
    if match is None:
        raise CronError(f"a year must be {FIRST_YEAR} to {LAST_YEAR}, a range or '*'; got {expression!r}")
    first, last, step = match.groups()
    start = int(first) if first else FIRST_YEAR
    alone = first and not last and not step
    end = start if alone else int(last) if last else LAST_YEAR
    if not FIRST_YEAR <= start <= end <= LAST_YEAR:
        raise CronError(f"a year must be {FIRST_YEAR} to {LAST_YEAR}, a range or '*'; got {expression!r}")
    return range(start, end + 1, int(step or 1))
