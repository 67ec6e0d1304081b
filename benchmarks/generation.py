"""Generating events: the full traffic model against Faker asked for every field, as samples do."""

import json
import random
import sys

import orjson
from faker import Faker

from benchmarks.measure import Work, compare
from catalog.schema import LEVELS, SERVICES
from producer.events import Generator, Stream

START_MS = 1_795_303_867_456


def faker_per_field() -> Work:
    """Return the naive way: every field of every event asked of Faker."""
    fake = Faker(use_weighting=False)

    def work() -> int:
        for _ in range(50):
            json.dumps(
                {
                    "event_id": fake.uuid4(),
                    "timestamp": fake.unix_time(),
                    "level": random.choice(LEVELS),
                    "service": random.choice(SERVICES),
                    "environment": "production",
                    "host": f"host-{fake.random_digit()}",
                    "http_method": fake.http_method(),
                    "endpoint": random.choice(("/users", "/orders")),
                    "status_code": random.choice((200, 201, 404, 500)),
                    "response_time_ms": random.lognormvariate(3, 1),
                    "request_bytes": random.randrange(1000),
                    "response_bytes": random.randrange(10_000),
                    "client_ip": fake.ipv4(),
                    "user_id": fake.random_int(),
                    "user_agent": fake.user_agent(),
                    "trace_id": fake.md5(),
                    "message": fake.sentence(),
                    "error_type": None,
                }
            )
        return 50

    return work


def pooled() -> Work:
    """Return the usual improvement: pools drawn once, then a random choice for each field, and orjson."""
    fake = Faker()
    pools = {
        "client_ip": [fake.ipv4() for _ in range(1000)],
        "user_id": [fake.user_name() for _ in range(1000)],
        "user_agent": [fake.user_agent() for _ in range(200)],
        "message": [fake.sentence() for _ in range(1000)],
        "event_id": [fake.uuid4() for _ in range(1000)],
        "trace_id": [fake.md5() for _ in range(1000)],
        "service": list(SERVICES),
        "level": list(LEVELS),
        "timestamp": [fake.iso8601() for _ in range(1000)],
    }

    def work() -> int:
        for _ in range(500):
            orjson.dumps({name: random.choice(pool) for name, pool in pools.items()})
        return 500

    return work


def ours() -> Work:
    """Return the traffic model: correlated traces, sessions, latencies; rendered in blocks."""
    stream = Stream(Generator(1, 0.001), lambda running: START_MS + running, START_MS, 2048)
    return lambda: len(stream.next_block().payloads)


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    ways = {"Faker per field": faker_per_field(), "pooled, half the fields": pooled(), "loglake": ours()}
    return int(not compare("generation", ways, "Faker per field", {"loglake": 60.0}))


if __name__ == "__main__":
    sys.exit(main())
