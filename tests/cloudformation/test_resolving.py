"""The template's functions, in a stack that has names for everything."""

from collections.abc import Mapping
from typing import Any

import pytest

from cloudformation.resolving import Names


def names(**refs: str) -> Names:
    return Names(
        {"AWS::Partition": "aws", "AWS::AccountId": "1", "RawBucket": "my-raw", "Role": "my-role", **refs},
        {"IsLoud": {"Fn::Equals": [{"Ref": "Mode"}, "loud"]}, "IsQuiet": {"Fn::Not": [{"Fn::Equals": ["a", "a"]}]}},
        {"RawBucket": "AWS::S3::Bucket", "Role": "AWS::IAM::Role"},
    )


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ({"Ref": "RawBucket"}, "my-raw"),
        ({"Fn::Sub": "s3://${RawBucket}/logs/"}, "s3://my-raw/logs/"),
        ({"Fn::Sub": "${RawBucket.Arn}/*"}, "arn:aws:s3:::my-raw/*"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::1:role/my-role"),
        ({"Fn::If": ["IsLoud", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsQuiet", "yes", {"Ref": "Mode"}]}, "loud"),
        ([1, {"Fn::If": ["IsQuiet", 2, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 3}, {"b": 3}),
        ({}, {}),
    ],
)
def test_a_function_gives_what_it_stands_for(value: Any, means: Any) -> None:
    assert names(Mode="loud").resolve(value) == means


def test_an_unknown_function_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError, match="Fn::Select"):
        names().resolve({"Fn::Select": [0, ["a"]]})


@pytest.mark.parametrize("crawls_first", ["true", "false"])
def test_every_resource_that_can_be_made_again_resolves(template: Mapping[str, Any], crawls_first: str) -> None:
    from cloudformation.presence import can_be_made_again

    resources = template["Resources"]
    refs = {name: f"the-{name}" for name in [*resources, *template["Parameters"]]}
    refs |= {"AWS::Partition": "aws", "AWS::AccountId": "1", "AWS::Region": "r", "AWS::StackName": "s"}
    refs["CrawlFirst"] = crawls_first
    found = Names(refs, template["Conditions"], {name: made["Type"] for name, made in resources.items()})
    made = {name: found.resolve(one["Properties"]) for name, one in resources.items() if can_be_made_again(one["Type"])}
    assert "Fn::" not in str(made) and "'Ref'" not in str(made) and "${" not in str(made)
    assert ("Schedule" in made["Crawler"]) == (crawls_first == "false")
    assert made["Trigger"]["Actions"] == [
        {"CrawlerName": "the-Crawler"} if crawls_first == "true" else {"JobName": "the-Job"}
    ]
