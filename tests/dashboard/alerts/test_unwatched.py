"""The evaluator alone at a lake that grows: nobody's looks keep its answers young."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from catalog.errors import QueryError
from dashboard.alerts.evaluation import EVERYTHING
from tests.dashboard.alerts.growing import MINUTE, PER_MINUTE, START, GrowingLake, Sent, traffic

LATE = ("data-is-late", EVERYTHING)
Change = Callable[[datetime, str], dict[str, int]]


@pytest.fixture
def grown(tmp_path: Path) -> GrowingLake:
    """A lake with three hours of traffic, evaluated once; it is nine o'clock."""
    lake = GrowingLake(tmp_path)
    lake.curate(traffic(START, 180))
    lake.evaluate_at(_at(180))
    assert lake.fired() == set()
    return lake


def _at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def _failing(service: str, start: datetime, minutes: int, errors: int = PER_MINUTE // 2) -> Change:
    def change(minute: datetime, of: str) -> dict[str, int]:
        return {"errors": errors} if of == service and start <= minute < start + MINUTE * minutes else {}

    return change


def _silent(service: str, start: datetime) -> Change:
    return lambda minute, of: {"events": 0, "errors": 0} if of == service and minute >= start else {}


def test_outage_of_three_minutes_fires_within_two_evaluations_of_its_arrival(grown: GrowingLake) -> None:
    grown.evaluate_at(_at(190))  # nothing new has arrived since
    grown.curate(traffic(_at(180), 15, change=_failing("payment", _at(186), 3)))
    grown.evaluate_at(_at(195.5))
    grown.evaluate_at(_at(196.5))
    assert ("error-rate", "payment") in grown.fired()
    assert {subject for _, subject in grown.fired()} == {"payment"}


def test_service_that_falls_silent_fires_and_stays_so_until_it_sends_again(grown: GrowingLake) -> None:
    grown.curate(traffic(_at(180), 20, change=_silent("payment", _at(180))))
    grown.evaluate_at(_at(200))
    assert grown.firing() == {("traffic-dropped", "payment")}
    [firing] = grown.store.open_firings()
    assert "payment sent 0 events, 24,000 would be usual (limit 7,200), 09:03–09:18 UTC" in firing["text"]
    assert "its last event came at 2026-11-21 08:59 UTC" in firing["text"]
    grown.curate(traffic(_at(200), 60, change=_silent("payment", _at(180))))
    grown.evaluate_at(_at(260))
    assert grown.firing() == {("traffic-dropped", "payment")}
    grown.curate(traffic(_at(260), 20))
    grown.evaluate_at(_at(280))
    assert grown.firing() == set()


def test_nobody_is_called_silent_after_nobody_looked_for_a_while(grown: GrowingLake) -> None:
    for place in range(180, 240, 20):
        grown.curate(traffic(_at(place), 20))
        grown.evaluate_at(_at(place + 20.2))
        grown.evaluate_at(_at(place + 21.2))
    assert grown.fired() == set()


def test_every_minute_is_judged_when_curation_brings_many_at_once(grown: GrowingLake) -> None:
    grown.curate(traffic(_at(180), 15, change=_failing("payment", _at(182), 1)))
    grown.evaluate_at(_at(195.5))
    [over] = grown.store.history()
    assert (over["rule"], over["subject"], over["state"]) == ("error-rate", "payment", "resolved")
    assert over["started_at"] == _at(183).timestamp()
    assert over["resolved_at"] == _at(188).timestamp()


def test_a_lake_that_stands_still_is_unknown_since_then_and_only_late(grown: GrowingLake) -> None:
    grown.curate(traffic(_at(180), 5, change=_silent("payment", _at(170))))
    said = grown.evaluate_at(_at(230))
    assert "unknown since 2026-11-21 09:05 UTC: error-rate, new-error-message, slow-responses, traffic-dropped" in said
    assert grown.fired() == {LATE}
    grown.curate(traffic(_at(185), 46))
    assert "unknown" not in grown.evaluate_at(_at(231))
    assert grown.firing() == set()


def test_while_athena_is_down_rules_are_unknown_and_only_data_is_late_fires(
    grown: GrowingLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.broker.FAILURE_SECONDS", 0.01)  # a test's minutes take no time

    def refuse(sql: str) -> None:
        raise QueryError("Athena is down")

    grown.athena.before = refuse
    grown.curate(traffic(_at(180), 10))
    assert "unknown since 2026-11-21 09:00 UTC" in grown.evaluate_at(_at(190))
    assert grown.fired() == set()
    grown.evaluate_at(_at(222))
    assert grown.firing() == {LATE}
    assert "the lake can't be read since 2026-11-21 09:10 UTC" in grown.store.open_firings()[0]["text"]
    grown.athena.before = lambda sql: None
    grown.curate(traffic(_at(190), 40))
    assert "unknown" not in grown.evaluate_at(_at(231))
    assert grown.firing() == set()


def test_an_answer_that_takes_too_long_is_no_older_one(grown: GrowingLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.alerts.judge.WAIT_SECONDS", 0.5)
    grown.athena.delay_seconds = 30
    grown.curate(traffic(_at(180), 20))
    assert "unknown since 2026-11-21 09:00 UTC" in grown.evaluate_at(_at(200))
    assert grown.fired() == set()


@pytest.mark.parametrize(
    "shipped",
    [
        pytest.param(traffic(_at(170), 10, ("visitor",)), id="ten minutes"),
        pytest.param(
            [Sent(_at(place), "visitor", received_at=_at(180)) for place in range(-600, 180)], id="an old access.log"
        ),
        pytest.param(
            [Sent(_at(place), "visitor", errors=900, received_at=_at(180)) for place in range(-600, 180)],
            id="one full of errors",
        ),
    ],
)
def test_what_was_shipped_once_is_no_service(grown: GrowingLake, shipped: list[Sent]) -> None:
    grown.curate([*shipped, *traffic(_at(180), 1)])
    for place in range(181, 221, 10):
        grown.curate(traffic(_at(place), 10))
        grown.evaluate_at(_at(place + 10.5))
    assert {found for found in grown.fired() if "visitor" in found[1]} == set()


def test_a_lake_that_was_shipped_to_once_is_not_late(tmp_path: Path) -> None:
    lake = GrowingLake(tmp_path)
    lake.curate([Sent(_at(place), "visitor", received_at=_at(600)) for place in range(590)])
    lake.evaluate_at(_at(601))
    lake.evaluate_at(_at(700))
    assert lake.fired() == set()


def test_gap_of_the_whole_lake_is_nobodys_silence(grown: GrowingLake) -> None:
    grown.curate(traffic(_at(205), 20))
    for place in range(206, 226, 3):
        grown.evaluate_at(_at(place))
    assert grown.fired() == set()


def test_silence_of_one_is_not_over_because_all_fall_silent(grown: GrowingLake) -> None:
    silent = _silent("payment", _at(180))
    grown.curate(traffic(_at(180), 20, change=silent))
    grown.evaluate_at(_at(200))
    grown.curate(traffic(_at(214), 4, change=silent))
    grown.evaluate_at(_at(218))
    assert "traffic-dropped (no service sent anything in most of the latest 15 minutes)" in grown.evaluate_at(
        _at(218.5)
    )
    assert (grown.firing(), grown.store.history()) == ({("traffic-dropped", "payment")}, [])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_page_is_false_in_a_day_with_gaps_late_data_restarts_and_a_paused_job(tmp_path: Path) -> None:
    lake = GrowingLake(tmp_path, delay_seconds=0.0)
    waiting = _day()
    pauses = (range(300, 420), range(900, 916))
    for place in range(20, 24 * 60 + 1, 20):
        now = _at(place)
        if not any(place in pause for pause in pauses):
            lake.curate([found for found in waiting if found.arrived <= now])
            waiting = [found for found in waiting if found.arrived > now]
        if place % 160 == 0:
            lake.start_evaluator()
        if not 1000 < place < 1080:  # it was down for that long
            lake.evaluate_at(now)
    assert lake.fired() == {LATE}


def _day() -> list[Sent]:
    """A day of traffic: without 40 minutes of all services, without 3 of one, and with some that comes late."""
    day = traffic(START, 24 * 60, change=lambda minute, _: {"events": 1200 + 800 * (minute.hour < 18)})
    day = [found for found in day if not _at(600) <= found.minute < _at(640)]
    day = [found for found in day if found.service != "inventory" or not _at(700) <= found.minute < _at(703)]
    late = {"notification": 90, "user-service": 25}
    return [
        Sent(found.minute, found.service, found.events, found.errors, found.arrived + MINUTE * late[found.service])
        if found.service in late and found.minute.minute % 4 == 0
        else found
        for found in day
    ]
