"""Events of an own schema as blocks, like those of the traffic model."""

from collections.abc import Callable, Iterator

import numpy as np

from producer import counting
from producer.counting import Integers
from producer.events import Block, Clock
from producer.own_schema.fields import Drawing, joined
from producer.own_schema.schema import Schema
from producer.shape import Shape

_CHUNK = 4_096


class OwnEvents:
    """Draws events; the same schema, seed and times give the same bytes. Not for use by several threads."""

    def __init__(self, schema: Schema, seed: int) -> None:
        self._kinds = schema.kinds(seed)
        self._names = [field.name for field in schema.fields]
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._drawn = 0

    def block(self, times_ms: Integers) -> Block:
        """Return one event for each time."""
        drawing = Drawing(self._random, times_ms, self._drawn)
        for name, kind in self._kinds.items():
            drawing.columns[name] = kind.draw(drawing)
        self._drawn += len(times_ms)
        payloads = joined(self._names, [drawing.columns[name].texts for name in self._names])
        nobodys = np.zeros(len(times_ms), dtype=np.int64)
        return Block(payloads, times_ms, counting.pack(times_ms, nobodys, nobodys))

    def history(self, start_ms: int, end_ms: int, events: int, shape: Shape) -> Iterator[Block]:
        """Yield `events` events spread over the time by the shape of traffic."""
        fractions = (np.arange(events) + 0.5) / events
        for first in range(0, events, _CHUNK):
            yield self.block(shape.moments(start_ms, end_ms, fractions[first : first + _CHUNK]))


class OwnStream:
    """Endless events in blocks; `clock` says when the n-th is due."""

    def __init__(self, events: OwnEvents, clock: Clock, start_ms: int, size_at: Callable[[float], int]) -> None:
        self._events = events
        self._clock = clock
        self._last_ms = start_ms
        self._size_at = size_at
        self.emitted = 0

    def next_block(self) -> Block:
        """Return the next block; its events count from where the last one ended."""
        running = self.emitted + np.arange(1, self._size_at(self._last_ms) + 1)
        self.emitted = int(running[-1])
        due_ms = self._clock(running)
        self._last_ms = int(due_ms[-1])
        return self._events.block(due_ms)
