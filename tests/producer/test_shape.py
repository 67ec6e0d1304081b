from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from producer.shape import Shape

THURSDAY = datetime(2026, 11, 19, tzinfo=UTC)


def hours_from(moment: datetime, hours: int) -> np.ndarray:
    return np.arange(hours) * 3_600_000 + round(moment.timestamp() * 1000)


def test_a_day_has_a_quiet_night_and_a_busy_evening() -> None:
    load = Shape().load_at(hours_from(THURSDAY, 24))
    assert load.argmax() == 20
    assert load.min() < 0.2
    assert load.max() <= 1.0


def test_a_weekend_is_quieter_by_the_week_and_not_by_the_day() -> None:
    both = hours_from(THURSDAY, 24 * 3)[[20, 20 + 48]]  # Thursday's and Saturday's evening
    thursday, saturday = Shape("week").load_at(both)
    assert saturday < thursday * 0.7
    thursday, saturday = Shape("day").load_at(both)
    assert saturday == thursday


def test_flat_is_always_full() -> None:
    assert (Shape("flat").load_at(hours_from(THURSDAY, 24)) == 1.0).all()


def test_a_time_zone_moves_the_day_and_keeps_summer_time() -> None:
    berlin = Shape("day", ZoneInfo("Europe/Berlin"))
    winter, summer = datetime(2026, 11, 19, tzinfo=UTC), datetime(2026, 7, 16, tzinfo=UTC)
    assert berlin.load_at(hours_from(winter, 24)).argmax() == 19
    assert berlin.load_at(hours_from(summer, 24)).argmax() == 18


def test_the_night_of_the_change_has_its_own_hours() -> None:
    berlin = Shape("day", ZoneInfo("Europe/Berlin"))
    hours = hours_from(datetime(2026, 10, 25, tzinfo=UTC), 24)  # clocks go back at 01:00 UTC
    naive = [datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/Berlin")).hour for ms in hours.tolist()]
    day = Shape("day").load_at(hours_from(THURSDAY, 24))
    assert np.allclose(berlin.load_at(hours), [day[hour] for hour in naive])


def test_moments_follow_the_shape() -> None:
    start = round(THURSDAY.timestamp() * 1000)
    times = Shape("day").moments(start, start + 86_400_000, (np.arange(10_000) + 0.5) / 10_000)
    per_hour = np.bincount((times - start) // 3_600_000, minlength=24)
    assert per_hour.argmax() in (19, 20)
    assert per_hour[3] < per_hour[20] / 4
