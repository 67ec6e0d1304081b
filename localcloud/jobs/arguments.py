"""A job's arguments: merged as Glue merges them, and with S3 places turned into places of the local mirror."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXTRA_PY_FILES = "--extra-py-files"
CONF = "--conf"
CONSUMED = (
    *(EXTRA_PY_FILES, CONF, "--extra-jars", "--extra-files", "--user-jars-first", "--class", "--scriptLocation"),
    *("--job-language", "--datalake-formats", "--additional-python-modules", "--python-modules-installer-option"),
    *("--enable-metrics", "--enable-continuous-cloudwatch-log", "--enable-observability-metrics"),
    *("--enable-spark-ui", "--spark-event-logs-path", "--enable-glue-datacatalog", "--enable-auto-scaling"),
    *("--enable-job-insights", "--enable-continuous-log-filter", "--continuous-log-logGroup"),
)
"""Arguments that Glue itself takes; the script does not get them here."""
SCRATCH = ("--TempDir",)
"""Arguments that name a place to write to, of which nothing is fetched."""


@dataclass(frozen=True, slots=True)
class Place:
    """An S3 place: an object, or everything below `prefix` when it ends with a slash."""

    bucket: str
    prefix: str


def merged(job: Mapping[str, Any], run: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a run: the job's defaults, then the run's, then those that can't be overridden."""
    return {**(job.get("DefaultArguments") or {}), **run, **(job.get("NonOverridableArguments") or {})}


def place(value: str) -> Place | None:
    """Return the S3 place that a value is, or None when it is anything else."""
    for scheme in ("s3://", "s3a://", "s3n://"):
        if value.startswith(scheme):
            bucket, _, prefix = value.removeprefix(scheme).partition("/")
            return Place(bucket, prefix) if bucket else None
    return None


def mirror_path(root: Path, where: Place) -> Path:
    """Return where a place lies in the mirror; raise `ValueError` for a key that would leave it."""
    parts = [part for part in where.prefix.split("/") if part]
    if {".", ".."} & {where.bucket, *parts}:
        raise ValueError(f"an S3 place must not have '.' or '..' in it; got 's3://{where.bucket}/{where.prefix}'")
    return root.joinpath(where.bucket, *parts)


def mirror_uri(root: Path, where: Place) -> str:
    """Return the `file://` URI of a place; it ends with a slash when the place's does, or is a whole bucket."""
    slash = "/" if where.prefix.endswith("/") or not where.prefix else ""
    return f"file://{mirror_path(root, where)}{slash}"


def places(arguments: Mapping[str, str]) -> list[Place]:
    """Return the S3 places whose objects the script may read."""
    found = [place(value) for key, value in arguments.items() if key not in (*CONSUMED, *SCRATCH)]
    return [one for one in found if one is not None]


def script_arguments(arguments: Mapping[str, str], root: Path, job_name: str, run_id: str) -> list[str]:
    """Return the script's argv after its name: `--key value` pairs, S3 places replaced by the mirror's."""
    argv = ["--JOB_NAME", job_name, "--JOB_RUN_ID", run_id]
    for key, value in arguments.items():
        if key in CONSUMED:
            continue
        where = place(value)
        argv += [key, value if where is None else mirror_uri(root, where)]
    return argv


def extra_py_files(arguments: Mapping[str, str]) -> list[str]:
    return [uri.strip() for uri in arguments.get(EXTRA_PY_FILES, "").split(",") if uri.strip()]


def spark_settings(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the Spark settings of `--conf`, whose value may hold more: `a=1 --conf b=2`."""
    words = [word for word in shlex.split(arguments.get(CONF, "")) if word != CONF]
    pairs = [word.partition("=") for word in words if word.startswith("spark.")]
    return {name: value for name, _, value in pairs}
