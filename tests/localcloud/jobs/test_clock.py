from datetime import UTC, datetime, timedelta

from localcloud.jobs.clock import Clock
from localcloud.jobs.cron import parse

NOON = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)
HOURLY = parse("cron(0 * * * ? *)")


def test_schedule_fires_once_when_its_minute_comes() -> None:
    clock = Clock()
    clock.keep({"hourly": HOURLY}, NOON)

    assert clock.due(NOON + timedelta(minutes=59)) == []
    assert clock.due(NOON + timedelta(minutes=60)) == ["hourly"]
    assert clock.due(NOON + timedelta(minutes=60, seconds=1)) == []


def test_firings_missed_by_a_pause_are_left_out() -> None:
    clock = Clock()
    clock.keep({"hourly": HOURLY}, NOON)

    assert clock.due(NOON + timedelta(hours=5, minutes=30)) == []
    assert clock.due(NOON + timedelta(hours=6)) == ["hourly"]


def test_new_schedule_counts_from_when_it_is_seen() -> None:
    clock = Clock()
    clock.keep({"hourly": parse("cron(30 * * * ? *)")}, NOON)
    clock.keep({"hourly": HOURLY}, NOON + timedelta(minutes=29))

    assert clock.due(NOON + timedelta(minutes=31)) == []
    assert clock.due(NOON + timedelta(minutes=60)) == ["hourly"]


def test_forgotten_schedule_does_not_fire() -> None:
    clock = Clock()
    clock.keep({"hourly": HOURLY}, NOON)
    clock.keep({}, NOON)

    assert clock.due(NOON + timedelta(minutes=60)) == []
