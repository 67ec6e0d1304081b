"""How a warm Spark driver is launched on a laptop: settings, JVM flags, environment."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcloud.engine import Context

DRIVER_MEMORY = "1g"
CORES = 2
_QUICK_START = (
    *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:+ExitOnOutOfMemoryError"),
    *("-Duser.timezone=UTC", "-Djava.net.preferIPv4Stack=true"),
)
LONG_LIFE = {
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "20",
    "spark.ui.retainedTasks": "200",
    "spark.sql.ui.retainedExecutions": "5",
    "spark.sql.codegen.cache.maxEntries": "2000",
}
"""What lets one driver run a job again and again: it forgets past work, of which it would keep a thousand plans in its
heap for a page that nobody opens, and keeps compiled code, of which by default one run's is more than it keeps."""
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "LOGNAME")


def settings(job_name: str, folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the Spark settings; the job's own come first, what keeps Spark on loopback and in its folder wins."""
    return {
        "spark.sql.shuffle.partitions": str(CORES),
        "spark.default.parallelism": str(CORES),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": DRIVER_MEMORY,
        **LONG_LIFE,
        **own,
        "spark.app.name": job_name,
        "spark.master": f"local[{CORES}]",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder / "tmp"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }


def submit_arguments(found: Mapping[str, str], folder: Path) -> str:
    """Return the text of `PYSPARK_SUBMIT_ARGS`."""
    flags = [*_QUICK_START, f'"-Djava.io.tmpdir={folder / "tmp"}"', f'"-Dderby.system.home={folder / "tmp"}"']
    words = ["--driver-memory", found["spark.driver.memory"], "--driver-java-options", " ".join(flags)]
    for name, value in found.items():
        words += ["--conf", f"{name}={value}"]
    return shlex.join([*words, "pyspark-shell"])


def driver_environment(
    context: Context, java_home: Path, libraries: Sequence[Path], submit: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return all that a driver sees of the world: this endpoint, dummy credentials, its Java, its libraries."""
    return {
        **{name: environment[name] for name in _INHERITED if name in environment},
        "JAVA_HOME": str(java_home),
        "PYTHONPATH": os.pathsep.join(map(str, libraries)),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": submit,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "UTC",
        "AWS_ENDPOINT_URL": context.endpoint_url,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_REGION": context.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
