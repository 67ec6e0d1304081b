"""What a crawl changes in the catalog."""

from dataclasses import replace
from typing import Any

import pytest

from localcloud.crawler.configuration import Options, S3Target
from localcloud.crawler.folders import Folder, S3Object
from localcloud.crawler.glue_types import Schema
from localcloud.crawler.plan import DEPRECATED, Existing, Plan, plan
from localcloud.crawler.samples import Sample
from localcloud.crawler.tables import Leaf, Table, detect_tables, suffixed

OPTIONS = Options("raw", "lake", (S3Target("s3://bucket/logs/"),), table_level=3)
EVENT: Schema = {"level": "string", "status_code": "int"}


def leaf(place: str, schema: Schema = EVENT, objects: int = 1) -> Leaf:
    folder = Folder(tuple(place.split("/")))
    for index in range(objects):
        folder.add(S3Object(f"key-{index}", 10, float(index)), 2)
    return Leaf(folder, Sample("json", "gzip", schema, objects, 10.0, 10 * objects))


def tables(*leaves: Leaf) -> tuple[Table, ...]:
    return detect_tables(leaves, [("bucket", "logs")], OPTIONS).tables


def catalog(found: Plan, before: dict[str, Existing] | None = None) -> dict[str, Existing]:
    """Return the catalog after a plan of new tables and partitions."""
    after = dict(before or {})
    for record in found.create_tables:
        partitions = found.create_partitions.get(record["Name"], [])
        after[record["Name"]] = Existing(record, {tuple(item["Values"]): item for item in partitions})
    return after


FIRST = tables(leaf("bucket/logs/auth/day=20"), leaf("bucket/logs/payment/day=20"))
KNOWN = catalog(plan(FIRST, {}, OPTIONS, 0.0))


def test_first_crawl_creates_tables_and_partitions() -> None:
    found = plan(FIRST, {}, OPTIONS, 0.0)

    assert [record["Name"] for record in found.create_tables] == ["auth", "payment"]
    assert [item["Values"] for item in found.create_partitions["auth"]] == [["20"]]
    assert found.messages == [
        "Created table auth at s3://bucket/logs/auth/",
        "Created table payment at s3://bucket/logs/payment/",
    ]


@pytest.mark.parametrize("inherit", [True, False])
@pytest.mark.parametrize("merge", [True, False])
def test_same_crawl_again_plans_nothing(inherit: bool, merge: bool) -> None:
    options = replace(OPTIONS, inherit_from_table=inherit, merge_new_columns=merge)
    known = catalog(plan(FIRST, {}, options, 0.0))

    assert plan(FIRST, known, options, 0.0) == Plan()


def test_new_objects_refresh_statistics_without_counting_as_an_update() -> None:
    found = plan(
        tables(leaf("bucket/logs/auth/day=20", objects=3), leaf("bucket/logs/payment/day=20")), KNOWN, OPTIONS, 0.0
    )

    assert [record["Name"] for record in found.refresh_tables] == ["auth"]
    assert found.refresh_tables[0]["Parameters"]["objectCount"] == "3"
    assert list(found.update_partitions) == ["auth"]
    assert (found.update_tables, found.create_partitions) == ([], {})


def changed(**settings: Any) -> Plan:
    """Plan a crawl in which a column came, one went and one widened."""
    schema: Schema = {"status_code": "bigint", "trace_id": "string"}
    return plan(tables(leaf("bucket/logs/auth/day=20", schema)), KNOWN, replace(OPTIONS, **settings), 0.0)


def columns(record: dict[str, Any]) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in record["StorageDescriptor"]["Columns"]}


def test_update_in_database_takes_the_schema_as_it_is_now() -> None:
    (record,) = changed().update_tables

    assert columns(record) == {"status_code": "bigint", "trace_id": "string"}


def test_merge_new_columns_neither_removes_nor_retypes() -> None:
    found = changed(merge_new_columns=True)
    (record,) = found.update_tables

    assert columns(record) == {"level": "string", "status_code": "int", "trace_id": "string"}
    assert record["StorageDescriptor"]["SerdeInfo"]["Parameters"]["paths"] == "level,status_code,trace_id"
    assert found.columns_added == {"auth": ["trace_id"]}


def test_log_leaves_the_schema_and_says_so() -> None:
    found = changed(update_behavior="LOG", delete_behavior="LOG")

    assert (found.update_tables, found.refresh_tables, found.update_partitions) == ([], [], {})
    assert found.messages == ["Table auth has new columns trace_id; not added: UpdateBehavior is LOG"]


def test_new_partitions_are_created_whatever_the_policy() -> None:
    options = replace(OPTIONS, update_behavior="LOG", delete_behavior="LOG")
    found = plan(tables(leaf("bucket/logs/auth/day=20"), leaf("bucket/logs/auth/day=21")), KNOWN, options, 0.0)

    assert [item["Values"] for item in found.create_partitions["auth"]] == [["21"]]


def test_partition_key_renamed_by_hand_and_foreign_parameters_stay() -> None:
    record = {**KNOWN["auth"].record, "PartitionKeys": [{"Name": "date", "Type": "string"}]}
    record["Parameters"] = {**record["Parameters"], "owner": "me"}
    known = {**KNOWN, "auth": Existing(record, KNOWN["auth"].partitions)}

    found = plan(
        tables(leaf("bucket/logs/auth/day=20", objects=2), leaf("bucket/logs/payment/day=20")), known, OPTIONS, 0.0
    )

    (refreshed,) = found.refresh_tables
    assert refreshed["PartitionKeys"] == [{"Name": "date", "Type": "string"}]
    assert refreshed["Parameters"]["owner"] == "me"


def test_table_of_another_place_is_left_alone() -> None:
    mine = Existing({"Name": "auth", "StorageDescriptor": {"Location": "s3://elsewhere/auth/"}})

    found = plan(tables(leaf("bucket/logs/auth/day=20")), {"auth": mine}, OPTIONS, 0.0)

    assert [record["Name"] for record in found.create_tables] == [suffixed("auth", "s3://bucket/logs/auth/")]
    assert plan(FIRST[:1], catalog(found, {"auth": mine}), OPTIONS, 0.0) == Plan()


@pytest.mark.parametrize(
    ("behavior", "deleted", "deprecated"),
    [("LOG", [], []), ("DELETE_FROM_DATABASE", ["payment"], []), ("DEPRECATE_IN_DATABASE", [], ["payment"])],
)
def test_vanished_table_follows_the_delete_behavior(behavior: str, deleted: list[str], deprecated: list[str]) -> None:
    found = plan(FIRST[:1], KNOWN, replace(OPTIONS, delete_behavior=behavior), 12.5)

    assert found.delete_tables == deleted
    assert [record["Name"] for record in found.deprecate_tables] == deprecated
    assert all(record["Parameters"][DEPRECATED] == "12500" for record in found.deprecate_tables)


def test_tables_of_others_are_never_deleted() -> None:
    foreign = Existing({"Name": "x", "StorageDescriptor": {"Location": "s3://bucket/logs/x/"}, "Parameters": {}})
    mine_elsewhere = Existing(
        {"Name": "y", "StorageDescriptor": {"Location": "s3://old/y/"}, "Parameters": {"UPDATED_BY_CRAWLER": "raw"}}
    )
    options = replace(OPTIONS, delete_behavior="DELETE_FROM_DATABASE")

    assert plan(FIRST, {**KNOWN, "x": foreign, "y": mine_elsewhere}, options, 0.0) == Plan()


def test_vanished_partition_goes_only_when_deletes_are_asked_for() -> None:
    both = tables(leaf("bucket/logs/auth/day=20"), leaf("bucket/logs/auth/day=21"))
    known = catalog(plan(both, {}, OPTIONS, 0.0))
    options = replace(OPTIONS, delete_behavior="DELETE_FROM_DATABASE")

    assert plan(FIRST[:1], known, options, 0.0).delete_partitions == {"auth": [("21",)]}
    assert plan(FIRST[:1], known, OPTIONS, 0.0).delete_partitions == {}


def test_deprecated_table_whose_objects_are_back_is_no_longer_deprecated() -> None:
    gone = plan(FIRST[:1], KNOWN, OPTIONS, 0.0).deprecate_tables[0]
    known = {**KNOWN, "payment": Existing(gone, KNOWN["payment"].partitions)}

    (record,) = plan(FIRST, known, OPTIONS, 0.0).update_tables

    assert DEPRECATED not in record["Parameters"]
