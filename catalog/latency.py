"""The latency histogram: log-spaced buckets that add up, so percentiles of any window and service come from sums.

A bucket spans a ratio of `BASE` (5 %), so its geometric middle is within 2.5 % of any value in it. Bucket `b` holds
`BASE**b <= ms < BASE**(b + 1)`; values up to `MIN_MS` share the lowest bucket.
"""

import math
from collections.abc import Mapping

BASE = 1.05
MIN_MS = 0.1
MAX_MS = 3_600_000.0
LOWEST_BUCKET = math.floor(math.log(MIN_MS) / math.log(BASE))
HIGHEST_BUCKET = math.floor(math.log(MAX_MS) / math.log(BASE))


def bucket_of(response_time_ms: float) -> int:
    """Return the bucket of a duration in milliseconds, clamped to one hour."""
    return math.floor(math.log(min(max(response_time_ms, MIN_MS), MAX_MS)) / math.log(BASE))


def middle_of(bucket: int) -> float:
    """Return the milliseconds a bucket stands for: its geometric middle."""
    return float(BASE ** (bucket + 0.5))


def percentile(histogram: Mapping[int, int], quantile: float) -> float | None:
    """Return the milliseconds below which `quantile` (0 to 1) of the events lie; None when there are none."""
    total = sum(histogram.values())
    if not total:
        return None
    rank = max(1, math.ceil(quantile * total))
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= rank:
            return middle_of(bucket)
    raise AssertionError("unreachable: the ranks of a histogram add up to its total")
