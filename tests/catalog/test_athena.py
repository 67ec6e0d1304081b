import pytest

from catalog.athena import explained


@pytest.mark.parametrize(("table", "command"), [("logs", "loglake deploy"), ("payment", "loglake crawl")])
def test_a_table_that_does_not_exist_is_named_with_the_command_that_makes_it(table: str, command: str) -> None:
    reason = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.app_logs_db.{table}' does not exist"
    told = explained(reason)
    assert told.startswith(reason)
    assert command in told


def test_another_failure_is_told_in_the_engines_words_alone() -> None:
    assert explained("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved") == (
        "SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved"
    )
