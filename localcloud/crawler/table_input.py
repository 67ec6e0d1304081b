"""Writes tables and partitions as the Glue catalog takes them, with the parameters that a crawler leaves on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.crawler.glue_types import Schema, hive
from localcloud.crawler.samples import Sample, combine
from localcloud.crawler.tables import Leaf, Partition, Table

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

STATISTICS = ("recordCount", "averageRecordSize", "sizeKey", "objectCount")
"""Parameters that change with every new object and say nothing about the schema."""


def columns(schema: Schema, partition_keys: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return the catalog's columns; a column that a partition key already names is left out, or it would be doubled."""
    taken = set(partition_keys)
    return [{"Name": name, "Type": hive(kind)} for name, kind in schema.items() if name not in taken]


def parameters(crawler: str, sample: Sample, leaves: Iterable[Leaf]) -> dict[str, str]:
    """Return the parameters a crawler writes; counts are scaled from the objects sampled to all objects there are."""
    folders = [leaf.folder for leaf in leaves]
    size = sum(folder.total_bytes for folder in folders)
    scale = size / sample.object_bytes if sample.object_bytes else 0.0
    found = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "averageRecordSize": str(max(1, round(sample.record_bytes))),
        "classification": sample.classification,
        "compressionType": sample.compression,
        "objectCount": str(sum(folder.object_count for folder in folders)),
        "recordCount": str(max(1, round(sample.record_count * scale))),
        "sizeKey": str(size),
        "typeOfData": "file",
    }
    return {**found, **_csv_parameters(sample)}


def _csv_parameters(sample: Sample) -> dict[str, str]:
    if sample.classification != "csv":
        return {}
    found = {"areColumnsQuoted": "false", "columnsOrdered": "true", "delimiter": sample.details["delimiter"]}
    return {**found, "skip.header.line.count": "1"} if sample.details["header"] == "true" else found


def storage_descriptor(
    location: str, cols: list[dict[str, str]], sample: Sample, found: dict[str, str]
) -> dict[str, Any]:
    """Return where and how to read: formats and SerDe by classification."""
    parquet = sample.classification == "parquet"
    return {
        "Columns": cols,
        "Location": location,
        "InputFormat": _PARQUET_INPUT if parquet else _TEXT_INPUT,
        "OutputFormat": _PARQUET_OUTPUT if parquet else _TEXT_OUTPUT,
        "Compressed": sample.compression != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": _serde(sample, cols),
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": found,
        "StoredAsSubDirectories": False,
    }


def _serde(sample: Sample, cols: list[dict[str, str]]) -> dict[str, Any]:
    if sample.classification == "parquet":
        library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        return {"SerializationLibrary": library, "Parameters": {"serialization.format": "1"}}
    if sample.classification == "csv":
        library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
        return {"SerializationLibrary": library, "Parameters": {"field.delim": sample.details["delimiter"]}}
    paths = ",".join(sorted(column["Name"] for column in cols))
    return {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {"paths": paths}}


def new_table(table: Table, crawler: str) -> dict[str, Any]:
    """Return the TableInput of a table that the catalog does not have yet."""
    sample = combine([leaf.sample for leaf in table.leaves])
    found = parameters(crawler, sample, table.leaves)
    cols = columns(table.schema, table.partition_keys)
    return {
        "Name": table.name,
        "Owner": "owner",
        "StorageDescriptor": storage_descriptor(table.location, cols, sample, found),
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.partition_keys],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": found,
    }


def new_partition(
    partition: Partition, table: Table, crawler: str, inherited: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the PartitionInput; `inherited` is the table's storage descriptor when partitions take after the table."""
    leaf = partition.leaf
    found = parameters(crawler, leaf.sample, [leaf])
    if inherited is None:
        cols = columns(leaf.sample.schema, table.partition_keys)
        descriptor = storage_descriptor(leaf.folder.location, cols, leaf.sample, found)
    else:
        descriptor = {**inherited, "Location": leaf.folder.location, "Parameters": found}
    return {"Values": list(partition.values), "StorageDescriptor": descriptor, "Parameters": found}
