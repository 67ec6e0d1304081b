"""Which pattern an id stands for: learnt from the rollup whenever it is read, for tables that hold messages alone."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
from diskcache import FanoutCache

from dashboard.blocks import parse_rollup
from dashboard.patterns import pattern_id
from dashboard.statements import PATTERNS
from dashboard.view import View

KEPT_SECONDS = 30 * 86_400.0


class PatternNames:
    """The patterns that any worker has met, by id."""

    def __init__(self, cache: FanoutCache) -> None:
        self._cache = cache

    def learn(self, table: pa.Table) -> None:
        """Remember the patterns of a part of the rollup."""
        for text in filter(None, table.column("pattern").unique().to_pylist()):
            self._cache.set(f"pattern:{pattern_id(text)}", text, expire=KEPT_SECONDS, retry=True)

    def spelled(self, view: View, read: Callable[[], bytes]) -> View:
        """Return a view that asks for patterns by their texts; `read` gives the rollup when one is not known yet."""
        ids = view.facets["pattern_id"]
        if any(self._text(name) is None for name in ids):
            self.learn(parse_rollup(read(), PATTERNS))
        texts = tuple(("!" if name.startswith("!") else "") + (self._text(name) or _unknown(name)) for name in ids)
        facets = {name: values for name, values in view.facets.items() if name != "pattern_id"}
        return replace(view, facets=facets | {"pattern": texts})

    def _text(self, name: str) -> str | None:
        found = self._cache.get(f"pattern:{name.lstrip('!')}", retry=True)
        return None if found is None else str(found)


def _unknown(name: str) -> str:
    """Return a text that no message starts with: a pattern that nobody knows matches nothing."""
    return f"<no pattern {name.lstrip('!')[:40]}>"
