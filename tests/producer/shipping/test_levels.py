from typing import Any

import pytest

from producer.shipping.levels import level_of, level_of_number, level_of_severity, level_said


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("warn", "WARNING"),
        ("Information", "INFO"),
        ("FATAL", "CRITICAL"),
        ("\x1b[32minfo\x1b[39m", "INFO"),
        (10, "DEBUG"),
        (30, "INFO"),
        ("50", "ERROR"),
        (60, "CRITICAL"),
        (3, "ERROR"),
        ("6", "INFO"),
        ("loud", None),
        (31, None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_level_is_known_by_its_word_and_by_its_number(value: Any, level: str | None) -> None:
    assert level_of(value) == level


def test_numbers_of_python_and_of_opentelemetry_are_their_own() -> None:
    assert [level_of_number(number) for number in (5, 10, 20, 25, 30, 40, 50, 99)] == [
        *("DEBUG", "DEBUG", "INFO", "INFO", "WARNING", "ERROR", "CRITICAL", "CRITICAL")
    ]
    assert [level_of_severity(number) for number in (0, 1, 8, 9, 12, 13, 17, 24, 25)] == [
        *(None, "DEBUG", "DEBUG", "INFO", "INFO", "WARNING", "ERROR", "CRITICAL", None)
    ]


def test_a_message_says_its_level_early_and_in_capitals() -> None:
    assert level_said("[ERROR]\t2026-11-28T10:00:00Z it broke") == "ERROR"
    assert level_said("an error, as such") is None
    assert level_said("INFORMED") is None
