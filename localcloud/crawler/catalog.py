"""The edge to AWS: lists and reads objects, reads the Glue catalog and writes a plan into it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.crawler.folders import Path, S3Object
from localcloud.crawler.plan import Existing, Plan
from localcloud.crawler.samples import RangeReader

BATCH = 100
"""Partitions that one BatchCreatePartition or BatchUpdatePartition takes."""
INDEX_NAME = "crawler_partition_index"


class CatalogError(Exception):
    """The catalog refused a change; the text carries its own words."""


def list_objects(s3: Any, include: Path) -> Iterator[list[S3Object]]:
    """Yield the objects below a target, a page at a time."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=include[0], Prefix="/".join(include[1:]))
    for page in pages:
        yield [
            S3Object(item["Key"], item["Size"], item["LastModified"].timestamp()) for item in page.get("Contents", [])
        ]


def range_reader(s3: Any, bucket: str) -> RangeReader:
    def read(key: str, start: int, length: int) -> bytes:
        answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}")
        return bytes(answer["Body"].read())

    return read


def ensure_database(glue: Any, database: str) -> None:
    try:
        glue.get_database(Name=database)
    except glue.exceptions.EntityNotFoundException:
        glue.create_database(DatabaseInput={"Name": database})


def existing_tables(glue: Any, database: str) -> dict[str, Existing]:
    """Return the database's tables without their partitions."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    return {table["Name"]: Existing(table) for page in pages for table in page["TableList"]}


def with_partitions(
    glue: Any, database: str, tables: Mapping[str, Existing], names: Iterable[str]
) -> dict[str, Existing]:
    """Return the tables, those of `names` with their partitions."""
    found = dict(tables)
    for name in names:
        if name in found:
            pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
            partitions = {tuple(item["Values"]): item for page in pages for item in page["Partitions"]}
            found[name] = Existing(found[name].record, partitions)
    return found


def apply(glue: Any, database: str, plan: Plan, partition_index: bool) -> None:
    """Write the plan; running it again after a stop in the middle ends in the same catalog."""
    for record in plan.create_tables:
        _create_table(glue, database, record, partition_index)
    for record in [*plan.update_tables, *plan.refresh_tables, *plan.deprecate_tables]:
        glue.update_table(DatabaseName=database, TableInput=record)
    for name, values in plan.delete_partitions.items():
        _delete_partitions(glue, database, name, values)
    for name, partitions in plan.create_partitions.items():
        _create_partitions(glue, database, name, partitions)
    for name, partitions in plan.update_partitions.items():
        _update_partitions(glue, database, name, partitions)
    for name in plan.delete_tables:
        glue.delete_table(DatabaseName=database, Name=name)


def _create_table(glue: Any, database: str, record: dict[str, Any], partition_index: bool) -> None:
    try:
        glue.create_table(DatabaseName=database, TableInput=record)
    except glue.exceptions.AlreadyExistsException:
        glue.update_table(DatabaseName=database, TableInput=record)
        return
    keys = [key["Name"] for key in record["PartitionKeys"]]
    if keys and partition_index:
        index = {"IndexName": INDEX_NAME, "Keys": keys}
        _tolerating("AlreadyExistsException", glue.create_partition_index, database, record["Name"], index)


def _tolerating(code: str, create: Callable[..., Any], database: str, table: str, index: dict[str, Any]) -> None:
    try:
        create(DatabaseName=database, TableName=table, PartitionIndex=index)
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _create_partitions(glue: Any, database: str, name: str, partitions: list[dict[str, Any]]) -> None:
    for chunk in _chunks(partitions, BATCH):
        answer = glue.batch_create_partition(DatabaseName=database, TableName=name, PartitionInputList=chunk)
        _check(name, answer, tolerated="AlreadyExistsException")


def _update_partitions(glue: Any, database: str, name: str, partitions: list[dict[str, Any]]) -> None:
    for chunk in _chunks(partitions, BATCH):
        entries = [{"PartitionValueList": item["Values"], "PartitionInput": item} for item in chunk]
        _check(name, glue.batch_update_partition(DatabaseName=database, TableName=name, Entries=entries))


def _delete_partitions(glue: Any, database: str, name: str, values: list[tuple[str, ...]]) -> None:
    for one in values:
        glue.delete_partition(DatabaseName=database, TableName=name, PartitionValues=list(one))


def _check(name: str, answer: Mapping[str, Any], tolerated: str = "") -> None:
    errors = [error["ErrorDetail"] for error in answer.get("Errors", [])]
    refused = [error for error in errors if error.get("ErrorCode") != tolerated]
    if refused:
        raise CatalogError(f"table {name!r}: {len(refused)} partitions refused; got {refused[0]!r}")
