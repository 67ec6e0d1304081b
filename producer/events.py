"""Events as bytes: blocks of requests drawn from the model and rendered, a whole block at a time.

The same seed, start and flags give the same bytes: every draw comes from one generator, in one order, and no draw
depends on the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson

from catalog.schema import SERVICES
from producer import counting, rendering
from producer.counting import Integers
from producer.malformed import break_event
from producer.scenarios import Conditions
from producer.shape import Shape
from producer.traffic import Floats, Line, compile_model
from producer.vocabulary import Session, Vocabulary

HOSTS = 3
"""Hosts per service."""
WORDINGS = 40
"""Texts kept ready per kind of line."""
_SESSIONS_AT_ONCE = 150
_REQUESTS_PER_SESSION = 12
_SLOWER_UNDER_LOAD = 0.6


@dataclass(frozen=True, slots=True)
class Block:
    """Rendered events in the order in which they are sent; each is one JSON object without a newline.

    `due_ms` is when an event's request ends, ascending: the moment it is sent in live traffic.
    """

    payloads: list[bytes]
    due_ms: Integers
    keys: Integers

    def part(self, first: int, last: int) -> "Block":
        """Return the events from `first` up to, not including, `last`."""
        return Block(self.payloads[first:last], self.due_ms[first:last], self.keys[first:last])


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of some requests before they are rendered, one array element per line."""

    kinds: Integers
    requests: Integers
    times_ms: Integers
    due_ms: Integers
    latencies_ms: Floats

    def only(self, places: Integers) -> "Lines":
        """Return the lines at `places`."""
        return Lines(
            self.kinds[places],
            self.requests[places],
            self.times_ms[places],
            self.due_ms[places],
            self.latencies_ms[places],
        )


class Generator:
    """Draws requests and renders their events. Not for use by several threads."""

    def __init__(self, seed: int, malformed: float = 0.0, shape: Shape | None = None, environment: str = "production"):
        self.model = compile_model(SERVICES)
        self.shape = shape or Shape()
        self._malformed = malformed
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._chances = self.model.chances
        self._slower = np.ones(len(self.model.services))
        self._requests = 0
        vocabulary = Vocabulary(seed)
        self._heads = [_head(line, environment, host) for line in self.model.lines for host in range(1, HOSTS + 1)]
        self._tails = [_tail(line, vocabulary) for line in self.model.lines for _ in range(WORDINGS)]
        self._sessions = [_session(session) for session in vocabulary.sessions]
        self._timed = np.array([line.status is not None for line in self.model.lines])
        self._asked = np.array([line.route.request_bytes for line in self.model.lines], dtype=np.float64)
        self._answered = np.array(
            [line.route.response_bytes if not line.error_type else 140 for line in self.model.lines], dtype=np.float64
        )

    def under(self, conditions: Conditions, now_ms: float) -> None:
        """Let the next requests meet the conditions of a moment."""
        services = self.model.services
        if not conditions.any_at(now_ms):
            self._chances, self._slower = self.model.chances, np.ones(len(services))
            return
        self._chances = self.model.chances_when(np.array([conditions.failures(name, now_ms) for name in services]))
        self._slower = np.array([conditions.latency(name, now_ms) for name in services])

    def draw(self, requests: int) -> Integers:
        """Return how each of the next `requests` requests ends: a number of the model's outcomes."""
        return np.searchsorted(self._chances, self._random.random(requests), side="right")

    def lines(self, outcomes: Integers, ends_ms: Integers, floor_ms: int) -> Lines:
        """Return the lines that the outcomes leave, for requests that end at `ends_ms`; none is before `floor_ms`."""
        sizes = self.model.sizes[outcomes]
        finish = np.cumsum(sizes)
        requests = np.repeat(np.arange(len(outcomes)), sizes)
        places = np.arange(len(requests)) + np.repeat(self.model.starts[outcomes] - (finish - sizes), sizes)
        kinds = self.model.flat_lines[places]
        due_ms = ends_ms[requests]
        own = self._own_latency(kinds, due_ms)
        passed = np.cumsum(own)
        total = passed - np.concatenate(([0.0], passed))[np.arange(len(own)) + 1 - self.model.flat_subtrees[places]]
        times_ms = due_ms - (passed[finish - 1][requests] - passed).astype(np.int64)
        numbers = requests + self._requests
        self._requests += len(outcomes)
        return Lines(kinds, numbers, np.maximum(times_ms, floor_ms), due_ms, total)

    def _own_latency(self, kinds: Integers, due_ms: Integers) -> Floats:
        noise = self._random.standard_normal(len(kinds))
        slower = (1 + _SLOWER_UNDER_LOAD * self.shape.load_at(due_ms) ** 2) * self._slower[
            self.model.line_service[kinds]
        ]
        return self.model.line_latency[kinds] * np.exp(self.model.line_spread[kinds] * noise) * slower

    def service_counts(self, outcomes: Integers) -> Integers:
        """Return how many lines of each service the outcomes leave."""
        model = self.model
        per_outcome = np.zeros((len(model.sizes), len(model.services)), dtype=np.int64)
        np.add.at(
            per_outcome,
            (np.repeat(np.arange(len(model.sizes)), model.sizes), model.line_service[model.flat_lines]),
            1,
        )
        return np.bincount(outcomes, minlength=len(model.sizes)) @ per_outcome

    def render(self, lines: Lines) -> Block:
        """Return the events of `lines`, the asked share of them broken."""
        count = len(lines.kinds)
        random = self._random
        fronts = rendering.texts(self._fronts(lines))
        heads = lines.kinds * HOSTS + random.integers(0, HOSTS, count)
        sessions, traces = self._callers(lines.requests)
        tails = lines.kinds * WORDINGS + random.integers(0, WORDINGS, count)
        columns = (
            fronts,
            map(self._heads.__getitem__, heads.tolist()),
            self._numbers(lines),
            map(self._sessions.__getitem__, sessions.tolist()),
            rendering.texts(traces),
            map(self._tails.__getitem__, tails.tolist()),
        )
        payloads = list(map(b"".join, zip(*columns, strict=True)))
        model = self.model
        keys = counting.pack(lines.times_ms, model.line_service[lines.kinds], model.line_level[lines.kinds])
        self._break(payloads, keys)
        return Block(payloads, lines.due_ms, keys)

    def _fronts(self, lines: Lines) -> npt.NDArray[np.uint8]:
        count = len(lines.kinds)
        random = np.frombuffer(self._random.bytes(count * 10), dtype=np.uint8).reshape(count, 10)
        pieces = (
            _constant(b'{"event_id":"', count),
            rendering.uuid7_rows(lines.times_ms, random),
            _constant(b'","timestamp":"', count),
            rendering.timestamp_rows(lines.times_ms),
        )
        return np.concatenate(pieces, axis=1)

    def _callers(self, requests: Integers) -> tuple[Integers, npt.NDArray[np.uint8]]:
        """Return each line's session and trace, alike for all lines of a request."""
        known, place = np.unique(requests, return_inverse=True)
        nearby = self._random.integers(0, _SESSIONS_AT_ONCE, len(known))
        sessions = (known // _REQUESTS_PER_SESSION + nearby) % len(self._sessions)
        traces = np.frombuffer(self._random.bytes(len(known) * 16), dtype=np.uint8).reshape(-1, 16)
        return sessions[place], rendering.hex_rows(traces)[place]

    def _numbers(self, lines: Lines) -> list[bytes]:
        noise = self._random.uniform(0.6, 1.6, len(lines.kinds))
        asked = (self._asked[lines.kinds] * noise).astype(np.int64).tolist()
        answered = (self._answered[lines.kinds] * noise).astype(np.int64).tolist()
        latencies = np.maximum(lines.latencies_ms, 0.1).tolist()
        text = b'"response_time_ms":%.1f,"request_bytes":%d,"response_bytes":%d,'
        numbers = [text % values for values in zip(latencies, asked, answered, strict=True)]
        for place in np.flatnonzero(~self._timed[lines.kinds]).tolist():
            numbers[place] = b'"response_time_ms":null,"request_bytes":null,"response_bytes":null,'
        return numbers

    def _break(self, payloads: list[bytes], keys: Integers) -> None:
        if not self._malformed:
            return
        for place in np.flatnonzero(self._random.random(len(payloads)) < self._malformed).tolist():
            payloads[place], way, kind = break_event(payloads[place], int(self._random.integers(0, 1 << 16)))
            keys[place] = counting.broken(int(keys[place]), way, kind)


def _constant(text: bytes, count: int) -> npt.NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(text, dtype=np.uint8), (count, len(text)))


def _head(line: Line, environment: str, host: int) -> bytes:
    fields = {
        "level": line.level,
        "service": line.route.service,
        "environment": environment,
        "host": f"{line.route.service}-{host}",
        "http_method": line.route.method,
        "endpoint": line.route.endpoint,
        "status_code": line.status,
    }
    return b'",' + orjson.dumps(fields)[1:-1] + b","


def _tail(line: Line, vocabulary: Vocabulary) -> bytes:
    fields = {"message": vocabulary.fill(line.message), "error_type": line.error_type}
    return b'",' + orjson.dumps(fields)[1:]


def _session(session: Session) -> bytes:
    fields = {"client_ip": session.client_ip, "user_id": session.user_id, "user_agent": session.user_agent}
    return orjson.dumps(fields)[1:-1] + b',"trace_id":"'


Clock = Callable[[Integers], Integers]
"""Running count of events -> the moment (epoch milliseconds) at which that many have happened."""


class Stream:
    """Endless traffic in blocks; `clock` says when the n-th event is due and may change between blocks.

    The size of a block may depend on the event time at which it begins.
    """

    def __init__(
        self,
        generator: Generator,
        clock: Clock,
        floor_ms: int,
        requests_per_block: int | Callable[[float], int],
        conditions: Conditions | None = None,
    ) -> None:
        self._generator = generator
        self.clock = clock
        self._floor_ms = floor_ms
        self._requests = requests_per_block
        self._conditions = conditions or Conditions((), floor_ms)
        self._last_due_ms = floor_ms
        self.emitted = 0

    def next_block(self) -> Block:
        """Return the next block; its events count from where the last one ended."""
        self._generator.under(self._conditions, self._last_due_ms)
        requests = self._requests if isinstance(self._requests, int) else self._requests(self._last_due_ms)
        outcomes = self._generator.draw(requests)
        running = self.emitted + np.cumsum(self._generator.model.sizes[outcomes])
        ends_ms = self.clock(running)
        self._last_due_ms = int(ends_ms[-1])
        lines = self._generator.lines(outcomes, ends_ms, self._floor_ms)
        self.emitted = int(running[-1])
        return self._generator.render(lines)
