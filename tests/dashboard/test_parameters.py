from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from catalog.errors import UsageError
from catalog.named_queries import Parameter
from dashboard.parameters import literal, literals

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = Parameter("since", "timestamp", "now-1h", "moment")
TEXT = Parameter("trace_id", "string", "", "the trace")
NUMBER = Parameter("limit", "integer", "10", "rows")


@pytest.mark.parametrize(
    ("parameter", "text", "sql"),
    [
        (MOMENT, "now-1h", "'2026-11-21 09:00:00'"),
        (MOMENT, "2026-11-20 10:00", "'2026-11-20 09:00:00'"),
        (TEXT, "o'brien", "'o''brien'"),
        (TEXT, "x' OR 1=1 --", "'x'' OR 1=1 --'"),
        (NUMBER, " 12 ", "12"),
    ],
)
def test_a_typed_value_becomes_one_literal(parameter: Parameter, text: str, sql: str) -> None:
    assert literal(parameter, text, NOW, BERLIN) == sql


@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        (TEXT, "  ", "`trace_id` must be given (the trace); got nothing"),
        (NUMBER, "1; DROP", "`limit` must be a whole number; got '1; DROP'"),
        (MOMENT, "soon", "a moment must be 'now-1h', '2026-11-20' or '2026-11-20 10:00'; got 'soon'"),
    ],
)
def test_a_value_that_will_not_do_is_refused_in_words(parameter: Parameter, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        literal(parameter, text, NOW, BERLIN)
    assert str(caught.value) == words


def test_values_must_be_as_many_as_the_parameters() -> None:
    with pytest.raises(UsageError, match="takes 1 values; got 0"):
        literals((TEXT,), [], NOW, BERLIN)
