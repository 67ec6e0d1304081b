"""A driver that may be killed at any step of its work on the lake, and a reader that asks Athena meanwhile."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from catalog.tables import TABLES, Table
from glue_streaming.storage import Storage
from tests.conftest import REPOSITORY, EndpointProcess

DATABASE = "app_logs_db"
BUCKET = "lake"


class Reader(threading.Thread):
    """Asks Athena again and again: no event may be there twice, and none that was seen may be missing."""

    def __init__(self, endpoint: EndpointProcess) -> None:
        super().__init__(daemon=True)
        self._athena = endpoint.client("athena")
        self.seen: Counter[str] = Counter()
        self.counted = 0
        self.wrong: list[str] = []
        self.looks = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except Exception as error:  # an exception would end the thread unseen
                self.wrong.append(repr(error))
            time.sleep(0.5)

    def look(self) -> None:
        ids = Counter(row[0] for row in self.rows("SELECT event_id FROM logs"))
        counted = int(self.rows("SELECT COALESCE(SUM(event_count), 0) FROM log_minutes")[0][0])
        doubled = [event for event, count in ids.items() if count > 1]
        missing = list(self.seen - ids)
        if doubled or missing or counted < self.counted:
            self.wrong.append(f"doubled {doubled}, missing {missing}, counted {counted} after {self.counted}")
        self.seen, self.counted, self.looks = ids, counted, self.looks + 1

    def rows(self, sql: str) -> list[list[str]]:
        started = self._athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": "s3://results/"},
        )["QueryExecutionId"]
        while True:
            status = self._athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.02)
        assert status["State"] == "SUCCEEDED", status
        rows = self._athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows[1:]]

    def stop(self) -> None:
        self._over.set()
        self.join(30)


class Driver:
    """Runs the job in a process of its own, which may be told to die."""

    def __init__(self, endpoint: EndpointProcess, root: Path) -> None:
        self._root = root
        self._environment = {
            **endpoint.environment(),
            "PYTHONPATH": str(REPOSITORY),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": " ".join(
                (
                    "--master local[2] --driver-memory 1g",
                    '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"',
                    "--conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1",
                    "--conf spark.driver.bindAddress=127.0.0.1 pyspark-shell",
                )
            ),
        }

    def run(self, step: str, *options: str) -> bool:
        """Run the job; return whether it was killed before `step`, as `DyingStorage` names steps."""
        script = REPOSITORY / "tests" / "glue_streaming" / "dying_job.py"
        places = [f"--{name}-path=file://{self._root}/{name}/" for name in ("raw", "checkpoint", "staging")]
        command = [sys.executable, str(script), step, *places, *options]
        command += [f"--lake-bucket={BUCKET}", f"--database={DATABASE}"]
        with (self._root / "driver.log").open("ab") as log:
            code = subprocess.run(
                command, env=self._environment, stdout=log, stderr=log, check=False, timeout=900
            ).returncode
        assert code in (0, -signal.SIGKILL), (self._root / "driver.log").read_text()[-3000:]
        return code != 0


def create_tables(endpoint: EndpointProcess) -> None:
    s3, glue = endpoint.client("s3"), endpoint.client("glue")
    for bucket in (BUCKET, "results"):
        s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for table in TABLES:
        glue.create_table(DatabaseName=DATABASE, TableInput=table_input(table))


def table_input(table: Table) -> dict[str, Any]:
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    return {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet"},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.partition_keys],
        "StorageDescriptor": {
            "Location": f"s3://{BUCKET}/{table.prefix}",
            "Columns": [{"Name": column.name, "Type": column.type} for column in table.columns],
            "SerdeInfo": {"SerializationLibrary": serde},
        },
    }


def files_of_no_partition(endpoint: EndpointProcess) -> list[str]:
    """Return the data files of the lake that no registered partition shows."""
    lake = Storage(endpoint.client("s3"), endpoint.client("glue"), BUCKET, DATABASE)
    shown = {folder for table in TABLES[:3] for folder in lake.all_folders(table).values()} | {"runs/"}
    keys = [key for key in lake.list_sizes("") if key.endswith(".parquet")]
    return [key for key in keys if key.rpartition("/")[0] + "/" not in shown]
