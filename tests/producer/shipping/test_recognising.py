from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from producer.shipping.known_names import NAMES
from producer.shipping.recognising import recognised
from producer.shipping.unparsable import Unparsable

AT = {"time": 1795860000}
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "producer.md"


def test_unknown_fields_survive_and_a_renamed_one_is_not_doubled() -> None:
    event = recognised({**AT, "levelname": "ERROR", "msg": "hi", "pid": 7, "nested": {"a": None}}, UTC)
    assert event == {
        "timestamp": "2026-11-28T10:00:00.000Z",
        "level": "ERROR",
        "message": "hi",
        "pid": 7,
        "nested": {"a": None},
    }


def test_what_is_no_value_of_a_column_stays_beside_it() -> None:
    event = recognised({**AT, "message": {"a": 1}, "host": {"name": "h"}, "status_code": "broken", "level": 30}, UTC)
    assert (event["message"], event["host"], event["level"], event["level_raw"]) == ('{"a":1}', "h", "INFO", 30)
    assert "status_code" not in event
    assert event["status_code_raw"] == "broken"
    assert event["host_raw"] == {"name": "h"}


def test_a_status_that_is_none_of_http_and_a_path_that_is_of_no_request_are_left_alone() -> None:
    event = recognised({**AT, "msg": "saved", "status": "ok", "path": "/srv/a", "method": "quick"}, UTC)
    assert {"status_code", "endpoint", "http_method"}.isdisjoint(event)
    assert (event["status"], event["path"], event["method"]) == ("ok", "/srv/a", "quick")


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"msg": "fine"}, "INFO"),
        ({"msg": "[ERROR] not fine"}, "ERROR"),
        ({"msg": "GET /", "status": 503}, "ERROR"),
        ({"msg": "x", "severityNumber": 13, "severityText": "Notable"}, "WARNING"),
    ],
)
def test_a_line_that_names_no_level_gets_one_by_its_status_or_its_text(fields: dict[str, Any], level: str) -> None:
    assert recognised({**AT, **fields}, UTC)["level"] == level


def test_a_level_that_is_none_is_refused_by_the_name_it_stands_under() -> None:
    with pytest.raises(Unparsable, match=r"^`severity` must be one of DEBUG, .*; got 'loud'$"):
        recognised({**AT, "severity": "loud", "msg": "x"}, UTC)


def test_every_known_name_is_documented() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    names = {entry if isinstance(entry, str) else entry[0] for names in NAMES.values() for entry in names}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
