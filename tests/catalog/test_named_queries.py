import pytest

from catalog.errors import UsageError
from catalog.named_queries import named_queries, named_query


def test_every_named_query_says_what_it_answers() -> None:
    assert all(query.description and query.sql for query in named_queries())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="must be one of .*count-by-level.*; got 'nope'"):
        named_query("nope")
