"""The calls that tell whether a role is as wide as its stage needs, and no wider."""

from collections.abc import Mapping
from typing import Any

Call = tuple[str, str, Mapping[str, Any]]
_KEY = "logs/payment/year=2026/month=11/day=22/part.json.gz"


def s3(method: str, bucket: str, key: str, **more: Any) -> Call:
    return ("s3", method, {"Bucket": f"loglake-{bucket}-000000000000-us-east-1", "Key": key, **more})


def listing(bucket: str) -> Call:
    return ("s3", "list_objects_v2", {"Bucket": f"loglake-{bucket}-000000000000-us-east-1"})


def glue(method: str, table: str = "logs", database: str = "app_logs_db") -> Call:
    """A call that AWS allows to whom it allows it on the catalog, on the database and on the table."""
    return ("glue", method, {"Resources": ["catalog", f"database/{database}", f"table/{database}/{table}"]})


def glue_on(method: str, *resources: str) -> Call:
    return ("glue", method, {"Resources": resources})


_SHARD = {"StreamName": "loglake-events", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}
_PUT = ("kinesis", "put_records", {"StreamName": "loglake-events", "Records": [{"Data": b"{}", "PartitionKey": "a"}]})
_LOG = "log-group:/aws/lambda/loglake-transform:log-stream:a"
_ITEM = {"TableName": "loglake-live", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}
_READ = {
    "TableName": "loglake-live",
    "KeyConditionExpression": "pk = :a",
    "ExpressionAttributeValues": {":a": {"S": "a"}},
}
_QUERY = {"QueryString": "SELECT 1", "WorkGroup": "loglake"}

NEEDED: Mapping[str, tuple[Call, ...]] = {
    "TransformRole": (
        ("logs", "create_log_stream", {"Resources": [_LOG]}),
        ("logs", "put_log_events", {"Resources": [_LOG]}),
        _PUT,
    ),
    "DeliveryRole": (
        ("kinesis", "get_shard_iterator", _SHARD),
        ("kinesis", "list_shards", {"StreamName": "loglake-events"}),
        ("kinesis", "describe_stream", {"StreamName": "loglake-events"}),
        ("lambda", "invoke", {"FunctionName": "loglake-transform", "Payload": b'{"records": []}'}),
        s3("put_object", "raw", _KEY, Body=b"a"),
        s3("put_object", "raw", "errors/processing-failed/a", Body=b"a"),
        listing("raw"),
    ),
    "CrawlerRole": (
        s3("get_object", "raw", _KEY),
        listing("raw"),
        glue_on("get_database", "catalog", "database/app_logs_db"),
        glue("create_table", "payment"),
        glue("update_table", "payment"),
        glue("batch_create_partition", "payment"),
        glue("get_partitions", "payment"),
    ),
    "JobRole": (
        s3("get_object", "artifacts", "code/0/job.py"),
        s3("get_object", "raw", _KEY),
        listing("raw"),
        s3("put_object", "lake", "staging/a", Body=b"a"),
        s3("put_object", "lake", "checkpoints/curate/a", Body=b"a"),
        s3("delete_object", "lake", "staging/a"),
        glue("get_table"),
        glue("batch_create_partition"),
        glue("delete_partition"),
    ),
    "ProducerPolicy": (
        _PUT,
        ("kinesis", "list_shards", {"StreamName": "loglake-events"}),
        ("kinesis", "describe_stream_summary", {"StreamName": "loglake-events"}),
        ("cloudformation", "describe_stacks", {"StackName": "loglake"}),
    ),
    "ConsumerPolicy": (
        ("kinesis", "get_shard_iterator", _SHARD),
        ("kinesis", "list_shards", {"StreamName": "loglake-events"}),
        ("dynamodb", "put_item", {"TableName": "loglake-live", "Item": _ITEM["Key"]}),
        ("dynamodb", "get_item", _ITEM),
        ("dynamodb", "describe_table", {"TableName": "loglake-live-kcl"}),
        ("cloudformation", "describe_stacks", {"StackName": "loglake"}),
    ),
    "DashboardPolicy": (
        ("athena", "start_query_execution", _QUERY),
        ("athena", "get_work_group", {"WorkGroup": "loglake"}),
        ("athena", "list_named_queries", {"WorkGroup": "loglake"}),
        glue("get_tables"),
        glue("get_partitions"),
        glue_on("get_crawler", "crawler/loglake-raw"),
        glue_on("get_job_runs", "job/loglake-curate"),
        ("dynamodb", "query", _READ),
        s3("get_object", "raw", _KEY),
        s3("get_object", "lake", "curated/logs/a"),
        s3("put_object", "results", "query-results/a.csv", Body=b"a"),
        listing("results"),
        ("cloudformation", "describe_stacks", {"StackName": "loglake"}),
    ),
}
"""What each stage calls, by whose permissions it runs with."""

FORBIDDEN: Mapping[str, tuple[Call, ...]] = {
    "TransformRole": (listing("raw"), s3("get_object", "raw", _KEY), ("kinesis", "get_shard_iterator", _SHARD)),
    "DeliveryRole": (
        _PUT,
        s3("put_object", "raw", "elsewhere/a", Body=b"a"),
        s3("delete_object", "raw", _KEY),
        s3("put_object", "lake", "curated/a", Body=b"a"),
        ("lambda", "update_function_configuration", {"FunctionName": "loglake-transform", "Timeout": 3}),
    ),
    "CrawlerRole": (
        s3("put_object", "raw", _KEY, Body=b"a"),
        s3("delete_object", "raw", _KEY),
        s3("get_object", "raw", "errors/processing-failed/a"),
        s3("get_object", "lake", "curated/logs/a"),
        glue("delete_table"),
        glue("create_table", database="other"),
        glue_on("delete_database", "catalog", "database/app_logs_db"),
    ),
    "JobRole": (
        s3("put_object", "raw", _KEY, Body=b"a"),
        s3("delete_object", "raw", _KEY),
        s3("put_object", "artifacts", "code/0/job.py", Body=b"a"),
        s3("get_object", "results", "query-results/a.csv"),
        glue("delete_partition", "payment"),
        glue("delete_table"),
        glue_on("start_job_run", "job/loglake-curate"),
        ("kinesis", "get_shard_iterator", _SHARD),
    ),
    "ProducerPolicy": (
        ("kinesis", "get_shard_iterator", _SHARD),
        ("kinesis", "delete_stream", {"StreamName": "loglake-events"}),
        ("kinesis", "put_records", {**_PUT[2], "StreamName": "other"}),
        listing("raw"),
        ("athena", "start_query_execution", _QUERY),
    ),
    "ConsumerPolicy": (
        _PUT,
        listing("raw"),
        ("dynamodb", "get_item", {**_ITEM, "TableName": "other"}),
        ("dynamodb", "delete_table", {"TableName": "loglake-live"}),
        ("kinesis", "delete_stream", {"StreamName": "loglake-events"}),
    ),
    "DashboardPolicy": (
        s3("put_object", "lake", "curated/logs/a", Body=b"a"),
        s3("delete_object", "lake", "curated/logs/a"),
        s3("put_object", "raw", _KEY, Body=b"a"),
        s3("put_object", "results", "elsewhere/a", Body=b"a"),
        s3("get_object", "artifacts", "code/0/job.py"),
        ("athena", "start_query_execution", {**_QUERY, "WorkGroup": "primary"}),
        glue("delete_table"),
        glue_on("start_job_run", "job/loglake-curate"),
        glue_on("start_crawler", "crawler/loglake-raw"),
        ("dynamodb", "put_item", {"TableName": "loglake-live", "Item": _ITEM["Key"]}),
        _PUT,
    ),
}
"""What each must not be able to do, though it would be easy to let it."""
