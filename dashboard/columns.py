"""Columns: the rows of a rollup as plain arrays, sorted by slot.

What a chart needs of them is a few sums, and pandas takes longer to hand out a column than to add it up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.schema import told_level, told_text


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: for each row the place of its text among `values`; a missing one is one, too: `NO_VALUE`."""

    codes: np.ndarray
    values: tuple[str, ...]

    def places(self, names: Sequence[str]) -> np.ndarray:
        """Return for each row the place of its text among `names`, -1 for any other."""
        places = {name: place for place, name in enumerate(names)}
        table = np.array([places.get(value, -1) for value in self.values], dtype="int64")
        return np.asarray(table[self.codes])

    def followed_by(self, later: "Texts") -> "Texts":
        """Return these texts and then others."""
        values = tuple(dict.fromkeys((*self.values, *later.values)))
        return Texts(np.concatenate([self.codes, later.places(values)]), values)

    @property
    def seen(self) -> list[str]:
        """The texts that occur, sorted."""
        counts = np.bincount(self.codes, minlength=len(self.values))
        return sorted(value for value, count in zip(self.values, counts, strict=True) if count)


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one kind: numbers by column, texts by column; `slot` is among the numbers, and ascends."""

    numbers: Mapping[str, np.ndarray]
    texts: Mapping[str, Texts]

    def __len__(self) -> int:
        return len(self.numbers["slot"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.numbers[name]

    def taken(self, rows: slice | np.ndarray) -> "Columns":
        """Return some of the rows: a stretch of them, which is not copied, or those of a mask."""
        return Columns(
            {name: values[rows] for name, values in self.numbers.items()},
            {name: Texts(texts.codes[rows], texts.values) for name, texts in self.texts.items()},
        )

    def followed_by(self, later: "Columns") -> "Columns":
        """Return these rows and then those of later slots, which have the same columns."""
        return Columns(
            {name: np.concatenate([values, later[name]]) for name, values in self.numbers.items()},
            {name: texts.followed_by(later.texts[name]) for name, texts in self.texts.items()},
        )

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame whose texts are categorical, for what is grouped by many columns."""
        texts = {
            name: pd.Categorical.from_codes(column.codes, categories=list(column.values))
            for name, column in self.texts.items()
        }
        return pd.DataFrame({**self.numbers, **texts})


def from_table(table: pa.Table) -> Columns:
    """Return a table's rows; its texts are dictionary-encoded, and none is missing; a missing whole number is 0."""
    numbers, texts = {}, {}
    for name, column in zip(table.column_names, table.unify_dictionaries().columns, strict=True):
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            numbers[name] = (column.fill_null(0) if pa.types.is_integer(column.type) else column).to_numpy()
        else:
            texts[name] = _texts(column.combine_chunks(), told_level if name == "level" else told_text)
    found = Columns(numbers, texts)
    slots = found["slot"]
    return found if bool(np.all(slots[:-1] <= slots[1:])) else found.taken(np.argsort(slots, kind="stable"))


def _texts(found: pa.DictionaryArray, told: Callable[[str | None], str]) -> Texts:
    """Return a column's texts as they are told to a reader; the last place of its dictionary is for the missing."""
    names = [told(value) for value in (*found.dictionary.to_pylist(), None)]
    values = tuple(dict.fromkeys(names))
    places = {name: place for place, name in enumerate(values)}
    table = np.array([places[name] for name in names], dtype="int64")
    return Texts(table[found.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)], values)
