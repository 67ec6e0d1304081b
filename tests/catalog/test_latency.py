import random

import pytest

from catalog.latency import bucket_of, middle_of, percentile


def test_a_bucket_stands_within_two_and_a_half_percent_of_its_values() -> None:
    generator = random.Random(7)
    for _ in range(10_000):
        value = generator.lognormvariate(4, 2) + 0.1
        assert middle_of(bucket_of(value)) == pytest.approx(value, rel=0.025)


def test_percentiles_of_summed_histograms_are_those_of_all_values() -> None:
    generator = random.Random(7)
    values = sorted(generator.lognormvariate(4, 1) for _ in range(20_000))
    histogram: dict[int, int] = {}
    for value in values:
        histogram[bucket_of(value)] = histogram.get(bucket_of(value), 0) + 1
    for quantile in (0.5, 0.95, 0.99):
        assert percentile(histogram, quantile) == pytest.approx(values[int(quantile * 20_000) - 1], rel=0.026)


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
