"""Where cubes are kept: blocks in the cache that all workers share, whole cubes in each worker's memory."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
from diskcache import FanoutCache

from catalog.errors import QueryError
from dashboard.blocks import Block, columns_of, from_bytes, to_bytes
from dashboard.cube import Cube
from dashboard.memo import Memo
from dashboard.statements import COUNTS, LATENCY
from dashboard.timerange import Window

BLOCK_SECONDS = 7 * 86_400.0
TOKEN_SECONDS = 86_400.0
MEMO_CUBES = 12
MEMO_BLOCKS = 64


class CubeStore:
    """Blocks by their keys, and cubes by tokens that name their blocks; safe to use from any thread."""

    def __init__(self, cache: FanoutCache, compare_from: datetime | None = None) -> None:
        self._compare_from = compare_from
        self._cache = cache
        self._memo = Memo(MEMO_CUBES)
        self._blocks = Memo(MEMO_BLOCKS)

    def missing(self, blocks: Sequence[Block]) -> list[Block]:
        """Return the blocks that are not kept."""
        return [block for block in blocks if block.key not in self._cache]

    def put(self, table: pa.Table, stretch: Sequence[Block]) -> None:
        """Keep a table's rows as the blocks of a stretch."""
        slots = table.column("slot").to_numpy()
        for block in stretch:
            start, end = (moment.timestamp() for moment in (block.window.start, block.window.end))
            part = table.filter(pa.array((slots >= start) & (slots < end)))
            self._cache.set(block.key, to_bytes(part), expire=BLOCK_SECONDS, retry=True)

    def keep(
        self, window: Window, blocks: Sequence[Block], complete_to: datetime | None, services: Sequence[str]
    ) -> str:
        """Return a token for the cube of these blocks, all of them kept, for whoever may see `services`."""
        facts = {
            "services": list(services),
            "window": [window.start.timestamp(), window.end.timestamp()],
            "complete_to": complete_to.timestamp() if complete_to else None,
            "blocks": [[block.kind.name, block.kind.grain_seconds, block.key] for block in blocks],
        }
        text = json.dumps(facts)
        token = hashlib.sha256(text.encode()).hexdigest()[:24]
        self._cache.set(f"cube:{token}", text, expire=TOKEN_SECONDS, retry=True)
        return token

    def cube(self, token: str, services: Sequence[str]) -> Cube:
        """Return a token's cube; raise `QueryError` when it is no longer kept or is not for these services."""
        cube: Cube = self._memo.get((*services, token), lambda: self._assemble(token, services))
        return cube

    def _assemble(self, token: str, services: Sequence[str]) -> Cube:
        text = self._cache.get(f"cube:{token}", retry=True)
        if text is None:
            raise QueryError("this view is older than the cache keeps; press Refresh")
        facts = json.loads(text)
        if facts["services"] != list(services):
            raise QueryError("this view was loaded for other services; press Refresh")
        tables: dict[str, list[pa.Table]] = {}
        for name, _, key in facts["blocks"]:
            tables.setdefault(name, []).append(self._blocks.get(key, partial(self._read, key)))
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in facts["window"])
        return Cube(
            Window(start, end),
            {name: columns_of(name, parts) for name, parts in ({COUNTS: [], LATENCY: []} | tables).items()},
            {name: grain for name, grain, _ in facts["blocks"]},
            datetime.fromtimestamp(facts["complete_to"], UTC) if facts["complete_to"] else None,
            compare_from=self._compare_from,
        )

    def _read(self, key: str) -> pa.Table:
        kept = self._cache.get(key, retry=True)
        if kept is None:
            raise QueryError("a part of this view has left the cache; press Refresh")
        return from_bytes(kept)
