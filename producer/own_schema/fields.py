"""Kinds of fields, each of which draws a column at a time: values, and their JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from producer import rendering
from producer.counting import Integers
from producer.own_schema.patterns import Part, draw_pattern

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of some events: its values, and the same as JSON."""

    values: Sequence[Any]
    texts: list[bytes]


@dataclass(slots=True)
class Drawing:
    """What a field may look at while it draws: randomness, the events' times, and the columns drawn before."""

    random: np.random.Generator
    times_ms: Integers
    first_number: int
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many events are drawn."""
        return len(self.times_ms)


class Kind(Protocol):
    """One kind of field; `references` are the names of fields that must be drawn before."""

    @property
    def references(self) -> tuple[str, ...]: ...

    def draw(self, drawing: Drawing) -> Column: ...


def _encoded(values: Sequence[Any]) -> Column:
    return Column(values, list(map(orjson.dumps, values)))


@dataclass(frozen=True, slots=True)
class Pool:
    """One of some values, each with its weight."""

    values: tuple[Any, ...]
    texts: tuple[bytes, ...]
    chances: Floats
    references: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Sequence[Any], weights: Sequence[float] | None = None) -> "Pool":
        """Return the pool of `values`, alike or with weights of any scale."""
        chances = np.cumsum(np.array(weights or [1.0] * len(values), dtype=np.float64))
        return cls(tuple(values), tuple(map(orjson.dumps, values)), chances / chances[-1])

    def draw(self, drawing: Drawing) -> Column:
        places = np.searchsorted(self.chances, drawing.random.random(drawing.count), side="right").tolist()
        return Column([self.values[place] for place in places], [self.texts[place] for place in places])


@dataclass(frozen=True, slots=True)
class Number:
    """A number: evenly within a range, or around a median with a tail (log-normal), cut off at the range."""

    low: float
    high: float
    median: float | None
    spread: float
    decimals: int | None
    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        if self.median is not None:
            drawn = self.median * np.exp(self.spread * drawing.random.standard_normal(drawing.count))
        elif self.decimals is None:
            return _numbers(drawing.random.integers(int(self.low), int(self.high), drawing.count, endpoint=True), None)
        else:
            drawn = drawing.random.uniform(self.low, self.high, drawing.count)
        return _numbers(np.clip(drawn, self.low, self.high), self.decimals)


def _numbers(drawn: Floats | Integers, decimals: int | None) -> Column:
    if decimals is None:
        integers = np.asarray(drawn).astype(np.int64).tolist()
        return Column(integers, [b"%d" % value for value in integers])
    values = np.round(drawn, decimals).tolist()
    form = b"%%.%df" % max(1, decimals)
    return Column(values, [form % value for value in values])


@dataclass(frozen=True, slots=True)
class Truth:
    """True with a chance."""

    chance: float
    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        return _encoded((drawing.random.random(drawing.count) < self.chance).tolist())


@dataclass(frozen=True, slots=True)
class Uuid:
    """A UUIDv7 of the event's time."""

    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        random = np.frombuffer(drawing.random.bytes(drawing.count * 10), dtype=np.uint8).reshape(-1, 10)
        return _plain(rendering.texts(rendering.uuid7_rows(drawing.times_ms, random)))


@dataclass(frozen=True, slots=True)
class Timestamp:
    """The event's time as text, or as epoch seconds or milliseconds."""

    unit: str
    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        if self.unit == "iso":
            return _plain(rendering.texts(rendering.timestamp_rows(drawing.times_ms)))
        return _numbers(drawing.times_ms // (1000 if self.unit == "s" else 1), None)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers in a row, over the whole run."""

    first: int
    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        first = self.first + drawing.first_number
        return _numbers(np.arange(first, first + drawing.count), None)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Texts of a pattern."""

    parts: tuple[Part, ...]
    references: tuple[str, ...] = ()

    def draw(self, drawing: Drawing) -> Column:
        return _encoded(draw_pattern(self.parts, drawing.random, drawing.count))


@dataclass(frozen=True, slots=True)
class Text:
    """A text with other fields' values in it: pieces between which the references stand."""

    pieces: tuple[str, ...]
    references: tuple[str, ...]

    def draw(self, drawing: Drawing) -> Column:
        if not self.references:
            return _encoded([self.pieces[0]] * drawing.count)
        columns = [map(_as_text, drawing.columns[name].values) for name in self.references]
        form = "{}".join(piece.replace("{", "{{").replace("}", "}}") for piece in self.pieces)
        return _encoded([form.format(*row) for row in zip(*columns, strict=True)])


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode("utf-8")


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a mapping says about another field's value."""

    name: str
    mapping: Mapping[Any, Any]
    otherwise: Any

    @property
    def references(self) -> tuple[str, ...]:
        return (self.name,)

    def draw(self, drawing: Drawing) -> Column:
        return _encoded([self.mapping.get(value, self.otherwise) for value in drawing.columns[self.name].values])


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The product or the sum of other fields; null if one of them is."""

    references: tuple[str, ...]
    multiply: bool
    decimals: int

    def draw(self, drawing: Drawing) -> Column:
        columns = [np.array(drawing.columns[name].values, dtype=np.float64) for name in self.references]
        total = np.prod(columns, axis=0) if self.multiply else np.sum(columns, axis=0)
        missing = np.isnan(total)
        column = _numbers(np.where(missing, 0.0, total), self.decimals or None)
        return _with_nulls(column, missing)


@dataclass(frozen=True, slots=True)
class Sometimes:
    """Another kind that is null with a chance."""

    kind: Kind
    chance: float

    @property
    def references(self) -> tuple[str, ...]:
        return self.kind.references

    def draw(self, drawing: Drawing) -> Column:
        column = self.kind.draw(drawing)
        return _with_nulls(column, drawing.random.random(drawing.count) < self.chance)


@dataclass(frozen=True, slots=True)
class Object:
    """Fields of its own; they stand in `drawing` under dotted names."""

    prefix: str
    names: tuple[str, ...]

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(f"{self.prefix}.{name}" for name in self.names)

    def draw(self, drawing: Drawing) -> Column:
        texts = joined(self.names, [drawing.columns[name].texts for name in self.references])
        return Column([orjson.Fragment(text) for text in texts], texts)


def joined(names: Sequence[str], columns: Sequence[list[bytes]]) -> list[bytes]:
    """Return JSON objects of the columns."""
    count = len(columns[0])
    woven: list[list[bytes]] = []
    for place, (name, texts) in enumerate(zip(names, columns, strict=True)):
        woven += [[(b"," if place else b"{") + orjson.dumps(name) + b":"] * count, texts]
    woven.append([b"}"] * count)
    return list(map(b"".join, zip(*woven, strict=True)))


def _plain(texts: list[bytes]) -> Column:
    return Column([text.decode("ascii") for text in texts], [b'"%b"' % text for text in texts])


def _with_nulls(column: Column, missing: npt.NDArray[np.bool_]) -> Column:
    if not missing.any():
        return column
    values, texts = list(column.values), list(column.texts)
    for place in np.flatnonzero(missing).tolist():
        values[place], texts[place] = None, b"null"
    return Column(values, texts)
