import threading

import pytest

from localcloud import first_results
from localcloud.first_results import insist


def test_the_first_results_are_tried_again_when_the_endpoint_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_results, "RETRY_S", 0.01)
    answers = iter([ConnectionError("away"), ConnectionError("away"), None])
    said: list[str] = []

    def attempt() -> None:
        answer = next(answers)
        if answer:
            raise answer

    insist(attempt, threading.Event(), said.append)
    assert next(answers, "all were made") == "all were made"
    assert said == []


def test_first_results_that_never_come_are_left_to_their_schedules_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(first_results, "RETRY_S", 0.0)
    said: list[str] = []

    def attempt() -> None:
        raise ConnectionError("away")

    insist(attempt, threading.Event(), said.append)
    assert said == ["the first crawl and curation failed and are left to their schedules: away; try 'loglake crawl'"]
