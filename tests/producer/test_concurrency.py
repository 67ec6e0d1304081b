"""How many calls are in flight against links of five kinds, compared with the best fixed number."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from producer.concurrency import Call, Concurrency
from producer.delivery import WORKERS

SECONDS = 1.2


class Fixed:
    """A limit that never changes."""

    def __init__(self, limit: int) -> None:
        self._places = threading.Semaphore(limit)

    @contextmanager
    def call(self) -> Iterator[Call]:
        with self._places:
            yield Call()


@dataclass
class Link:
    """A service: how long a call takes and whether it is refused, by how many are in flight."""

    takes_s: Callable[[int, Random], float]
    most: int = 100
    in_flight: int = 0
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, random: Random) -> bool:
        with self.lock:
            self.in_flight += 1
            at_once = self.in_flight
        time.sleep(self.takes_s(at_once, random))
        with self.lock:
            self.in_flight -= 1
            self.done += at_once <= self.most
        return at_once <= self.most


LINKS: dict[str, Callable[[], Link]] = {
    "constant link": lambda: Link(lambda at_once, random: 0.02),
    "slow link": lambda: Link(lambda at_once, random: 0.06),
    "jittery link": lambda: Link(lambda at_once, random: random.uniform(0.01, 0.03)),
    "shallow knee": lambda: Link(lambda at_once, random: 0.02 + 0.006 * max(0, at_once - 3)),
    "drops at high concurrency": lambda: Link(lambda at_once, random: 0.02, most=5),
}


def done(link: Link, concurrency: Concurrency | Fixed) -> int:
    """Return how many calls went well while eight threads had all the work in the world."""
    ending = time.monotonic() + SECONDS

    def work(seed: int) -> None:
        random = Random(seed)
        while time.monotonic() < ending:
            with concurrency.call() as call:
                call.refused = not link.call(random)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return link.done


@pytest.mark.slow
@pytest.mark.parametrize("kind", LINKS)
def test_concurrency_comes_near_the_best_fixed_number(kind: str) -> None:
    assert any(is_near_the_best(LINKS[kind]) for _ in range(3))  # another process may hold a round up


def is_near_the_best(link: Callable[[], Link]) -> bool:
    best = max(done(link(), Fixed(limit)) for limit in (2, 3, 5, 8))
    return done(link(), Concurrency(WORKERS)) >= 0.9 * best


def test_refused_calls_lower_the_limit_down_to_one_and_good_ones_raise_it_again() -> None:
    concurrency = Concurrency(8)
    for _ in range(40):
        with concurrency.call() as call:
            call.refused = True
    assert concurrency.limit == 1
    for _ in range(200):
        with concurrency.call():
            pass
    assert concurrency.limit > 1


def test_the_limit_stays_where_calls_are_not_held_up() -> None:
    concurrency = Concurrency(8, first=4)
    for _ in range(50):
        with concurrency.call():
            pass
    assert concurrency.limit == 4
