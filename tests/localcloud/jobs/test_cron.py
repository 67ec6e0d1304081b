from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.jobs.cron import CronError, parse

NOW = datetime(2026, 11, 21, 23, 50, 10, tzinfo=UTC)
"""A Saturday."""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0/15 * * * ? *)", "2026-11-22 00:00"),
        ("cron(0 0/6 * * ? *)", "2026-11-22 00:00"),
        ("cron(15 * * * ? *)", "2026-11-22 00:15"),
        ("cron(51 * * * ? *)", "2026-11-21 23:51"),
        ("cron(0 12 ? * 1 *)", "2026-11-22 12:00"),
        ("cron(0 12 ? * SUN *)", "2026-11-22 12:00"),
        ("cron(0 12 ? * 2-6 *)", "2026-11-23 12:00"),
        ("cron(0 12 ? * MON-FRI *)", "2026-11-23 12:00"),
        ("cron(0 12 ? * 7 *)", "2026-11-28 12:00"),
        ("cron(0 12 ? * L *)", "2026-11-28 12:00"),
        ("cron(0 12 ? * 6L *)", "2026-11-27 12:00"),
        ("cron(0 12 ? * 2#1 *)", "2026-12-07 12:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00"),
        ("cron(0 8 L * ? *)", "2026-11-30 08:00"),
        ("cron(0 8 1 JAN ? 2028)", "2028-01-01 08:00"),
        ("cron(0 8 1 1 ? 2027/2)", "2027-01-01 08:00"),
        ("cron(30 4 ? 2 3,5 2029-2030)", "2029-02-01 04:30"),
    ],
)
def test_next_after_is_the_first_firing_in_utc(expression: str, expected: str) -> None:
    found = parse(expression).next_after(NOW)

    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_next_after_is_none_when_all_years_are_past() -> None:
    assert parse("cron(0 8 1 1 ? 2024,2025)").next_after(NOW) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("rate(5 minutes)", "a schedule must be cron(minutes hours day month weekday year); got 'rate(5 minutes)'"),
        ("cron(0 * * * *)", "a schedule must have six fields; got 'cron(0 * * * *)'"),
        ("cron(0 * * * * *)", "day of month or day of week must be '?'; got 'cron(0 * * * * *)'"),
        ("cron(61 * * * ? *)", "Bad minute; got 'cron(61 * * * ? *)'"),
        ("cron(0 * ? * 0 *)", "a day of the week must be 1 to 7; got 'cron(0 * ? * 0 *)'"),
        ("cron(0 * ? * 8 *)", "a day of the week must be 1 to 7; got 'cron(0 * ? * 8 *)'"),
        ("cron(0 * * * ? 26)", "a year must be 1970 to 2199, a range or '*'; got 'cron(0 * * * ? 26)'"),
    ],
)
def test_parse_refuses_what_aws_refuses(expression: str, message: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(expression)

    assert str(caught.value) == message


@given(start=st.integers(0, 59), step=st.integers(1, 59), minutes=st.integers(0, 60 * 24 * 400))
def test_step_fires_at_its_minutes_only_and_skips_none(start: int, step: int, minutes: int) -> None:
    moment = NOW + timedelta(minutes=minutes)
    cron = parse(f"cron({start}/{step} * * * ? *)")
    wanted = range(start, 60, step)

    found = cron.next_after(moment)

    candidate = moment.replace(second=0) + timedelta(minutes=1)
    while candidate.minute not in wanted:
        candidate += timedelta(minutes=1)
    assert found == candidate
