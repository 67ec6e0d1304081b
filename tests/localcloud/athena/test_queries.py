"""Queries from the client's side: the named ones, partitions, parameters, results, failures."""

import pytest

from catalog.named_queries import named_query

pytestmark = pytest.mark.local


def test_count_by_level_counts_every_raw_event(lake):
    rows = lake.rows(named_query("count-by-level").sql)
    assert rows[0] == ["api-gateway", "INFO", "900"]
    assert sorted(rows[1:]) == [
        ["api-gateway", "ERROR", "300"],
        ["api-gateway", "ERROR", "300"],
    ]


def test_slow_requests_come_slowest_first(lake):
    rows = lake.rows(named_query("slow-requests").sql)
    assert len(rows) == 100
    assert rows[0][1:] == ["/route/2", "1497.5", "500"]
    assert [float(row[2]) for row in rows] == sorted((float(row[2]) for row in rows), reverse=True)


def test_errors_by_hour_shows_hours_in_utc(lake):
    rows = lake.rows(named_query("errors-by-hour").sql)
    assert rows[0] == ["2026-11-21 05:00:00.000 UTC", "api-gateway", "500", "3"]
    assert sum(int(row[3]) for row in rows) == 300


def test_unnesting_a_map_sums_the_latency_histogram(lake):
    sql = (
        "SELECT k, SUM(v) AS n FROM log_minutes CROSS JOIN UNNEST(latency_histogram) AS t(k, v) "
        "WHERE day = '20' GROUP BY k ORDER BY k"
    )
    assert lake.rows(sql) == [["0", "480"], ["1", "480"], ["2", "480"], ["7", "2880"]]


def test_a_column_that_files_lack_is_null(lake):
    assert lake.rows("SELECT added_later, COUNT(*) FROM log_minutes GROUP BY 1") == [[None, "4320"]]


def test_an_empty_table_has_no_rows(lake):
    assert lake.rows("SELECT a, cardinality(b) FROM empty") == []
