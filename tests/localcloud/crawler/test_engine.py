"""Crawls of real objects on the endpoint."""

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local

SERVICES = ("api-gateway", "authentication", "user-service", "payment", "inventory", "notification")
CONFIGURATION = {
    "Version": 1.0,
    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
    "CrawlerOutput": {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    },
}


@dataclass
class Lake:
    """A bucket, a database and a crawler of one test's own."""

    endpoint: Any
    name: str

    def __post_init__(self) -> None:
        self.s3 = self.endpoint.client("s3")
        self.glue = self.endpoint.client("glue")
        self.s3.create_bucket(Bucket=self.name)

    def put(self, key: str, *events: dict[str, Any]) -> None:
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        self.s3.put_object(Bucket=self.name, Key=key, Body=gzip.compress(body))

    def create_crawler(self, configuration: dict[str, Any] | None = None, **settings: Any) -> None:
        self.glue.create_crawler(
            Name=self.name,
            Role="arn:aws:iam::000000000000:role/crawler",
            DatabaseName=self.name,
            Targets={"S3Targets": [{"Path": f"s3://{self.name}/logs/", "Exclusions": settings.pop("exclusions", [])}]},
            Configuration=json.dumps(configuration or CONFIGURATION),
            **settings,
        )

    def crawl(self) -> dict[str, Any]:
        self.glue.start_crawler(Name=self.name)
        return self.wait()

    def wait(self) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            crawler = self.glue.get_crawler(Name=self.name)["Crawler"]
            if crawler["State"] == "READY":
                return crawler
            time.sleep(0.05)
        raise AssertionError("the crawl did not end")

    def tables(self) -> dict[str, dict[str, Any]]:
        return {table["Name"]: table for table in self.glue.get_tables(DatabaseName=self.name)["TableList"]}

    def partitions(self, table: str) -> dict[tuple[str, ...], dict[str, Any]]:
        found = self.glue.get_partitions(DatabaseName=self.name, TableName=table)["Partitions"]
        return {tuple(partition["Values"]): partition for partition in found}

    def columns(self, table: str) -> dict[str, str]:
        return {column["Name"]: column["Type"] for column in self.tables()[table]["StorageDescriptor"]["Columns"]}


@pytest.fixture
def lake(endpoint: Any) -> Iterator[Lake]:
    yield Lake(endpoint, f"crawl-{uuid.uuid4().hex[:12]}")


def event(service: str, **more: Any) -> dict[str, Any]:
    return {"event_id": "1", "service": service, "level": "INFO", "status_code": 200, "response_time_ms": 1.5, **more}


def put_services(lake: Lake, day: str, **more: Any) -> None:
    for service in SERVICES:
        lake.put(f"logs/{service}/year=2026/month=11/day={day}/a.json.gz", event(service, **more), event(service))


def test_crawl_makes_one_table_per_service_with_partitions_of_its_days(lake: Lake) -> None:
    put_services(lake, "20")
    put_services(lake, "21")
    lake.create_crawler()

    crawler = lake.crawl()

    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    tables = lake.tables()
    assert sorted(tables) == sorted(service.replace("-", "_") for service in SERVICES)
    table = tables["api_gateway"]
    assert [(key["Name"], key["Type"]) for key in table["PartitionKeys"]] == [
        ("year", "string"),
        ("month", "string"),
        ("day", "string"),
    ]
    assert table["StorageDescriptor"]["Location"] == f"s3://{lake.name}/logs/api-gateway/"
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"paths": "event_id,level,response_time_ms,service,status_code"},
    }
    assert lake.columns("api_gateway")["status_code"] == "int"
    assert lake.columns("api_gateway")["response_time_ms"] == "double"
    parameters = table["Parameters"]
    assert (parameters["classification"], parameters["compressionType"], parameters["typeOfData"]) == (
        "json",
        "gzip",
        "file",
    )
    assert (parameters["objectCount"], parameters["recordCount"]) == ("2", "4")
    partitions = lake.partitions("api_gateway")
    assert set(partitions) == {("2026", "11", "20"), ("2026", "11", "21")}
    where = partitions["2026", "11", "20"]["StorageDescriptor"]["Location"]
    assert where == f"s3://{lake.name}/logs/api-gateway/year=2026/month=11/day=20/"


def test_second_crawl_adds_only_what_is_new(lake: Lake) -> None:
    put_services(lake, "20")
    lake.create_crawler()
    lake.crawl()
    put_services(lake, "21", trace_id="abc")

    lake.crawl()

    (newest, _) = lake.glue.list_crawls(CrawlerName=lake.name)["Crawls"]
    summary = json.loads(newest["Summary"])
    assert newest["State"] == "COMPLETED"
    assert summary["TABLE"]["ADD"] == []
    assert summary["PARTITION"]["ADD"] == {service.replace("-", "_"): 1 for service in SERVICES}
    assert summary["COLUMN"]["ADD"] == {service.replace("-", "_"): ["trace_id"] for service in SERVICES}
    assert lake.columns("payment")["trace_id"] == "string"
    inherited = lake.partitions("payment")["2026", "11", "20"]["StorageDescriptor"]["Columns"]
    assert "trace_id" in [column["Name"] for column in inherited]
    (metrics,) = lake.glue.get_crawler_metrics(CrawlerNameList=[lake.name])["CrawlerMetricsList"]
    assert (metrics["TablesCreated"], metrics["TablesUpdated"], metrics["TablesDeleted"]) == (0, 6, 0)


def test_third_crawl_of_the_same_objects_changes_nothing(lake: Lake) -> None:
    put_services(lake, "20")
    lake.create_crawler()
    lake.crawl()
    before = lake.tables()

    lake.crawl()

    assert lake.tables() == before


def test_crawl_leaves_out_hidden_and_excluded_objects(lake: Lake) -> None:
    lake.put("logs/payment/year=2026/month=11/day=20/a.json.gz", event("payment"))
    lake.put("logs/payment/_tmp/a.json.gz", event("payment"))
    lake.put("logs/audit/year=2026/month=11/day=20/a.json.gz", event("audit"))
    lake.create_crawler(exclusions=["audit/**"])

    lake.crawl()

    assert list(lake.tables()) == ["payment"]
    summary = json.loads(lake.glue.list_crawls(CrawlerName=lake.name)["Crawls"][0]["Summary"])
    assert summary["IGNORED"] == {"hidden": 1, "excluded": 1}


def test_column_named_like_a_partition_key_is_not_doubled(lake: Lake) -> None:
    lake.put("logs/payment/year=2026/month=11/day=20/a.json.gz", event("payment", year=2026))
    lake.create_crawler()

    lake.crawl()

    assert "year" not in lake.columns("payment")


def test_table_of_another_place_keeps_its_name(lake: Lake) -> None:
    lake.put("logs/payment/year=2026/month=11/day=20/a.json.gz", event("payment"))
    lake.glue.create_database(DatabaseInput={"Name": lake.name})
    mine = {"Name": "payment", "StorageDescriptor": {"Location": "s3://elsewhere/payment/", "Columns": []}}
    lake.glue.create_table(DatabaseName=lake.name, TableInput=mine)
    lake.create_crawler()

    lake.crawl()

    assert lake.tables()["payment"]["StorageDescriptor"]["Location"] == "s3://elsewhere/payment/"
    (other,) = set(lake.tables()) - {"payment"}
    assert other.startswith("payment_") and len(other) == len("payment_") + 32


def test_threshold_fails_the_crawl_and_writes_nothing(lake: Lake) -> None:
    put_services(lake, "20")
    output = {"Tables": {"TableThreshold": 5}}
    lake.create_crawler({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}, "CrawlerOutput": output})

    crawler = lake.crawl()

    assert crawler["LastCrawl"]["Status"] == "FAILED"
    assert crawler["LastCrawl"]["ErrorMessage"] == (
        "The number of tables detected by crawler: 6 is greater than the table threshold value provided: 5"
    )
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        lake.glue.get_database(Name=lake.name)


def test_missing_bucket_fails_the_crawl_with_s3s_words(lake: Lake) -> None:
    lake.create_crawler()
    lake.s3.delete_bucket(Bucket=lake.name)

    crawler = lake.crawl()

    assert crawler["LastCrawl"]["Status"] == "FAILED"
    assert "NoSuchBucket" in crawler["LastCrawl"]["ErrorMessage"]


def test_vanished_table_is_deprecated_or_deleted(lake: Lake) -> None:
    put_services(lake, "20")
    lake.create_crawler(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "DEPRECATE_IN_DATABASE"})
    lake.crawl()
    lake.s3.delete_object(Bucket=lake.name, Key="logs/payment/year=2026/month=11/day=20/a.json.gz")

    lake.crawl()
    assert "DEPRECATED_BY_CRAWLER" in lake.tables()["payment"]["Parameters"]

    delete = {"UpdateBehavior": "LOG", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    lake.glue.update_crawler(Name=lake.name, SchemaChangePolicy=delete)
    lake.crawl()
    assert "payment" not in lake.tables()


def test_new_folders_only_adds_partitions_and_leaves_the_schema(lake: Lake) -> None:
    put_services(lake, "20")
    lake.create_crawler(RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    lake.crawl()
    put_services(lake, "21", trace_id="abc")

    lake.crawl()

    assert set(lake.partitions("payment")) == {("2026", "11", "20"), ("2026", "11", "21")}
    assert "trace_id" not in lake.columns("payment")


def test_stopped_crawl_writes_nothing_and_says_so(lake: Lake) -> None:
    for day in range(60):
        lake.put(f"logs/payment/year=2026/month=11/day={day}/a.json.gz", event("payment"))
    lake.create_crawler()
    lake.glue.start_crawler(Name=lake.name)
    with pytest.raises(ClientError, match="CrawlerRunningException"):
        lake.glue.start_crawler(Name=lake.name)

    lake.glue.stop_crawler(Name=lake.name)

    assert lake.wait()["LastCrawl"]["Status"] == "CANCELLED"
    (crawl,) = lake.glue.list_crawls(CrawlerName=lake.name)["Crawls"]
    assert crawl["State"] == "STOPPED"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        lake.glue.get_table(DatabaseName=lake.name, Name="payment")


def test_kept_crawls_survive_a_kill_and_an_unfinished_one_is_failed(own_endpoint: Any) -> None:
    lake = Lake(own_endpoint(), "crawl-killed")
    lake.put("logs/payment/year=2026/month=11/day=20/a.json.gz", event("payment"))
    lake.create_crawler()
    lake.crawl()
    for day in range(80):
        lake.put(f"logs/payment/year=2026/month=12/day={day}/a.json.gz", event("payment"))
    lake.glue.start_crawler(Name=lake.name)
    lake.endpoint.kill()

    lake.endpoint = own_endpoint()
    lake.glue = lake.endpoint.client("glue")

    newest, oldest = lake.glue.list_crawls(CrawlerName=lake.name)["Crawls"]
    assert (newest["State"], oldest["State"]) == ("FAILED", "COMPLETED")
    assert newest["ErrorMessage"] == "the endpoint stopped during the crawl"
    assert lake.crawl()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert len(lake.partitions("payment")) == 81


def test_a_crawler_outlives_a_kill_right_after_its_creation_and_stays_deleted(own_endpoint: Any) -> None:
    lake = Lake(own_endpoint(), "crawl-young")
    lake.put("logs/payment/day=20/a.json.gz", event("payment"))
    lake.create_crawler()
    lake.glue.update_crawler(Name=lake.name, TablePrefix="raw_")
    lake.endpoint.kill()

    lake.endpoint = own_endpoint()
    lake.glue = lake.endpoint.client("glue")
    assert lake.crawl()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert list(lake.tables()) == ["raw_payment"]
    lake.glue.delete_crawler(Name=lake.name)
    lake.endpoint.stop()

    assert own_endpoint().client("glue").list_crawlers()["CrawlerNames"] == []


def test_partitions_of_their_own_schema_keep_it_when_they_do_not_inherit(lake: Lake) -> None:
    lake.put("logs/payment/day=20/a.json.gz", {"a": 1})
    lake.put("logs/payment/day=21/a.json.gz", {"a": 1.5, "b": "x"})
    lake.create_crawler({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}})

    lake.crawl()

    def columns(day: str) -> dict[str, str]:
        found = lake.partitions("payment")[day,]["StorageDescriptor"]["Columns"]
        return {column["Name"]: column["Type"] for column in found}

    assert lake.columns("payment") == {"a": "double", "b": "string"}
    assert (columns("20"), columns("21")) == ({"a": "int"}, {"a": "double", "b": "string"})


def test_csv_and_parquet_tables_get_their_own_serdes(lake: Lake) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), packed)
    lake.s3.put_object(Bucket=lake.name, Key="logs/numbers/day=20/a.parquet", Body=packed.getvalue())
    lake.s3.put_object(Bucket=lake.name, Key="logs/prices/day=20/a.csv", Body=b"sku;price\nx;1.5\ny;2\n")
    lake.create_crawler()

    lake.crawl()

    tables = lake.tables()
    numbers, prices = tables["numbers"]["StorageDescriptor"], tables["prices"]["StorageDescriptor"]
    assert numbers["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert prices["SerdeInfo"]["Parameters"] == {"field.delim": ";"}
    assert tables["prices"]["Parameters"]["skip.header.line.count"] == "1"
    assert lake.columns("prices") == {"sku": "string", "price": "double"}


def test_errors_are_glues_own(lake: Lake) -> None:
    lake.put("logs/payment/year=2026/month=11/day=20/a.json.gz", event("payment"))
    lake.create_crawler()

    with pytest.raises(ClientError, match="EntityNotFoundException"):
        lake.glue.start_crawler(Name="nobody")
    with pytest.raises(ClientError, match="CrawlerNotRunningException"):
        lake.glue.stop_crawler(Name=lake.name)
    assert lake.glue.batch_get_crawlers(CrawlerNames=[lake.name, "nobody"])["CrawlersNotFound"] == ["nobody"]
