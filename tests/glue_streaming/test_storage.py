import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from catalog.errors import LoglakeError
from catalog.tables import LOGS, RUNS, TABLES
from glue_streaming.storage import Storage, batch_of, manifest_key

pytestmark = pytest.mark.local

DATABASE = "app_logs_db"
DAY = ("payment", "2026", "11", "21")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0"}
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "--bind", address]
    process = subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def clients(endpoint: str) -> dict[str, Any]:
    made = {
        service: boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        for service in ("s3", "glue")
    }
    wait_until_it_answers(made["s3"])
    made["s3"].create_bucket(Bucket="lake")
    made["glue"].create_database(DatabaseInput={"Name": DATABASE})
    for table in TABLES:
        descriptor = {"Location": f"s3://lake/{table.prefix}", "Columns": [{"Name": "message", "Type": "string"}]}
        made["glue"].create_table(
            DatabaseName=DATABASE, TableInput={"Name": table.name, "StorageDescriptor": descriptor}
        )
    return made


def wait_until_it_answers(s3: Any) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            s3.list_buckets()
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture
def storage(clients: dict[str, Any]) -> Storage:
    return Storage(clients["s3"], clients["glue"], "lake", DATABASE)


def folder_of(service: str) -> str:
    return LOGS.prefix + LOGS.partition_folder((service, *DAY[1:]))


def keys(clients: dict[str, Any], prefix: str) -> list[str]:
    found = clients["s3"].list_objects_v2(Bucket="lake", Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", [])]


def test_files_of_a_folder_are_uploaded_and_hidden_ones_are_not(
    storage: Storage, clients: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "day=21").mkdir()
    for name in ("day=21/part-1.parquet", "_SUCCESS", ".part-1.parquet.crc", "_temporary.parquet"):
        (tmp_path / name).write_text(name)
    folder = f"file://{tmp_path}/"
    assert storage.list_files(folder) == ["day=21/part-1.parquet"]
    storage.publish(folder, {"day=21/part-1.parquet": "up/a.parquet"})
    assert keys(clients, "up/") == ["up/a.parquet"]


def test_files_of_a_bucket_are_copied(storage: Storage, clients: dict[str, Any]) -> None:
    clients["s3"].put_object(Bucket="lake", Key="staging/b/part-1.parquet", Body=b"rows")
    assert storage.list_files("s3://lake/staging/b/") == ["part-1.parquet"]
    storage.publish("s3://lake/staging/b/", {"part-1.parquet": "copied/b.parquet"})
    assert clients["s3"].get_object(Bucket="lake", Key="copied/b.parquet")["Body"].read() == b"rows"


def test_no_folder_has_no_files(storage: Storage, tmp_path: Path) -> None:
    assert storage.list_files(f"file://{tmp_path}/nothing/") == []
    assert storage.list_files("s3://lake/nothing/") == []


def test_keys_are_deleted_and_missing_ones_are_fine(storage: Storage, clients: dict[str, Any]) -> None:
    clients["s3"].put_object(Bucket="lake", Key="doomed/a", Body=b"")
    storage.delete(["doomed/a", "doomed/b"])
    storage.delete([])
    assert keys(clients, "doomed/") == []


def test_a_partition_is_registered_once_at_its_folder(storage: Storage, clients: dict[str, Any]) -> None:
    storage.register(LOGS, {DAY: folder_of("payment")})
    storage.register(LOGS, {DAY: "elsewhere/", ("inventory", *DAY[1:]): folder_of("inventory")})
    storage.register(RUNS, {})
    found = clients["glue"].get_partitions(DatabaseName=DATABASE, TableName="logs")["Partitions"]
    assert {partition["StorageDescriptor"]["Location"] for partition in found} == {
        f"s3://lake/curated/logs/service={service}/year=2026/month=11/day=21/" for service in ("payment", "inventory")
    }
    assert len(found) == 2
    assert found[0]["StorageDescriptor"]["Columns"] == [{"Name": "message", "Type": "string"}]


def test_a_partition_is_moved_and_found_where_it_is(storage: Storage) -> None:
    day, other = ("moved", *DAY[1:]), ("stays", *DAY[1:])
    storage.register(LOGS, {day: folder_of("moved"), other: folder_of("stays")})
    storage.move(LOGS, day, "generations/logs/00000001/moved/")
    expected = {day: "generations/logs/00000001/moved/", other: folder_of("stays")}
    assert storage.folders(LOGS, [day, other, ("nobody", *DAY[1:])]) == expected
    assert expected.items() <= storage.all_folders(LOGS).items()


def test_a_partition_that_is_not_there_is_not_moved(storage: Storage) -> None:
    with pytest.raises(LoglakeError, match="must be moved; got"):
        storage.move(LOGS, ("nobody", *DAY[1:]), "generations/logs/00000001/nobody/")


def test_keys_are_fetched_to_a_disk_and_named_on_s3(storage: Storage, clients: dict[str, Any], tmp_path: Path) -> None:
    clients["s3"].put_object(Bucket="lake", Key="fetched/a.parquet", Body=b"rows")
    assert storage.list_sizes("fetched/") == {"fetched/a.parquet": 4}
    assert storage.fetch(["fetched/a.parquet"], "s3://lake/staging/") == ["s3://lake/fetched/a.parquet"]
    [path] = storage.fetch(["fetched/a.parquet"], f"file://{tmp_path}/before/")
    assert Path(path.removeprefix("file://")).read_bytes() == b"rows"


def test_a_manifest_is_read_back_and_a_missing_one_is_none(storage: Storage) -> None:
    assert storage.read_json(manifest_key(3)) is None
    storage.write_json(manifest_key(3), {"state": "published"})
    storage.write_json(manifest_key(12), {})
    assert storage.read_json(manifest_key(3)) == {"state": "published"}
    assert [batch_of(key) for key in storage.list_manifests()] == [3, 12]
