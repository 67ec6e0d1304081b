import json
from typing import Any

import pytest

from localcloud.crawler.configuration import Options, S3Target, options

RECORD = {"Name": "raw", "DatabaseName": "lake", "Targets": {"S3Targets": [{"Path": "s3://bucket/logs/"}]}}


def test_plain_record_has_glues_defaults() -> None:
    assert options(RECORD) == Options(crawler="raw", database="lake", targets=(S3Target("s3://bucket/logs/"),))


def test_configuration_is_read_whole() -> None:
    configuration = {
        "Version": 1.0,
        "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
        "CrawlerOutput": {
            "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
            "Tables": {"AddOrUpdateBehavior": "MergeNewColumns", "TableThreshold": 5},
        },
        "CreatePartitionIndex": False,
    }
    target = {"Path": "s3://bucket/logs/", "Exclusions": ["**.tmp"], "SampleSize": 7}

    found = options(
        {
            **RECORD,
            "Targets": {"S3Targets": [target], "JdbcTargets": []},
            "TablePrefix": "raw_",
            "Configuration": json.dumps(configuration),
            "SchemaChangePolicy": {"UpdateBehavior": "LOG", "DeleteBehavior": "DELETE_FROM_DATABASE"},
        }
    )

    assert found == Options(
        crawler="raw",
        database="lake",
        targets=(S3Target("s3://bucket/logs/", ("**.tmp",), 7),),
        table_prefix="raw_",
        table_level=3,
        combine_compatible=True,
        table_threshold=5,
        merge_new_columns=True,
        inherit_from_table=True,
        update_behavior="LOG",
        delete_behavior="DELETE_FROM_DATABASE",
        partition_index=False,
    )


def test_new_folders_only_logs_whatever_the_policy_says() -> None:
    found = options({**RECORD, "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}})

    assert (found.new_folders_only, found.update_behavior, found.delete_behavior) == (True, "LOG", "LOG")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Configuration": "{"}, "Configuration must be JSON"),
        ({"Configuration": "[]"}, "Configuration must be a JSON object; got '[]'"),
        (
            {"Configuration": '{"Grouping": {"TableLevelConfiguration": 0}}'},
            "TableLevelConfiguration must be a positive integer; got 0",
        ),
        ({"Targets": {"JdbcTargets": [{}]}}, "this endpoint crawls S3 targets only; got JdbcTargets"),
        ({"Targets": {}}, "a crawler must have an S3 target; got none"),
        (
            {"Classifiers": ["grok-one", "csv-two"]},
            "this endpoint has AWS's built-in classifiers only; got custom classifiers grok-one, csv-two",
        ),
        (
            {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}},
            "this endpoint crawls CRAWL_EVERYTHING or CRAWL_NEW_FOLDERS_ONLY; got RecrawlBehavior CRAWL_EVENT_MODE",
        ),
        (
            {"Targets": {"S3Targets": [{"Path": "s3://b/", "EventQueueArn": "arn:aws:sqs:us-east-1:1:q"}]}},
            "this endpoint reads no event queues; got EventQueueArn arn:aws:sqs:us-east-1:1:q",
        ),
    ],
)
def test_unusable_record_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        options({**RECORD, **change})

    assert str(caught.value).startswith(message)
