import base64
import gzip
import random
import struct
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cramjam
import pytest

from localcloud.delivery.metrics import metric_data
from localcloud.delivery.record import Record
from localcloud.delivery.stream import MAX_ACTIVE_PARTITIONS, DeliveryStream
from tests.localcloud.delivery.streams import LAMBDA_ARN, Bucket, configured, processor, until

TRANSFORM = processor("Lambda", LambdaArn=LAMBDA_ARN)
DELIMITER = processor("AppendDelimiterToRecord")


def by_letter(record: dict[str, Any]) -> dict[str, Any]:
    letter = base64.b64decode(record["data"])[:1].decode()
    return {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": {"service": letter}}}


def stream_of(
    folder: Path, bucket: Bucket, *, seconds: float = 0.2, size_mb: int = 64, **config: Any
) -> DeliveryStream:
    hints = {"SizeInMBs": size_mb, "IntervalInSeconds": seconds}
    configuration = configured(TRANSFORM, DELIMITER, BufferingHints=hints, **config)
    stream = DeliveryStream(folder, configuration, "us-east-1", bucket, linger_seconds=0.0)  # type: ignore[arg-type]
    stream.start()
    return stream


def lines(bucket: Bucket) -> Counter[bytes]:
    return Counter(line for content in bucket.objects.values() for line in content.splitlines())


def records(*datas: bytes) -> list[Record]:
    return [Record(1_700_000_000_000, data) for data in datas]


def test_stream_delivers_one_object_per_partition_and_interval(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    stream = stream_of(tmp_path, bucket, CompressionFormat="GZIP", FileExtension=".json.gz")
    stream.put(records(b"a1", b"b1", b"a2"))
    until(lambda: len(bucket.objects) == 2)
    stream.stop()
    bodies = {key.rpartition("/")[0]: gzip.decompress(content) for key, content in bucket.objects.items()}
    assert bodies == {"logs/a": b"a1\na2\n", "logs/b": b"b1\n"}
    assert all(key.rpartition("/")[2].startswith("d-3-2023-11-14-22-13-20-") for key in bucket.objects)
    assert all(key.endswith(".json.gz") for key in bucket.objects)
    assert stream.status()["delivered_records"] == 3


def test_stream_cuts_objects_by_size_before_compression(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    stream = stream_of(tmp_path, bucket, seconds=1000, size_mb=1)
    for index in range(8):
        stream.put(records(b"a" + bytes([65 + index]) * 400_000))
    until(lambda: len(bucket.objects) == 2)
    stream.stop()
    assert all(len(content) >= 1024 * 1024 for content in bucket.objects.values())


def test_stream_delivers_zip_archives(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    stream = stream_of(tmp_path, bucket, CompressionFormat="ZIP")
    stream.put(records(b"a1"))
    until(lambda: len(bucket.objects) == 1)
    stream.stop()
    ((key, content),) = bucket.objects.items()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.read(archive.namelist()[0]) == b"a1\n"
    assert key.endswith(".zip")


def test_stream_tries_until_the_bucket_takes_it(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    bucket.refusals = 1
    stream = stream_of(tmp_path, bucket)
    stream.put(records(b"a1"))
    until(lambda: len(bucket.objects) == 1)
    stream.stop()
    assert lines(bucket) == {b"a1": 1}


@pytest.mark.parametrize("seed", range(3))
def test_stream_killed_again_and_again_delivers_all_that_was_acknowledged_and_nothing_twice(
    tmp_path: Path, seed: int
) -> None:
    source = random.Random(seed)
    acknowledged: list[str] = []
    for turn in range(6):
        acknowledged += run_and_kill(tmp_path, 1_000_000 * turn, source)
    run_and_kill(tmp_path, -1, source, seconds=3.0)
    delivered = Counter(line for path in (tmp_path / "bucket").iterdir() for line in path.read_text().splitlines())
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(delivered)
    assert set(delivered.values()) == {1}


def run_and_kill(folder: Path, first: int, source: random.Random, *, seconds: float = 0.0) -> list[str]:
    """Run a writer of events numbered from `first` on until it is killed, and return what it had acknowledged."""
    command = [sys.executable, "-m", "tests.localcloud.delivery.writer", str(folder), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(seconds or source.uniform(0.05, 0.35))
    process.kill()
    text = process.stdout.read()
    process.wait()
    return text[: text.rfind("\n") + 1].split()


def test_stream_that_was_deleted_delivers_at_once_and_ends(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    stream = stream_of(tmp_path / "stream", bucket, seconds=1000)
    stream.put(records(b"a1", b"b1"))
    stream.close()
    until(stream.is_done)
    stream.remove()
    assert lines(bucket) == {b"a1": 1, b"b1": 1}
    assert not (tmp_path / "stream").exists()


def test_stream_takes_a_changed_configuration(tmp_path: Path) -> None:
    bucket = Bucket(by_letter)
    stream = stream_of(tmp_path, bucket, seconds=1000)
    stream.put(records(b"a1"))
    until(lambda: stream.status()["buffered_bytes"] > 0)
    stream.configuration = configured(TRANSFORM, DELIMITER, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    until(lambda: len(bucket.objects) == 1)
    stream.stop()


def test_stream_delivers_framed_snappy(tmp_path: Path) -> None:
    assert delivered_as(tmp_path, "Snappy", ".snappy", lambda content: bytes(cramjam.snappy.decompress(content)))


def test_stream_delivers_hadoops_snappy(tmp_path: Path) -> None:
    assert delivered_as(tmp_path, "HADOOP_SNAPPY", ".hsnappy", unpack_hadoop)


def delivered_as(folder: Path, compression: str, extension: str, unpack: Callable[[bytes], bytes]) -> bool:
    """Tell whether 3 MB of records come out of one object as they went in."""
    bucket = Bucket(by_letter)
    stream = stream_of(folder, bucket, CompressionFormat=compression)
    texts = [b"a%06d" % n + random.Random(n).randbytes(500).hex().encode() for n in range(3000)]
    stream.put(records(*texts))
    until(lambda: stream.status()["delivered_records"] == 3000)
    stream.stop()
    assert all(key.endswith(extension) for key in bucket.objects)
    return b"".join(map(unpack, bucket.objects.values())) == b"\n".join(texts) + b"\n"


def unpack_hadoop(content: bytes) -> bytes:
    """Read blocks as Hadoop's BlockDecompressorStream does."""
    parts = []
    while content:
        length, packed = struct.unpack(">II", content[:8])
        parts.append(bytes(cramjam.snappy.decompress_raw(content[8 : 8 + packed])))
        assert len(parts[-1]) == length <= 256 * 1024
        content = content[8 + packed :]
    return b"".join(parts)


def test_source_records_are_backed_up_as_they_came_whatever_the_function_says(tmp_path: Path) -> None:
    bucket = Bucket(changed_or_dropped)
    backup = {
        "BucketARN": "arn:aws:s3:::backup",
        "Prefix": "source/",
        "CompressionFormat": "GZIP",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
    }
    stream = stream_of(tmp_path, bucket, S3BackupMode="Enabled", S3BackupConfiguration=backup)
    stream.put(records(b"a1", b"ax", b"b1"))
    until(lambda: len(bucket.objects) == 3)
    stream.stop()
    kept = {key: body for key, body in bucket.objects.items() if key.startswith("source/2023/11/14/22/")}
    assert [gzip.decompress(body) for body in kept.values()] == [b"a1axb1"]
    assert all(key.endswith(".gz") for key in kept)
    assert lines(bucket)[b"changed"] == 2
    assert {bucket.buckets[key] for key in kept} == {"backup"}
    assert {bucket.buckets[key] for key in set(bucket.objects) - set(kept)} == {"raw"}
    assert stream.counters.totals["BackupToS3.Records"] == 3


def changed_or_dropped(record: dict[str, Any]) -> dict[str, Any]:
    if b"x" in base64.b64decode(record["data"]):
        return {"result": "Dropped"}
    return {**by_letter(record), "data": base64.b64encode(b"changed").decode()}


def test_partition_metrics_tell_how_many_are_active_and_that_the_limit_was_hit(tmp_path: Path) -> None:
    bucket = Bucket(by_whole_text)
    stream = stream_of(tmp_path, bucket, seconds=1000)
    stream.put(records(*(b"%d" % n for n in range(MAX_ACTIVE_PARTITIONS + 5))))
    until(lambda: stream.status()["active_partitions"] == MAX_ACTIVE_PARTITIONS)
    stream.observe()
    minute = stream.counters.take()
    stream.stop()
    assert minute["PartitionCount"].high == MAX_ACTIVE_PARTITIONS
    assert minute["PartitionCountExceeded"].high == 1
    names = {each["MetricName"] for each in metric_data("d", minute)}
    assert {"PartitionCount", "ActivePartitionsLimit", "DeliveryToS3.DataFreshness", "IncomingRecords"} <= names


def by_whole_text(record: dict[str, Any]) -> dict[str, Any]:
    text = base64.b64decode(record["data"]).decode()
    return {"result": "Ok", "data": record["data"], "metadata": {"partitionKeys": {"service": text}}}
