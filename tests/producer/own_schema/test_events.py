import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from producer import counting
from producer.events import Block
from producer.own_schema.events import OwnEvents, OwnStream
from producer.own_schema.reading import read_schema
from producer.shape import Shape

START_MS = 1_795_303_867_456
SCHEMA = r"""
name: orders
fields:
  total: {product: [price, quantity]}
  order_id: {type: uuid}
  placed_at: {type: timestamp}
  placed_s: {type: timestamp, unit: s}
  customer: {faker: name, pool: 30}
  country: {values: {DE: 6, US: 3, FR: 1}}
  currency: {from: country, map: {DE: EUR, FR: EUR}, otherwise: USD}
  sku: {pattern: '[A-C]{3}-\d{2,4}(x|yy)?"'}
  quantity: {type: int, range: [1, 20]}
  price: {type: double, median: 20, spread: 0.8, range: [1, 900], null: 0.1}
  note: {text: '{quantity} × {sku} to {address.city}'}
  paid: {type: bool, chance: 0.9}
  number: {type: sequence, first: 100}
  plain: {constant: [1, {a: null}]}
  address: {fields: {city: {faker: city}, zip: {pattern: '\d{5}'}}}
"""


@pytest.fixture(scope="module")
def schema_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "orders.yaml"
    file.write_text(SCHEMA)
    return file


def blocks(file: Path, seed: int, count: int = 2) -> list[Block]:
    stream = OwnStream(
        OwnEvents(read_schema(file), seed), lambda running: START_MS + running, START_MS, lambda _: 1_000
    )
    return [stream.next_block() for _ in range(count)]


@pytest.fixture(scope="module")
def events(schema_file: Path) -> list[dict[str, Any]]:
    return [orjson.loads(payload) for block in blocks(schema_file, 1) for payload in block.payloads]


def test_the_same_schema_and_seed_give_the_same_bytes(schema_file: Path) -> None:
    first, again, other = (
        [payload for block in blocks(schema_file, seed) for payload in block.payloads] for seed in (1, 1, 2)
    )
    assert first == again
    assert not set(first) & set(other)


def test_fields_stand_in_the_order_of_the_file_whatever_they_refer_to(events: list[dict[str, Any]]) -> None:
    assert {tuple(event) for event in events} == {
        (
            *("total", "order_id", "placed_at", "placed_s", "customer", "country", "currency", "sku", "quantity"),
            *("price", "note", "paid", "number", "plain", "address"),
        )
    }


def test_references_hold_in_every_event(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert event["currency"] == ("USD" if event["country"] == "US" else "EUR")
        assert event["note"] == f"{event['quantity']} × {event['sku']} to {event['address']['city']}"
        if event["price"] is None:
            assert event["total"] is None
        else:
            assert event["total"] == pytest.approx(event["price"] * event["quantity"], abs=0.0051)


def test_patterns_ranges_and_pools_hold(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert re.fullmatch(r'[A-C]{3}-\d{2,4}(x|yy)?"', event["sku"])
        assert re.fullmatch(r"\d{5}", event["address"]["zip"])
        assert 1 <= event["quantity"] <= 20
        assert event["price"] is None or 1 <= event["price"] <= 900
        assert event["plain"] == [1, {"a": None}]
    assert len({event["customer"] for event in events}) == 30
    assert {event["quantity"] for event in events} == set(range(1, 21))
    assert [event["number"] for event in events] == list(range(100, 2_100))


def test_weights_and_chances_are_kept(events: list[dict[str, Any]]) -> None:
    countries = Counter(event["country"] for event in events)
    assert 0.55 < countries["DE"] / len(events) < 0.65
    assert 0.07 < countries["FR"] / len(events) < 0.13
    assert 0.07 < sum(event["price"] is None for event in events) / len(events) < 0.13
    assert 0.87 < sum(event["paid"] for event in events) / len(events) < 0.93


def test_times_are_those_of_the_clock(events: list[dict[str, Any]]) -> None:
    assert events[0]["placed_at"] == "2026-11-21T23:31:07.457Z"
    assert events[0]["placed_s"] == START_MS // 1000
    assert int(events[0]["order_id"].replace("-", "")[:12], 16) == START_MS + 1


def test_a_history_has_the_events_asked_in_their_time(schema_file: Path) -> None:
    parts = list(OwnEvents(read_schema(schema_file), 1).history(START_MS, START_MS + 86_400_000, 5_000, Shape()))
    times = np.concatenate([part.due_ms for part in parts])
    assert len(times) == sum(len(part.payloads) for part in parts) == 5_000
    assert times[0] >= START_MS
    assert times[-1] < START_MS + 86_400_000
    assert (np.diff(times) >= 0).all()
    assert (counting.kinds(parts[0].keys) == 0).all()
