import pytest
from click.testing import CliRunner

from catalog.athena import Result, literal, parse_rows, start
from catalog.cli import byte_text, cost_line, query, records
from catalog.named_queries import named_queries


def test_literal_turns_what_was_typed_into_sql():
    typed = ["42", "-1.5", "007", "true", "NULL", "2026-11-21", "it's", "'42'", "'a''b'", "1e5", "", "x' OR '1'='1"]
    assert [literal(value) for value in typed] == [
        "42", "-1.5", "'007'", "true", "null", "DATE '2026-11-21'", "'it''s'", "'42'", "'a''b'", "'1e5'", "''",
        "'x'' OR ''1''=''1'",
    ]  # fmt: skip


def test_parse_rows_tells_null_from_the_empty_string():
    assert parse_rows('"a","b"\n"",\n,""\n"x,\n""y""","1"\n') == [["a", "b"], ["", None], [None, ""], ['x,\n"y"', "1"]]


def test_parse_rows_reads_an_empty_line_as_one_null():
    assert parse_rows('"a"\n\n"b"\n') == [["a"], [None], ["b"]]


def test_records_use_the_types_that_json_has():
    result = Result(
        "id", ["i", "d", "b", "s"], ["bigint", "double", "boolean", "varchar"], [["1", "NaN", "true", None]], 0, 0
    )
    assert records(result) == [{"i": 1, "d": "NaN", "b": True, "s": None}]


def test_cost_line_bills_ten_megabytes_at_least():
    result = Result("id", ["a"], ["varchar"], [["x"]], 1_234_567, 0.5)
    assert cost_line(result) == "1 row · 1.2 MB scanned · $0.00005 · 0.50 s"


def test_cost_line_bills_nothing_for_a_statement_about_the_catalog():
    assert " · $0.00000 · " in cost_line(Result("id", ["tab_name"], ["varchar"], [["x"]], 0, 0.5, reads=False))


def test_the_list_names_each_query_on_a_line_of_its_own_where_a_program_reads():
    done = CliRunner().invoke(query, ["--list"])
    names = [line.split()[0] for line in done.output.splitlines()]
    assert names == [found.name for found in named_queries()]
    assert len(names) >= 15


def test_byte_text_keeps_three_digits():
    assert [byte_text(count) for count in (0, 999, 1500, 412_000_000)] == ["0 B", "999 B", "1.5 KB", "412 MB"]


class Interrupted:
    """An Athena whose first answer is cut off by Ctrl-C, though the query has started."""

    def __init__(self):
        self.tokens, self.stopped = [], []

    def start_query_execution(self, **request):
        self.tokens.append(request["ClientRequestToken"])
        if len(self.tokens) == 1:
            raise KeyboardInterrupt
        return {"QueryExecutionId": request["ClientRequestToken"]}

    def stop_query_execution(self, **request):
        self.stopped.append(request["QueryExecutionId"])


def test_start_stops_what_was_started_when_it_is_interrupted():
    client = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        start(client, "SELECT 1", "db", "group")
    assert client.tokens[0] == client.tokens[1] == client.stopped[0]
