import dataclasses
from collections import Counter

import pytest

from producer.ledger import REJECTED, Balance, Tally
from producer.verify import ALL, DOUBLED, LOST, UNEXPECTED, UNLEDGERED, Finding, Lake, compare

UNTIL = "2026-11-21T23:40"
PAYMENT = ("payment", "2026-11-21T23:31")
DROPPED = {"DEBUG", "INFO"}


def balance(info: int = 10, errors: int = 3, in_doubt: int = 0, rejected: int = 2, unreadable: int = 1) -> Balance:
    cells = Counter({(*PAYMENT, "INFO"): info, (*PAYMENT, "ERROR"): errors, (*PAYMENT, REJECTED): rejected})
    return Balance(Tally(cells, unreadable), Tally(Counter({(*PAYMENT, "INFO"): in_doubt})))


def lake() -> Lake:
    """Return a lake that agrees with `balance()`."""
    return Lake(
        raw=Counter({PAYMENT: 13}),
        raw_rejects=2,
        errors=1,
        rollup=Counter({(*PAYMENT, "INFO"): 10, (*PAYMENT, "ERROR"): 3}),
        logs=Counter({PAYMENT: 3}),
        log_ids=Counter({PAYMENT: 3}),
        rejects=2,
    )


def findings(changed: Lake, before: Balance | None = None, after: Balance | None = None) -> list[Finding]:
    before = before or balance()
    return compare(before, after or before, changed, DROPPED, UNTIL)


def test_a_lake_that_agrees_has_no_findings() -> None:
    assert findings(lake()) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"errors": 0}, Finding("errors", LOST, ALL, ALL, 1)),
        ({"errors": 3}, Finding("errors", UNLEDGERED, ALL, ALL, 2)),
        ({"raw_rejects": 3}, Finding("raw", UNLEDGERED, ALL, ALL, 1)),
        ({"rejects": 1}, Finding("rejects", LOST, ALL, ALL, 1)),
        ({"rejects": 3}, Finding("rejects", UNEXPECTED, ALL, ALL, 1)),
        ({"log_ids": Counter({PAYMENT: 2}), "logs": Counter({PAYMENT: 2})}, Finding("logs", LOST, *PAYMENT, 1)),
        ({"log_ids": Counter({PAYMENT: 4}), "logs": Counter({PAYMENT: 4})}, Finding("logs", UNEXPECTED, *PAYMENT, 1)),
        ({"logs": Counter({PAYMENT: 5})}, Finding("logs", DOUBLED, *PAYMENT, 2)),
        ({"rollup": Counter({(*PAYMENT, "INFO"): 9, (*PAYMENT, "ERROR"): 3})}, Finding("rollup", LOST, *PAYMENT, 1)),
        (
            {"rollup": Counter({(*PAYMENT, "INFO"): 20, (*PAYMENT, "ERROR"): 3})},
            Finding("rollup", DOUBLED, *PAYMENT, 10),
        ),
    ],
)
def test_a_disagreement_names_stage_service_and_minute(change: dict[str, object], finding: Finding) -> None:
    assert findings(dataclasses.replace(lake(), **change)) == [finding]  # type: ignore[arg-type]


def test_an_event_lost_before_raw_is_found_there_and_nowhere_else() -> None:
    changed = dataclasses.replace(
        lake(), raw=Counter({PAYMENT: 12}), rollup=Counter({(*PAYMENT, "INFO"): 9, (*PAYMENT, "ERROR"): 3})
    )
    assert findings(changed) == [Finding("raw", LOST, *PAYMENT, 1)]


def test_an_event_that_could_not_be_delivered_is_not_lost() -> None:
    changed = dataclasses.replace(
        lake(),
        raw=Counter({PAYMENT: 12}),
        undelivered=Counter({PAYMENT: 1}),
        rollup=Counter({(*PAYMENT, "INFO"): 9, (*PAYMENT, "ERROR"): 3}),
    )
    assert findings(changed) == []


def test_events_in_doubt_may_have_arrived_but_no_more_than_those() -> None:
    more = dataclasses.replace(
        lake(), raw=Counter({PAYMENT: 15}), rollup=Counter({(*PAYMENT, "INFO"): 12, (*PAYMENT, "ERROR"): 3})
    )
    assert findings(more, balance(in_doubt=2)) == []
    assert findings(more, balance(in_doubt=1)) == [Finding("raw", UNLEDGERED, *PAYMENT, 1)]


def test_events_in_doubt_need_not_have_arrived() -> None:
    assert findings(lake(), balance(in_doubt=5)) == []


def test_what_is_acknowledged_while_verifying_is_neither_missed_nor_unexpected() -> None:
    assert findings(lake(), balance(), balance(info=12)) == []
    more = dataclasses.replace(
        lake(), raw=Counter({PAYMENT: 15}), rollup=Counter({(*PAYMENT, "INFO"): 12, (*PAYMENT, "ERROR"): 3})
    )
    assert findings(more, balance(), balance(info=12)) == []


def test_minutes_that_are_not_over_are_left_out_at_every_stage() -> None:
    late = ("payment", UNTIL)
    changed = dataclasses.replace(
        lake(),
        raw=Counter({PAYMENT: 13, late: 4}),
        rollup=Counter({(*PAYMENT, "INFO"): 10, (*PAYMENT, "ERROR"): 3, (*late, "ERROR"): 9}),
        logs=Counter({PAYMENT: 3, late: 1}),
    )
    assert findings(changed) == []


def test_an_event_whose_time_is_too_far_from_its_arrival_is_a_reject_and_not_lost() -> None:
    changed = dataclasses.replace(
        lake(),
        raw_untimely=Counter({PAYMENT: 1}),
        rollup=Counter({(*PAYMENT, "INFO"): 9, (*PAYMENT, "ERROR"): 3}),
        rejects=3,
    )
    assert findings(changed) == []
    assert findings(dataclasses.replace(changed, rejects=2)) == [Finding("rejects", LOST, ALL, ALL, 1)]
