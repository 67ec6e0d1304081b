import time
from typing import Any

import pytest

from localcloud import retention
from localcloud.retention import merge_old_points, trim_records


def stream(*sizes: int, age_seconds: float = 0.0) -> dict[str, Any]:
    arrival = time.time() - age_seconds
    records = [{"Data": "x" * size, "ApproximateArrivalTimestamp": arrival} for size in sizes]
    return {"StreamName": "s", "RetentionPeriodHours": 24, "shards": {"shard": {"records": records}}}


def sizes_of(kept: dict[str, Any]) -> list[int]:
    return [len(record["Data"]) for record in kept["shards"]["shard"]["records"]]


def test_records_beyond_the_window_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "RECORD_WINDOW_BYTES", 100)
    kept = stream(40, 50, 60)
    trim_records(kept)
    assert sizes_of(kept) == [60]
    kept["shards"]["shard"]["records"].append({"Data": "x" * 30, "ApproximateArrivalTimestamp": time.time()})
    trim_records(kept)
    assert sizes_of(kept) == [60, 30]


def test_old_records_are_forgotten() -> None:
    kept = stream(1, 2, age_seconds=retention.RECORD_WINDOW_SECONDS + 1)
    trim_records(kept)
    assert sizes_of(kept) == []


def test_an_iterator_stays_on_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    kinesis = pytest.importorskip("ministack.services.kinesis")
    monkeypatch.setattr(retention, "RECORD_WINDOW_BYTES", 100)
    iterators = {
        "mine": {"stream": "s", "shard_id": "shard", "position": 2},
        "behind": {"stream": "s", "shard_id": "shard", "position": 0},
    }
    monkeypatch.setattr(kinesis, "_shard_iterators", iterators)
    trim_records(stream(40, 50, 60))
    assert [iterators["mine"]["position"], iterators["behind"]["position"]] == [0, 0]


def test_old_points_of_a_minute_become_one() -> None:
    points = [{"Timestamp": 60.0 + second, "Value": float(second), "Count": 1.0} for second in range(90)]
    merge_old_points(points, oldest=145.0)
    assert [point["Timestamp"] for point in points[:2]] == [60, 120]
    assert points[0]["_stat"] == {"SampleCount": 60.0, "Sum": 1770.0, "Minimum": 0.0, "Maximum": 59.0}
    assert points[1]["_stat"]["SampleCount"] == 25
    assert len(points) == 2 + 5
    merge_old_points(points, oldest=145.0)
    assert len(points) == 2 + 5
