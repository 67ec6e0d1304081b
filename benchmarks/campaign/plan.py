"""What is done when: drawn from the seed alone, so that a run can be replayed."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass

SCENARIOS = ("kills", "stop", "disk", "clock", "files")
PARENTS = ("supervisor", "endpoint", "producer", "consumer", "dashboard", "alerts")
ROLES = (*PARENTS, "dashboard-worker", "lambda", "driver", "java", "spark-worker")
PAUSE_S = (8.0, 20.0)
STOP_S = 30.0
DISK_FULL_S = 25.0
TOGETHER = 0.25
"""How often two processes are killed at once."""
NEVER_STOPPED = ("supervisor",)
"""Whose user has stopped it with Ctrl-Z knows why nothing is started again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fault: `at` seconds after the start, to one or two roles."""

    at: float
    kind: str
    roles: tuple[str, ...] = ()


def draw(seed: int, seconds: float, scenarios: Collection[str]) -> list[Step]:
    """Return the steps of the scenarios, in order of time. The same arguments give the same steps."""
    steps = [
        *(_kills(random.Random(f"{seed} kills"), seconds) if "kills" in scenarios else ()),
        *(_stops(random.Random(f"{seed} stop"), seconds) if "stop" in scenarios else ()),
        *_moments(random.Random(f"{seed} moments"), seconds, scenarios),
    ]
    return sorted(steps, key=lambda step: step.at)


def _kills(source: random.Random, seconds: float) -> Iterator[Step]:
    """Every role comes once in each round, in another order, so that a short run meets all of them."""
    at = source.uniform(*PAUSE_S)
    while True:
        for role in source.sample(ROLES, len(ROLES)):
            if at >= seconds:
                return
            other = source.choice([each for each in ROLES if each != role])
            yield Step(at, "kill", (role, other) if source.random() < TOGETHER else (role,))
            at += source.uniform(*PAUSE_S)


def _stops(source: random.Random, seconds: float) -> Iterator[Step]:
    roles = [role for role in ROLES if role not in NEVER_STOPPED]
    at = source.uniform(5, 15)
    while at + STOP_S < seconds:
        yield Step(at, "stop", (source.choice(roles),))
        at += STOP_S + source.uniform(*PAUSE_S)


def _moments(source: random.Random, seconds: float, scenarios: Collection[str]) -> Iterator[Step]:
    """What is done once or twice a run: the disk fills, the clock is set. `files` lasts from the start to the end."""
    if "disk" in scenarios:
        for part in (0.25, 0.65):
            yield Step(seconds * part + source.uniform(0, 10), "disk")
    if "clock" in scenarios:
        for part, kind in ((0.4, "clock-dst"), (0.7, "clock-forward")):
            yield Step(seconds * part + source.uniform(0, 10), kind)
