"""Folders that Spark opens, on S3 or on a disk: listed and deleted through Hadoop, so that one way serves both."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import SparkSession


def list_names(spark: SparkSession, folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if there is no such folder."""
    file_system, path = _open(spark, folder)
    if not file_system.exists(path):
        return []
    return sorted(status.getPath().getName() for status in file_system.listStatus(path))


def exists(spark: SparkSession, path: str) -> bool:
    """Return whether there is a file or folder of that path."""
    file_system, hadoop_path = _open(spark, path)
    return bool(file_system.exists(hadoop_path))


def sizes(spark: SparkSession, paths: Sequence[str]) -> dict[str, int]:
    """Return the bytes of files; 0 for one that is not there."""
    return {path: _size(spark, path) for path in paths}


def delete(spark: SparkSession, folder: str) -> None:
    """Delete a folder and what is in it; none is fine."""
    file_system, path = _open(spark, folder)
    file_system.delete(path, True)


def _open(spark: SparkSession, path: str) -> tuple[Any, Any]:
    jvm: Any = spark._jvm
    hadoop_path = jvm.org.apache.hadoop.fs.Path(path)
    return hadoop_path.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()), hadoop_path


def _size(spark: SparkSession, path: str) -> int:
    file_system, hadoop_path = _open(spark, path)
    return int(file_system.getFileStatus(hadoop_path).getLen()) if file_system.exists(hadoop_path) else 0
