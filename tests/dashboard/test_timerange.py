import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from dashboard.timerange import (
    TimeRange,
    Window,
    absolute,
    parse,
    parse_zone,
    resolve,
    shift,
    snap,
    zoom_out,
)

NOW = datetime(2026, 11, 21, 20, 28, 47, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("15m", "now-15m", "now"),
        ("last 2h", "now-2h", "now"),
        ("now-6h to now-1h", "now-6h", "now-1h"),
        ("now-6h", "now-6h", "now"),
        ("  NOW-6H   TO  NOW ", "now-6h", "now"),
        ("2026-11-20 10:00 to 11:30", "2026-11-20T10:00:00Z", "2026-11-20T11:30:00Z"),
        ("2026-11-20 10:00 to 2026-11-21 09:00", "2026-11-20T10:00:00Z", "2026-11-21T09:00:00Z"),
        ("2026-11-20T10:00:00Z to now", "2026-11-20T10:00:00Z", "now"),
        ("2026-11-20", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("today", "2026-11-21T00:00:00Z", "now"),
        ("yesterday", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
    ],
)
def test_typed_range_is_what_was_meant(text: str, start: str, end: str) -> None:
    assert parse(text, NOW) == TimeRange(start, end)


def test_typed_times_are_in_the_viewers_zone() -> None:
    berlin = parse_zone("Europe/Berlin")
    assert parse("2026-11-20 10:00 to 11:30", NOW, berlin) == TimeRange("2026-11-20T09:00:00Z", "2026-11-20T10:30:00Z")
    assert parse("2026-11-20", NOW, berlin).start == "2026-11-19T23:00:00Z"


@pytest.mark.parametrize(
    "text", ["", "soon", "now-1h to", "11:30", "now-1x", "2026-13-01", "now to now-1h", "0m", "999d"]
)
def test_typed_nonsense_is_refused_with_the_text_it_was(text: str) -> None:
    with pytest.raises(UsageError, match="a time range must be"):
        parse(text, NOW)


@given(st.text(max_size=60))
def test_any_text_is_a_range_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert resolve(parse(text, NOW), NOW).span >= timedelta(minutes=1)


def test_relative_range_snaps_so_that_viewers_ask_equal_questions() -> None:
    assert resolve(TimeRange(), NOW) == Window(
        datetime(2026, 11, 21, 19, 28, 40, tzinfo=UTC), datetime(2026, 11, 21, 20, 28, 40, tzinfo=UTC)
    )
    assert snap(NOW, timedelta(hours=24)).second == 0
    assert snap(NOW, timedelta(days=7)).minute == 25


def test_unknown_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="IANA name such as Europe/Berlin; got '../etc/passwd'"):
        parse_zone("../etc/passwd")


def test_window_shifts_zooms_and_freezes() -> None:
    window = resolve(TimeRange("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"), NOW)
    assert shift(window, -1) == TimeRange("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z")
    assert zoom_out(window, NOW) == TimeRange("2026-11-21T09:30:00Z", "2026-11-21T11:30:00Z")
    assert absolute(window) == TimeRange("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z")
    assert window.previous == Window(window.start - timedelta(hours=1), window.start)


def test_zoom_out_at_the_present_does_not_reach_into_the_future() -> None:
    window = Window(NOW - timedelta(hours=1), NOW)
    assert resolve(zoom_out(window, NOW), NOW) == Window(NOW - timedelta(hours=2), NOW)
