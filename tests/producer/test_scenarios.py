from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from catalog.errors import UsageError
from producer.events import Generator, Stream
from producer.pacing import FixedClock
from producer.scenarios import SCENARIOS, Conditions, Effect, Scenario, find_scenario

START_MS = 1_795_303_867_456


def events(effect: Effect, after_s: float, requests: int = 3000) -> list[dict[str, Any]]:
    conditions = Conditions([Scenario("test", "", (effect,))], START_MS - round(after_s * 1000))
    stream = Stream(Generator(1), lambda running: START_MS + running // 1000, START_MS, requests, conditions)
    return [orjson.loads(payload) for payload in stream.next_block().payloads]


def test_an_effect_has_baseline_incident_and_recovery() -> None:
    effect = Effect(after=60, lasts=120, recovery=40)
    assert [effect.strength(second) for second in (0, 59, 60, 179, 180, 200, 220, 900)] == [0, 0, 1, 1, 1, 0.5, 0, 0]


def test_an_effect_may_repeat() -> None:
    effect = Effect(after=10, lasts=5, recovery=0, every=20)
    assert [effect.strength(second) for second in (9, 10, 14.9, 15, 30, 36)] == [0, 1, 1, 0, 1, 0]


def test_an_outage_takes_its_callers_with_it_and_leaves_the_mix_of_requests() -> None:
    usual, broken = (events(Effect("inventory", after=10, failures=1e6), after) for after in (0, 20))
    down = [event["level"] for event in broken if event["service"] == "inventory" and event["level"] != "DEBUG"]
    assert set(down) == {"ERROR"}
    payment = Counter(event["status_code"] for event in broken if event["service"] == "payment")
    assert payment[502] > payment[201]
    gateway = [
        sum(event["service"] == "api-gateway" and event["endpoint"] == "/products" for event in those)
        for those in (usual, broken)
    ]
    assert abs(gateway[0] - gateway[1]) < gateway[0] * 0.35


def test_a_latency_regression_slows_its_service_only() -> None:
    def median(service: str, after_s: float) -> float:
        those = events(Effect("inventory", after=10, latency=5), after_s)
        times = sorted(
            event["response_time_ms"] for event in those if event["service"] == service and event["response_time_ms"]
        )
        return float(times[len(times) // 2])

    assert median("inventory", 20) > 3 * median("inventory", 0)
    assert median("authentication", 20) < 1.2 * median("authentication", 0)


def test_a_traffic_spike_raises_the_rate() -> None:
    conditions = Conditions([find_scenario("traffic-spike")], START_MS)
    clock = FixedClock(lambda now_ms: 100 * conditions.traffic(now_ms), START_MS, lambda: float(START_MS))
    assert clock(np.array([6_100])).tolist() == [START_MS + 61_000]
    assert clock(np.array([6_500])).tolist() == [START_MS + 62_000]


def test_every_named_scenario_changes_something() -> None:
    for scenario in SCENARIOS:
        conditions = Conditions([scenario], START_MS)
        assert not conditions.any_at(START_MS + 59_000)
        assert conditions.any_at(START_MS + 61_000)
        assert not conditions.any_at(START_MS + 3_600_000) or scenario.effects[0].every


def test_a_file_is_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "friday.yaml"
    file.write_text("name: friday\neffects:\n  - {service: payment, after: 5, lasts: 10, failures: 20}\n")
    assert find_scenario(str(file)).effects == (Effect("payment", after=5, lasts=10, failures=20),)


def test_a_time_may_have_a_unit_and_lie_in_the_past(tmp_path: Path) -> None:
    file = tmp_path / "yesterday.yaml"
    file.write_text("effects:\n  - {service: payment, after: -3h, lasts: 20m, recovery: 90s, failures: 20}\n")
    (effect,) = find_scenario(str(file)).effects
    assert effect == Effect("payment", after=-10_800, lasts=1200, recovery=90, failures=20)
    assert [effect.strength(hours * 3600) for hours in (-4, -2.9, -2)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "`effects` must be a list with at least one effect; got None"),
        ("effects: [{servise: payment}]", "effect 1: a key must be one of service, after, lasts, "),
        ("effects: [{service: paiment}]", "effect 1: `service` must be one of api-gateway, "),
        ("effects: [{failures: often}]", "effect 1: `failures` must be a number of zero or more; got 'often'"),
        ("effects: [{lasts: long}]", "`lasts` must be seconds, or a time such as 90s, 5m or 2h; got 'long'"),
        ("effects: [{lasts: -5m}]", "effect 1: `lasts` must be zero or more; got '-5m'"),
        ("effects: [{traffic: 0}]", "effect 1: `traffic` must be above zero; got 0.0"),
        ("effects: [{every: 10}]", "effect 1: `every` must be at least `lasts` plus `recovery`; got 10.0"),
        ("effects: [", "--scenario must be a readable YAML file; got "),
    ],
)
def test_a_wrong_file_is_one_error_that_names_the_place(tmp_path: Path, text: str, error: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        find_scenario(str(file))
    assert error in str(raised.value)
