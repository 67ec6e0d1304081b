"""Whole error texts of `--parameter`."""

from collections.abc import Mapping
from typing import Any

import pytest

from catalog.errors import UsageError
from cloudformation.template import Parameter, declared_parameters, parse_assignments, parse_template


@pytest.fixture(scope="module")
def declared(template: Mapping[str, Any]) -> Mapping[str, Parameter]:
    return declared_parameters(template)


def test_good_assignments_are_taken_as_they_are(declared: Mapping[str, Parameter]) -> None:
    given = ["ShardCount=2", "JobSchedule=cron(0 * * * ? *)", "DropLevels=NONE", "AlarmEmail="]
    assert parse_assignments(given, declared) == {
        "ShardCount": "2",
        "JobSchedule": "cron(0 * * * ? *)",
        "DropLevels": "NONE",
        "AlarmEmail": "",
    }


@pytest.mark.parametrize(
    ("assignment", "text"),
    [
        ("ShardCount", "a parameter must be given as NAME=VALUE; got 'ShardCount'"),
        ("LambdaKey=x", "LambdaKey is set by the command itself, from the code it uploads; got 'x'"),
        ("ShardCount=many", "ShardCount must be a number; got 'many'"),
        ("ShardCount=nan", "ShardCount must be at least 1; got 'nan'"),
        ("ShardCount=0", "ShardCount must be at least 1; got '0'"),
        ("BufferSeconds=59", "BufferSeconds must be at least 60; got '59'"),
        ("BufferMegabytes=63", "BufferMegabytes must be at least 64; got '63'"),
        ("BufferMegabytes=129", "BufferMegabytes must be at most 128; got '129'"),
        ("ScanCutoffBytes=1", "ScanCutoffBytes must be at least 10000000; got '1'"),
        ("IngestMode=both", "IngestMode must be one of stream, direct; got 'both'"),
        ("GlueVersion=4.0", "GlueVersion must be one of 5.1, 6.0; got '4.0'"),
        (
            "JobSchedule=rate(5 minutes)",
            "JobSchedule must be cron(minutes hours day-of-month month day-of-week year); got 'rate(5 minutes)'",
        ),
        (
            "DropLevels=debug",
            "DropLevels must be NONE or some of DEBUG,INFO,WARNING,ERROR,CRITICAL; got 'debug'",
        ),
        ("AlarmEmail=me", "AlarmEmail must be an e-mail address, or empty; got 'me'"),
        ("DatabaseName=My-Db", "DatabaseName must be lower case letters, digits and underscores; got 'My-Db'"),
    ],
)
def test_a_bad_assignment_says_what_must_hold(declared: Mapping[str, Parameter], assignment: str, text: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse_assignments([assignment], declared)
    assert str(failure.value) == text


def test_an_unknown_name_lists_those_one_may_set() -> None:
    declared = {name: Parameter(name, "String") for name in ("LambdaKey", "IngestMode", "ShardCount")}
    with pytest.raises(UsageError) as failure:
        parse_assignments(["Shards=2"], declared)
    assert str(failure.value) == "a parameter must be one of IngestMode, ShardCount; got 'Shards'"


def test_short_forms_are_read_as_the_long_ones() -> None:
    text = "{a: !Ref X, b: !GetAtt X.Arn.y, c: !If [C, !Sub 'x${Y}', !Ref Z], d: !Condition C}"
    assert parse_template(text) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Arn.y"]},
        "c": {"Fn::If": ["C", {"Fn::Sub": "x${Y}"}, {"Ref": "Z"}]},
        "d": {"Condition": "C"},
    }
