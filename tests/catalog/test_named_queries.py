import pytest

from catalog.errors import UsageError
from catalog.named_queries import PARAMETER_TYPES, Parameter, named_queries, named_query


def test_every_named_query_says_what_it_answers() -> None:
    assert all(query.description and query.template for query in named_queries())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="must be one of .*count-by-level.*; got 'nope'"):
        named_query("nope")


def test_every_question_mark_is_described_by_a_parameter_of_a_known_type() -> None:
    for query in named_queries():
        assert query.template.count("?") == len(query.parameters), query.name
        assert all(found.type in PARAMETER_TYPES and found.description for found in query.parameters), query.name


def test_a_parameter_has_a_name_a_type_a_default_and_a_meaning() -> None:
    assert named_query("deploy-comparison").parameters == (
        Parameter("deploy", "timestamp", "now-1h", "moment of the deploy"),
    )
    assert named_query("trace-lookup").parameters[0].default == ""


def test_a_named_query_asks_the_database_it_is_given_and_no_other() -> None:
    for query in named_queries():
        assert '"other_db".' in query.sql("other_db"), query.name
        assert "app_logs_db" not in query.sql("other_db"), query.name
