from dashboard.alerts.arrivals import STRETCH_SECONDS, Stretch, is_live, read_arrivals, was_shipped_once


def _stretches(live: list[int], received: list[int]) -> list[Stretch]:
    """Ten events in each stretch of ten minutes, so many of them live, that arrived at so many seconds."""
    return [
        Stretch(place * STRETCH_SECONDS, 10, count, moment, moment)
        for place, (count, moment) in enumerate(zip(live, received, strict=True))
    ]


def test_hours_that_arrived_within_minutes_were_shipped_once_and_not_live() -> None:
    shipped = _stretches([0] * 11 + [5], [7200] * 12)
    assert was_shipped_once(shipped)
    assert not is_live(shipped)


def test_what_is_sent_as_it_happens_is_live_also_after_a_backfill() -> None:
    minutes = range(600, 12 * 600 + 1, 600)
    assert is_live(_stretches([10] * 12, list(minutes)))
    assert not was_shipped_once(_stretches([10] * 12, list(minutes)))
    assert is_live(_stretches([0] * 9 + [10] * 3, [5400] * 9 + [6000, 6600, 7200]))


def test_few_events_or_none_say_nothing_against_a_service() -> None:
    assert is_live([])
    assert not was_shipped_once([])
    assert not was_shipped_once(_stretches([0], [9000]))


def test_arrivals_are_read_by_service_in_order() -> None:
    content = b'"service","slot","events","live","first_received","last_received"\n"b","600","2","1","700","710"\n'
    content += b'"a","0","1","0","5","6"\n"b","0","3","3","60","70"\n'
    found = read_arrivals(content)
    assert found == {"a": [Stretch(0, 1, 0, 5, 6)], "b": [Stretch(0, 3, 3, 60, 70), Stretch(600, 2, 1, 700, 710)]}
