"""The KCL engine: its files and words, and the real MultiLangDaemon where amazon_kclpy is installed."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog import kcl as jars
from consumer import kcl
from consumer.kcl_run import Lines
from consumer.run import Names
from tests.conftest import REPOSITORY, EndpointProcess
from tests.consumer.conftest import LivePath, encoded, until

NAMES = Names("loglake-events", "loglake-live", "eu-west-1")
MISSING = kcl.what_is_missing(os.environ)
real = pytest.mark.skipif(bool(MISSING), reason=f"the KCL can't run here: {MISSING}")


def test_properties_poll_and_name_the_endpoint_that_the_environment_names() -> None:
    found = kcl.properties(NAMES, kcl.Options("horizon", worker_id="w1"), {"AWS_ENDPOINT_URL": "http://x:1"}, 0)
    assert found["retrievalMode"] == "POLLING"
    assert found["kinesisEndpoint"] == found["dynamoDBEndpoint"] == "http://x:1"
    assert found["metricsLevel"] == "NONE"
    assert found["initialPositionInStream"] == "TRIM_HORIZON"
    assert found["workerId"] == "w1"
    on_aws = kcl.properties(NAMES, kcl.Options(properties={"metricsLevel": "SUMMARY"}), {}, 1000)
    assert "kinesisEndpoint" not in on_aws
    assert on_aws["metricsLevel"] == "SUMMARY"
    assert on_aws["initialPositionInStreamExtended"] == "400"


def test_daemons_lines_become_ours_once() -> None:
    lines = Lines(print)
    assert lines.translate("loglake: shardId-0 from TRIM_HORIZON") == ["shardId-0 from TRIM_HORIZON"]
    assert lines.translate("KCL|ERROR|ErrorReader|Received error line [loglake: shardId-0 from X] for shard 0") == []
    assert lines.translate("KCL|INFO|Scheduler|Sleeping") == []
    assert lines.translate("KCL|WARN|Taker|lease 12 lost") == ["KCL: Taker: lease 12 lost (said once)"]
    assert lines.translate("KCL|WARN|Taker|lease 13 lost") == []
    lines.translate("loglake: failed: the live table must exist")
    assert lines.last_trouble == "Taker: lease 12 lost" or lines.last_trouble == "the live table must exist"


def test_engine_is_chosen_visibly() -> None:
    chosen, why = kcl.choose("auto", os.environ)
    if MISSING:
        assert (chosen, why) == ("poll", f"no KCL here: {MISSING}")
    else:
        assert (chosen, why) == ("kcl", f"KCL {jars.version(jars.jars())} is installed")
    assert kcl.choose("poll", {}) == ("poll", "asked for")


class Worker:
    """One `loglake consume --engine kcl`."""

    def __init__(self, endpoint: EndpointProcess, path: LivePath, log: Path) -> None:
        self.log = log
        names = {"STREAM": path.name, "LIVE_TABLE": path.name, "REGION": "us-east-1", "INGEST_MODE": "stream"}
        environment = {**endpoint.environment(), **{f"LOGLAKE_{name}": value for name, value in names.items()}}
        arguments = ["consume", "--engine", "kcl", "--start", "horizon", "--worker-id", uuid.uuid4().hex[:6]]
        for text in ("failoverTimeMillis=4000", "shardSyncIntervalMillis=5000", "leaseAssignmentIntervalMillis=4000"):
            arguments += ["--kcl-property", text]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "loglake", *arguments],
                env=environment,
                cwd=REPOSITORY,
                stdout=output,
                stderr=output,
            )

    def holds(self) -> int:
        """Return how many shards it has begun to read."""
        return self.log.read_text().count(" from ")

    def kill(self) -> None:
        """End it, its daemon and their workers with SIGKILL, all at once."""
        import psutil

        family = [self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))]
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)


@pytest.fixture
def worker(endpoint: EndpointProcess, tmp_path: Path) -> Iterator[Callable[[LivePath], Worker]]:
    started: list[Worker] = []

    def start(path: LivePath) -> Worker:
        started.append(Worker(endpoint, path, tmp_path / f"worker-{len(started)}.log"))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


@real
@pytest.mark.local
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_workers_share_one_is_killed_the_stream_is_resharded_nothing_is_lost_or_doubled(
    live_path: Callable[..., LivePath], worker: Callable[[LivePath], Worker]
) -> None:
    path = live_path(shards=4)
    path.put([encoded(n) for n in range(400)])
    first = worker(path)
    until(lambda: path.counted().total == 400, 240)
    second = worker(path)
    until(lambda: second.holds() >= 1, 240)
    path.put([encoded(n) for n in range(400)], aggregated=True)
    first.kill()
    path.put([encoded(n) for n in range(400)])
    until(lambda: path.counted().total >= 1200, 240)
    path.kinesis.update_shard_count(StreamName=path.name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    path.put([encoded(n) for n in range(400)])
    until(lambda: path.counted().total >= 1600, 300)
    assert second.stop() == 0, second.log.read_text()
    time.sleep(1)
    assert path.counted().total == 1600
    assert path.feed().state().totals == {"events": 1600}
    assert "is checkpointed" in second.log.read_text()
