"""Events per CPU-second of several ways to do the same work, and their ratios."""

import json
import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS = 5
Work = Callable[[], int]
"""Does some work and returns how many events that was."""


def rate_of(work: Work, seconds: float) -> float:
    """Return events per CPU-second: the work repeated until `seconds` of CPU time have passed."""
    events, began = 0, time.process_time()
    while (passed := time.process_time() - began) < seconds:
        events += work()
    return events / passed


def compare(name: str, ways: Mapping[str, Work], peer: str, targets: Mapping[str, float], seconds: float = 0.6) -> bool:
    """Measure the ways in turn, print rates and ratios to `peer`, then one JSON line; return whether targets are met.

    The rounds are interleaved and the median ratio counts, so that another process slows all ways alike.
    """
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, work in ways.items():
            rates[way].append(rate_of(work, seconds))
    ratios = {
        way: statistics.median(mine / other for mine, other in zip(rates[way], rates[peer], strict=True))
        for way in ways
    }
    for way in ways:
        target = f", target {targets[way]:g}" if way in targets else ""
        print(f"{way:<44}{statistics.median(rates[way]):>12,.0f} ev/s {ratios[way]:>8.2f} x {peer}{target}")
    met = all(ratios[way] >= target for way, target in targets.items())
    medians = {way: round(statistics.median(values)) for way, values in rates.items()}
    rounded = {way: round(ratio, 2) for way, ratio in ratios.items()}
    print(json.dumps({"benchmark": name, "peer": peer, "rates": medians, "ratios": rounded, "met": met}))
    return met
