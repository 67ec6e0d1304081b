"""What the emulator remembers of traffic, bounded: ministack keeps a day of records, every log line and every metric.

Delivery does not depend on it: what was put is on delivery's own disk before it is acknowledged.
"""

import time
from itertools import groupby
from typing import Any

RECORD_WINDOW_SECONDS = 900
"""How long a stream's records stay readable here, whatever retention it was given."""
RECORD_WINDOW_BYTES = 64 * 1024 * 1024
"""How many bytes of records, as base64, one stream keeps in memory, shared evenly by its shards."""
LOG_STREAMS_KEPT = 200
"""Log streams kept per Lambda log group: ministack opens one per invocation."""
METRICS_KEPT_SECONDS = 86_400
METRICS_WHOLE_SECONDS = 300
"""Age from which the points of one minute are one statistic set, as CloudWatch itself stores them."""

Record = dict[str, Any]
Point = dict[str, Any]


def install() -> None:
    """Put the bounds into this process's ministack."""
    from ministack.services import cloudwatch, kinesis

    kinesis._expire_records = trim_records
    cloudwatch.TWO_WEEKS_SECONDS = METRICS_KEPT_SECONDS


def tidy() -> None:
    """Forget old log streams and merge old metrics; for a background thread, now and then."""
    from ministack.services import cloudwatch, cloudwatch_logs

    for (_, _, name), group in list(cloudwatch_logs._log_groups.all_items()):
        streams = group["streams"]
        if name.startswith("/aws/lambda/"):
            for stream in list(streams)[:-LOG_STREAMS_KEPT]:
                streams.pop(stream, None)
    oldest = time.time() - METRICS_WHOLE_SECONDS
    for points in list(cloudwatch._metrics._data.values()):
        merge_old_points(points, oldest)


def merge_old_points(points: list[Point], oldest: float) -> None:
    """Make one point of each minute's points before `oldest`, in place; points may be appended meanwhile."""
    count = next((index for index, point in enumerate(points) if point["Timestamp"] >= oldest), len(points))
    merged = [_merged(list(each)) for _, each in groupby(points[:count], key=lambda point: point["Timestamp"] // 60)]
    if len(merged) < count:
        points[:count] = merged


def _merged(points: list[Point]) -> Point:
    from ministack.services import cloudwatch

    if len(points) == 1:
        return points[0]
    parts = [cloudwatch._point_stats(point) for point in points]
    total = {
        "SampleCount": sum(part[0] for part in parts),
        "Sum": sum(part[1] for part in parts),
        "Minimum": min(part[2] for part in parts),
        "Maximum": max(part[3] for part in parts),
    }
    mean = total["Sum"] / (total["SampleCount"] or 1)
    return {**points[0], "Timestamp": points[0]["Timestamp"] // 60 * 60, "Value": mean, "_stat": total}


def put_back(stream_arn: str, shard_name: str, records: list[Record]) -> int:
    """Put an earlier process's records before a shard's own, and return how many were the shard's.

    None are when the shard is gone, and none that are older than it: a later stream may have the same name.
    """
    from ministack.services import kinesis

    for stream in list(kinesis._streams._data.values()):
        shard = stream["shards"].get(shard_name) if stream["StreamARN"] == stream_arn else None
        if shard:
            own = [each for each in records if each["SequenceNumber"] > shard["starting_sequence_number"]]
            shard["records"][:0] = own
            shard["sized"] = (0, 0)
            _move_iterators(stream["StreamName"], shard_name, -len(own))
            return len(own)
    return 0


def trim_records(stream: Record) -> None:
    """Keep a stream's newest records only, and every iterator on the record it was on."""
    from localcloud.shards import forget_closed

    forget_closed(stream)
    oldest = time.time() - min(stream["RetentionPeriodHours"] * 3600, RECORD_WINDOW_SECONDS)
    limit_bytes = RECORD_WINDOW_BYTES // len(stream["shards"])
    for name, shard in stream["shards"].items():
        dropped = _trim_shard(shard, oldest, limit_bytes)
        if dropped:
            _move_iterators(stream["StreamName"], name, dropped)


def _trim_shard(shard: Record, oldest: float, limit_bytes: int) -> int:
    records = shard["records"]
    count, size = shard.get("sized", (0, 0))
    size += sum(len(record["Data"]) for record in records[count:])
    dropped = 0
    while dropped < len(records) and (size > limit_bytes or records[dropped]["ApproximateArrivalTimestamp"] < oldest):
        size -= len(records[dropped]["Data"])
        dropped += 1
    del records[:dropped]
    shard["sized"] = (len(records), size)
    return dropped


def _move_iterators(stream_name: str, shard_name: str, dropped: int) -> None:
    from ministack.services import kinesis

    for iterator in kinesis._shard_iterators.values():
        if iterator["stream"] == stream_name and iterator["shard_id"] == shard_name:
            iterator["position"] = max(0, iterator["position"] - dropped)
