"""What a user may type for a duration, a rate or a moment, and the errors that explain what was meant."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from catalog.errors import SchemaError
from catalog.schema import parse_timestamp

SECONDS_OF = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_BURST = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?[smhd]?)/(\d+(?:\.\d+)?[smhd]?)")
HIGHEST_RATE = 1_000_000.0


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    return float(match[1]) * SECONDS_OF[match[2] or "s"] if match else 0.0


class Duration(click.ParamType[float]):
    """`90`, `90s`, `5m`, `2h` or `2d`; seconds when there is no unit."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        if not _DURATION.fullmatch(value.strip()):
            self.fail(f"must be a number with s, m, h or d, such as 60s; got {value!r}", param, ctx)
        return _seconds(value.strip())


class Rate(click.ParamType[tuple[float, float]]):
    """Events a second, lowest and highest: `200`, `50..400`, or `max` (infinity)."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        if value == "max":
            return float("inf"), float("inf")
        first, _, last = str(value).partition("..")
        try:
            low, high = float(first), float(last or first)
        except ValueError:
            low = high = 0.0
        if not 0 < low <= high <= HIGHEST_RATE:
            self.fail(
                f"must be events a second, above 0 and at most 1000000, such as 200, 50..400 or max; got {value!r}",
                param,
                ctx,
            )
        return low, high


class EventCount(click.ParamType[int]):
    """A number of events, or `all` (0) for as many as the rate makes."""

    name = "events"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "all":
            return 0
        if not value.isascii() or not value.isdigit() or not int(value):
            self.fail(f"must be a number of events, 1 or more, or all; got {value!r}", param, ctx)
        return int(value)


class Burst(click.ParamType[tuple[float, float, float]]):
    """`5x10s/1m`: five times the traffic for ten seconds of every minute; as factor and two numbers of seconds."""

    name = "burst"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float]:
        if isinstance(value, tuple):
            return value
        match = _BURST.fullmatch(value)
        factor, lasts, every = (float(match[1]), _seconds(match[2]), _seconds(match[3])) if match else (0.0, 0.0, 0.0)
        if not 0 < factor <= 1000 or not 0 < lasts < every:
            self.fail(
                f"must be a factor, how long and how often, such as 5x10s/1m for five times the traffic in ten seconds"
                f" of every minute; got {value!r}",
                param,
                ctx,
            )
        return factor, lasts, every


class TimeZone(click.ParamType[ZoneInfo]):
    """The name of a time zone, such as Europe/Berlin."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"must be a time zone, such as Europe/Berlin or UTC; got {value!r}", param, ctx)


class Moment(click.ParamType[int]):
    """An ISO-8601 moment, UTC unless it says otherwise, as epoch milliseconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            moment = parse_timestamp(value)
        except SchemaError:
            self.fail(f"must be ISO-8601, such as 2026-11-01T00:00:00Z; got {value!r}", param, ctx)
        return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
