"""Incidents on purpose: what goes wrong, where and when, in phases baseline, incident, recovery.

Times count from the start of live traffic; below zero is the past that `--backfill` fills. An effect multiplies: how
often a service's calls fail, how long they take, how much traffic comes. It holds fully during its incident and fades
away over its recovery.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import UsageError
from catalog.schema import SERVICES
from producer.options import SECONDS_OF

EVERY_SERVICE = "*"
_TIMES = ("after", "lasts", "recovery", "every")
_TIME = re.compile(r"(-?\d+(?:\.\d+)?)([smhd])")


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that goes wrong. Times in seconds; `every` repeats the incident, 0 means once."""

    service: str = EVERY_SERVICE
    after: float = 60.0
    lasts: float = 120.0
    recovery: float = 30.0
    every: float = 0.0
    failures: float = 1.0
    latency: float = 1.0
    traffic: float = 1.0

    def strength(self, elapsed_s: float) -> float:
        """Return how much of the effect holds `elapsed_s` after the start: 0 before and after, 1 in the incident."""
        since = elapsed_s - self.after
        if since >= 0 and self.every:
            since %= self.every
        if since < 0 or since >= self.lasts + self.recovery:
            return 0.0
        return 1.0 if since < self.lasts else 1 - (since - self.lasts) / self.recovery


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named set of effects, and what it shows."""

    name: str
    description: str
    effects: tuple[Effect, ...]


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "error-burst",
        "payment fails 40 times as often for two minutes",
        (Effect("payment", failures=40),),
    ),
    Scenario(
        "latency-regression",
        "inventory answers five times slower for five minutes, then recovers slowly",
        (Effect("inventory", lasts=300, recovery=120, latency=5),),
    ),
    Scenario("traffic-spike", "four times the traffic for two minutes", (Effect(traffic=4, latency=1.6),)),
    Scenario(
        "outage",
        "inventory is down for two minutes, and what calls it fails with it",
        (Effect("inventory", failures=1e6, recovery=20),),
    ),
    Scenario(
        "bad-deploy",
        "a user-service release is slower and fails 25 times as often, until it is rolled back after three minutes",
        (Effect("user-service", lasts=180, recovery=5, failures=25, latency=2.5),),
    ),
    Scenario(
        "noisy-neighbour",
        "authentication is four times slower for ten seconds in every forty",
        (Effect("authentication", lasts=10, recovery=2, every=40, latency=4),),
    ),
)


class Conditions:
    """What holds at a moment, over all chosen scenarios together."""

    def __init__(self, scenarios: Sequence[Scenario], start_ms: int) -> None:
        self._effects = [effect for scenario in scenarios for effect in scenario.effects]
        self._start_ms = start_ms

    def failures(self, service: str, now_ms: float) -> float:
        """Return the factor on how often calls of `service` fail."""
        return self._factor("failures", service, now_ms)

    def latency(self, service: str, now_ms: float) -> float:
        """Return the factor on how long calls of `service` take."""
        return self._factor("latency", service, now_ms)

    def traffic(self, now_ms: float) -> float:
        """Return the factor on the traffic."""
        return self._factor("traffic", EVERY_SERVICE, now_ms)

    def any_at(self, now_ms: float) -> bool:
        """Return whether anything is out of the ordinary."""
        return any(effect.strength((now_ms - self._start_ms) / 1000) for effect in self._effects)

    def _factor(self, name: str, service: str, now_ms: float) -> float:
        factor = 1.0
        for effect in self._effects:
            if name == "traffic" or effect.service in (service, EVERY_SERVICE):
                strength = effect.strength((now_ms - self._start_ms) / 1000)
                factor *= 1 + (getattr(effect, name) - 1) * strength
        return factor


def find_scenario(name: str) -> Scenario:
    """Return a scenario by its name or from a YAML file; raise `UsageError` naming what is wrong with it."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if name in known:
        return known[name]
    if not name.endswith((".yaml", ".yml")):
        raise UsageError(f"--scenario must be one of {', '.join(known)}, or a .yaml file; got {name!r}")
    try:
        content = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"--scenario must be a readable YAML file; got {name!r}: {error}") from None
    return _parse(name, content)


def _parse(name: str, content: Any) -> Scenario:
    effects = content.get("effects") if isinstance(content, Mapping) else None
    if not isinstance(effects, list) or not effects:
        raise UsageError(f"{name}: `effects` must be a list with at least one effect; got {effects!r}")
    parsed = tuple(_parse_effect(f"{name}: effect {number}", effect) for number, effect in enumerate(effects, 1))
    return Scenario(str(content.get("name", name)), str(content.get("description", "")), parsed)


def _parse_effect(place: str, content: Any) -> Effect:
    names = [field.name for field in fields(Effect)]
    if not isinstance(content, Mapping):
        raise UsageError(f"{place}: must have keys among {', '.join(names)}; got {content!r}")
    for key, value in content.items():
        if key not in names:
            raise UsageError(f"{place}: a key must be one of {', '.join(names)}; got {key!r}")
        if key == "service" and value not in (*SERVICES, EVERY_SERVICE):
            raise UsageError(f"{place}: `service` must be one of {', '.join(SERVICES)} or *; got {value!r}")
    numbers = {key: _number(place, key, value) for key, value in content.items() if key != "service"}
    effect = Effect(content.get("service", EVERY_SERVICE), **numbers)
    if effect.every and effect.every < effect.lasts + effect.recovery:
        raise UsageError(f"{place}: `every` must be at least `lasts` plus `recovery`; got {effect.every!r}")
    if not effect.traffic:
        raise UsageError(f"{place}: `traffic` must be above zero; got {effect.traffic!r}")
    return effect


def _number(place: str, key: str, value: Any) -> float:
    """Return a factor, or a time in seconds; a time may have a unit, and `after` a minus."""
    text = value if isinstance(value, str) else ""
    timed = _TIME.fullmatch(text) if key in _TIMES else None
    number = float(timed[1]) * SECONDS_OF[timed[2]] if timed else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < float("inf"):
        wanted = "seconds, or a time such as 90s, 5m or 2h" if key in _TIMES else "a number of zero or more"
        raise UsageError(f"{place}: `{key}` must be {wanted}; got {value!r}")
    if number < 0 and key != "after":
        raise UsageError(f"{place}: `{key}` must be zero or more; got {value!r}")
    return float(number)
