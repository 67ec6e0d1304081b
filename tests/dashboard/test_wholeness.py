from datetime import UTC, datetime

from catalog.schema import EVENT_COLUMNS
from catalog.tables import LOGS
from dashboard.cost import Day, Line, glue_dollars, lines
from dashboard.inspection import JobRun, Measured, read_error
from dashboard.wholeness import BEFORE, MISSING, PRESENT, Drift, drifts, may_see, needs_compaction, strips

TODAY = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_day_between_the_first_and_today_that_has_no_partition_is_missing() -> None:
    (strip,) = strips({"log_minutes": ["2026/11/18", "2026/11/20", "1970/01/01"]}, TODAY, 5)
    assert [state for _, state in strip.days] == [BEFORE, PRESENT, MISSING, PRESENT, MISSING]
    assert strip.missing == 2
    assert strip.quarantined


def test_logs_have_a_strip_for_each_service_and_a_scoped_viewer_sees_only_theirs() -> None:
    found = strips({"logs": ["a/2026/11/21", "b/2026/11/20"], "api_gateway": ["2026/11/21"]}, TODAY, 2)
    assert [strip.name for strip in found] == ["logs: a", "logs: b", "api_gateway"]
    assert [strip.name for strip in found if may_see(strip, ("a",))] == ["logs: a"]
    assert all(may_see(strip, ()) for strip in found)


def test_drift_names_new_keys_wrong_types_and_missing_columns() -> None:
    raw = {column.name: "string" if column.type in ("string", "timestamp") else column.type for column in EVENT_COLUMNS}
    logs = {column.name: column.type for column in LOGS.columns[:-1]} | dict.fromkeys(LOGS.partition_keys, "string")
    found = drifts({"payment": raw | {"status_code": "string", "shoe_size": "int"}, "logs": logs, "inventory": raw})
    assert found == [
        Drift("logs", LOGS.columns[-1].name, "missing: deploy again"),
        Drift("payment", "status_code", "string, not int: such values are rejected"),
        Drift("payment", "shoe_size", "new key, int: curated into `extra`"),
    ]


def test_many_small_objects_ask_for_compaction() -> None:
    assert needs_compaction(Measured(60, 51, 1))
    assert not needs_compaction(Measured(60, 50, 1))


def test_error_object_gives_its_reason_and_the_start_of_what_it_holds() -> None:
    content = b'{"errorCode":"Lambda.X","errorMessage":"not JSON","rawData":"PGI+"}\n{"errorCode":"other"}'
    assert read_error(content) == ("Lambda.X: not JSON", "<b>")
    assert read_error(b"\xffgarbage") == ("", "\ufffdgarbage")


def test_glue_is_billed_a_minute_at_least_and_a_month_goes_by_the_runs_rate() -> None:
    runs = [
        JobRun("b", "succeeded", datetime(2026, 11, 21, 11, tzinfo=UTC), 30, 2),
        JobRun("a", "succeeded", TODAY, 120, 2),
    ]
    assert glue_dollars(runs[0]) == 60 / 3600 * 2 * 0.44
    bill = {line.name: line for line in lines(Day(1e6, 1e8, 24), runs, 10**12, 10)}
    assert bill["Athena"] == Line("Athena", 5.0, 365.0, "the dashboard's queries")
    assert bill["Glue job"].month == glue_dollars(runs[0]) * 730
    assert round(bill["Firehose"].month or 0, 2) == round(1e6 * 730 / 24 * 5000 / 1e9 * 0.049, 2)


def test_what_depends_on_arrivals_has_no_month_while_nobody_can_count_them() -> None:
    assert {line.name for line in lines(None, [], 0, 0) if line.month is not None} == set()
