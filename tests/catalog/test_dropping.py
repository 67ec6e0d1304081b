import subprocess
import sys

import pytest

from catalog.dropping import dropped_by


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DROP TABLE logs", "the table logs"),
        ("drop table if exists `my_db`.`log_minutes`;", "the table log_minutes"),
        ('-- why\nDROP /* not */ TABLE awsdatacatalog."my_db"."runs"', "the table runs"),
        ("DROP VIEW rejects", "the table rejects"),
        ("DROP DATABASE my_db CASCADE", "the database my_db"),
        ("DROP SCHEMA IF EXISTS `my_db`", "the database my_db"),
    ],
)
def test_a_statement_that_drops_what_the_stack_made_is_known(sql: str, what: str) -> None:
    assert dropped_by(sql, "my_db", "my_db") == what


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE mine",
        "DROP TABLE other.logs",
        "DROP DATABASE other",
        "SELECT 'DROP TABLE logs'",
        "-- DROP TABLE logs",
    ],
)
def test_what_is_not_the_stacks_may_be_dropped(sql: str) -> None:
    assert dropped_by(sql, "my_db", "my_db") is None


def test_a_table_of_the_stack_asked_of_another_database_is_another_table() -> None:
    assert dropped_by("DROP TABLE logs", "scratch", "my_db") is None


def test_dropping_a_table_of_the_stack_where_nobody_can_be_asked_is_refused() -> None:
    names = {"LOGLAKE_DATABASE": "my_db", "LOGLAKE_WORK_GROUP": "mine", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "loglake", "query", "DROP TABLE logs"]
    run = subprocess.run(command, env=names, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (
        2,
        "UsageError: dropping the table logs, which stack 'loglake' made, must be agreed to on a terminal or with "
        "--yes: queries and every run of the job fail without it, until 'loglake deploy' makes it again; got neither\n",
    )
