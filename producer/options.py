"""What a user may type for a duration, a rate or a moment, and the errors that explain what was meant."""

import re
from datetime import UTC, datetime
from typing import Any

import click

from catalog.errors import SchemaError
from catalog.schema import parse_timestamp

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
HIGHEST_RATE = 1_000_000.0


class Duration(click.ParamType[float]):
    """`90`, `90s`, `5m`, `2h` or `2d`; seconds when there is no unit."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.fullmatch(value.strip())
        if not match:
            self.fail(f"must be a number with s, m, h or d, such as 60s; got {value!r}", param, ctx)
        return float(match[1]) * _UNITS_S[match[2] or "s"]


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
