from datetime import UTC, datetime
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from dashboard.timerange import TimeRange
from dashboard.view import MAX_CHARS, View, parse, query_string, to_store

NOW = datetime(2026, 11, 21, 20, 28, 47, tzinfo=UTC)
VALUES = st.text(st.characters(blacklist_characters="|\0", blacklist_categories=["Cs"]), min_size=1, max_size=20)


def test_url_says_the_view_and_nothing_that_is_default() -> None:
    view = View(
        TimeRange("now-6h", "now"), ("ERROR",), ("payment",), "a b", "Europe/Berlin", {"endpoint": ("/a", "!/b")}
    )
    text = query_string(view)
    assert text == "from=now-6h&to=now&level=ERROR&service=payment&q=a%20b&f.endpoint=%2Fa|!%2Fb&tz=Europe%2FBerlin"
    assert parse(dict(parse_qsl(text)), NOW) == (view, ())
    assert query_string(View()) == ""


@given(st.lists(VALUES, max_size=5, unique=True), VALUES)
def test_any_view_survives_its_url_and_its_store(services: list[str], search: str) -> None:
    view = View(services=tuple(services), search=" ".join(search.split()))
    assert parse(dict(parse_qsl(query_string(view))), NOW) == (view, ())
    assert parse(to_store(view), NOW) == (view, ())


def test_invalid_parts_are_left_out_and_named() -> None:
    asked = {"level": "LOUD|error", "from": "never", "tz": "Mars/Olympus", "q": "x" * 300, "color": "red"}
    view, notices = parse(asked, NOW)
    assert view == View(levels=("ERROR",), search="x" * MAX_CHARS)
    assert notices == (
        "`color` is not something this page knows",
        "a time must be 'now', 'now-6h' or ISO-8601; got 'never'",
        "`level` must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, OTHER; got 'LOUD'",
        "`q` may hold 200 characters; got 300",
        "a time zone must be UTC or an IANA name such as Europe/Berlin; got 'Mars/Olympus'",
    )


@given(st.dictionaries(st.sampled_from(["from", "to", "level", "service", "q", "tz", "f.endpoint", "x"]), st.text()))
def test_no_url_breaks_a_page(query: dict[str, str]) -> None:
    view, _ = parse(query, NOW)
    assert parse(to_store(view), NOW)[0] == view


def test_search_and_fields_outside_the_rollup_need_rows() -> None:
    assert View(search="x").needs_rows
    assert View(facets={"host": ("a",)}).needs_rows
    assert not View(levels=("ERROR",), facets={"endpoint": ("/a",)}).needs_rows
