"""Where tables start, what they are called, and their partitions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.crawler.configuration import Options, S3Target
from localcloud.crawler.folders import Folder, S3Object
from localcloud.crawler.glue_types import Schema
from localcloud.crawler.samples import Sample
from localcloud.crawler.tables import Detected, Leaf, detect_tables, partition_keys, partition_values, suffixed

EVENT: Schema = {"level": "string", "status_code": "int", "message": "string"}
ORDER: Schema = {"sku": "string", "quantity": "int"}


def leaf(place: str, schema: Schema = EVENT, classification: str = "json") -> Leaf:
    folder = Folder(tuple(place.strip("/").split("/")))
    folder.add(S3Object("key", 10, 0.0), 2)
    return Leaf(folder, Sample(classification, "gzip", schema, 1, 10.0, 10))


def detect(leaves: list[Leaf], include: str = "bucket/logs", **settings: Any) -> Detected:
    options = Options("raw", "lake", (S3Target(f"s3://{include}/"),), **settings)
    return detect_tables(leaves, [tuple(include.split("/"))], options)


DAYS = [leaf(f"bucket/logs/{service}/2026/11/{day}") for service in ("auth", "payment") for day in ("20", "21")]


@pytest.mark.parametrize(
    ("level", "names", "keys"),
    [
        (1, ["bucket"], ["partition_0", "partition_1", "partition_2", "partition_3", "partition_4"]),
        (2, ["logs"], ["partition_0", "partition_1", "partition_2", "partition_3"]),
        (3, ["auth", "payment"], ["partition_0", "partition_1", "partition_2"]),
    ],
)
def test_table_level_counts_the_bucket_as_one(level: int, names: list[str], keys: list[str]) -> None:
    found = detect(DAYS, table_level=level)

    assert [table.name for table in found.tables] == names
    assert list(found.tables[0].partition_keys) == keys


def test_hive_folders_name_the_keys_and_plain_ones_are_numbered() -> None:
    leaves = [leaf(f"bucket/logs/{service}/year=2026/month=11/day=20") for service in ("auth", "payment")]

    assert detect(leaves, table_level=3).tables[0].partition_keys == ("year", "month", "day")
    assert detect(leaves, table_level=2).tables[0].partition_keys == ("partition_0", "year", "month", "day")


def test_partition_has_the_values_of_its_folders() -> None:
    (table,) = detect([leaf("bucket/logs/auth/year=2026/month=11/day=20")], table_level=3).tables

    assert [partition.values for partition in table.partitions] == [("2026", "11", "20")]
    assert table.location == "s3://bucket/logs/auth/"


def test_similar_folders_become_one_table_when_no_level_is_set() -> None:
    (table,) = detect(DAYS).tables

    assert (table.name, len(table.partition_keys), len(table.partitions)) == ("logs", 4, 4)


def test_unlike_folders_become_tables_of_their_own_when_no_level_is_set() -> None:
    leaves = [
        leaf("bucket/logs/auth/day=20"),
        leaf("bucket/logs/auth/day=21"),
        leaf("bucket/logs/orders/day=20", ORDER),
    ]

    assert [(table.name, table.partition_keys) for table in detect(leaves).tables] == [
        ("auth", ("day",)),
        ("orders", ("day",)),
    ]


def test_combining_compatible_schemas_joins_folders_of_one_format_whatever_their_columns() -> None:
    leaves = [leaf("bucket/logs/auth"), leaf("bucket/logs/orders", ORDER)]

    (table,) = detect(leaves, combine_compatible=True).tables

    assert table.schema == {**EVENT, **ORDER}


def test_other_formats_are_never_joined() -> None:
    leaves = [leaf("bucket/logs/a"), leaf("bucket/logs/b", classification="parquet")]

    assert [table.name for table in detect(leaves, combine_compatible=True).tables] == ["a", "b"]


def test_tables_never_reach_above_the_include_path() -> None:
    (table,) = detect(DAYS, include="bucket/logs/auth").tables

    assert (table.name, len(table.partitions)) == ("auth", 2)


def test_folders_above_the_level_or_at_another_depth_are_left_out_and_counted() -> None:
    found = detect([*DAYS, leaf("bucket/logs"), leaf("bucket/logs/auth/2026")], table_level=3)

    assert found.ignored == {"above the table level": 1, "at another depth under s3://bucket/logs/auth/": 1}
    assert [len(table.partitions) for table in found.tables] == [2, 2]


def test_folder_of_another_format_than_its_tables_is_left_out_and_counted() -> None:
    odd = leaf("bucket/logs/auth/2026/11/22", classification="csv")

    found = detect([*DAYS, odd], table_level=3)

    assert found.ignored == {"not json under s3://bucket/logs/auth/": 1}


def test_table_schema_holds_what_every_partition_needs() -> None:
    wide: Schema = {"status_code": "bigint", "trace_id": "string"}

    (table,) = detect([leaf("bucket/logs/a/1"), leaf("bucket/logs/a/2", wide)], table_level=3).tables

    assert table.schema == {"level": "string", "status_code": "bigint", "message": "string", "trace_id": "string"}


def test_names_are_prefixed_and_made_safe() -> None:
    (table,) = detect([leaf("bucket/logs/API-Gateway.v2")], table_level=3, table_prefix="raw_").tables

    assert table.name == "raw_api_gateway_v2"


def test_two_folders_of_one_name_make_two_tables() -> None:
    first, second = detect([leaf("bucket/logs/a-b"), leaf("bucket/logs/a.b")], table_level=3).tables

    assert (first.name, second.name) == ("a_b", suffixed("a_b", "s3://bucket/logs/a.b/"))
    assert len(second.name) == len("a_b_") + 32


@pytest.mark.parametrize(
    ("folders", "keys"),
    [
        ([("a", "b")], ("partition_0", "partition_1")),
        ([("year=1", "b")], ("year", "partition_1")),
        ([("Year=1",), ("year=2",)], ("year",)),
        ([("year=1",), ("2",)], ("partition_0",)),
        ([("x=1", "x=2")], ("x", "partition_1")),
        ([()], ()),
    ],
)
def test_partition_keys(folders: list[tuple[str, ...]], keys: tuple[str, ...]) -> None:
    assert partition_keys(folders) == keys


def test_partition_values_are_unquoted() -> None:
    assert partition_values(("day=2026%3A11", "a b")) == ("2026:11", "a b")


@given(st.lists(st.tuples(*[st.text("ab=", min_size=1, max_size=4)] * 3), min_size=1, max_size=6))
def test_partition_keys_are_as_many_as_levels_and_all_different(folders: list[tuple[str, ...]]) -> None:
    keys = partition_keys(folders)

    assert len(keys) == len(set(keys)) == 3
