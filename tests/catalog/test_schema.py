from datetime import UTC, datetime

import pytest

from catalog.errors import SchemaError
from catalog.schema import EVENT_COLUMNS, parse_timestamp, validate

EVENT = {
    "event_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "timestamp": "2026-11-21T10:00:00.123Z",
    "level": "INFO",
    "service": "payment",
    "message": "charged",
    "status_code": 200,
    "response_time_ms": 12.5,
}


def test_a_good_event_is_valid_with_unknown_keys() -> None:
    validate(EVENT | {"colour": "blue"})


@pytest.mark.parametrize("name", [column.name for column in EVENT_COLUMNS if column.required])
def test_a_required_column_may_not_be_absent(name: str) -> None:
    with pytest.raises(SchemaError) as failure:
        validate({key: value for key, value in EVENT.items() if key != name})
    assert str(failure.value) == f"`{name}` must be present; got nothing"


def test_a_wrong_type_is_named_with_its_value() -> None:
    with pytest.raises(SchemaError) as failure:
        validate(EVENT | {"status_code": "200"})
    assert str(failure.value) == "`status_code` must be int; got '200'"


def test_a_bool_is_no_int() -> None:
    with pytest.raises(SchemaError) as failure:
        validate(EVENT | {"status_code": True})
    assert str(failure.value) == "`status_code` must be int; got True"


def test_a_level_must_be_one_of_five() -> None:
    with pytest.raises(SchemaError) as failure:
        validate(EVENT | {"level": "warn"})
    assert str(failure.value) == "`level` must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; got 'warn'"


def test_a_timestamp_is_read_as_utc() -> None:
    assert parse_timestamp("2026-11-21T12:00:00+02:00") == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert parse_timestamp("2026-11-21T10:00:00") == datetime(2026, 11, 21, 10, tzinfo=UTC)
