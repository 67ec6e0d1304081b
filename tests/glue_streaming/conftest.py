"""What the tests of this folder share: one Spark session, a lake in memory, and ways to write raw objects."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.jobs.spark import LONG_LIFE
from tests.glue_streaming.lake import FolderLake


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    builder = SparkSession.builder.master("local[2]").appName("tests")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",  # one driver for all of them, and lines of 50 MB among them
        "spark.sql.ansi.enabled": "true",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        **LONG_LIFE,
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def job(spark: Any, tmp_path: Path) -> "Job":
    return Job(spark, tmp_path / "job")


@pytest.fixture(scope="module")
def kept_job(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> "Job":
    """A job for a module's tests to `save` with runs behind it and to `restore`: a run takes seconds."""
    return Job(spark, tmp_path_factory.mktemp("kept") / "job")


class Job:
    """The job on a lake in a folder: `run()` is one run of it, `run("--task=compact")` one of another kind."""

    def __init__(self, spark: Any, root: Path) -> None:
        self._spark = spark
        self._root = root
        self._saved = root.with_name("saved")
        self.raw = root / "raw" / "logs"
        self.raw.mkdir(parents=True)
        self.lake = FolderLake(root / "lake")
        self._partitions = dict(self.lake.partitions)

    def save(self) -> None:
        """Keep everything as it is now."""
        shutil.copytree(self._root, self._saved)
        self._partitions = dict(self.lake.partitions)

    def restore(self) -> None:
        """Make everything what was saved, in the same place: the checkpoint knows objects by their paths."""
        shutil.rmtree(self._root)
        shutil.copytree(self._saved, self._root)
        self.lake = FolderLake(self._root / "lake")
        self.lake.partitions = dict(self._partitions)

    def run(self, *options: str) -> dict[str, Any]:
        from glue_streaming.arguments import parse
        from glue_streaming.job import WAYS

        argv = [f"--{name}-path=file://{self._root}/{name}/" for name in ("checkpoint", "staging")]
        argv += [f"--raw-path=file://{self.raw}/", "--lake-bucket=lake", "--database=app_logs_db", *options]
        arguments = parse(argv)
        return WAYS[arguments.task](self._spark, arguments, self.lake)

    def forget_the_checkpoint(self) -> None:
        shutil.rmtree(self._root / "checkpoint")

    def forget_the_last_commit(self) -> None:
        """Undo what Spark writes last, as if the driver had died before it."""
        commits = self._root / "checkpoint" / "stream" / "commits"
        last = max((path for path in commits.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
        last.unlink()
        (commits / f".{last.name}.crc").unlink(missing_ok=True)
