"""What the pages ask for, in their words: a cube of a view, rows of a view, the state of the pipeline.

The cube is assembled from blocks: an hour (or a day, for long ranges) of one kind of rollup. A block's key holds the
number of events that the manifest counts in it, so it never changes: only blocks whose count moved are asked again, in
one query per stretch, and every worker and viewer shares them.
"""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.csv
from diskcache import FanoutCache

from catalog.errors import QueryError
from dashboard import rows, statements
from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED, Engine, read_csv
from dashboard.blocks import (
    Block,
    cut_blocks,
    frame_of,
    from_bytes,
    kinds,
    manifest_days,
    parse_rollup,
    question_of,
    stretches,
    to_bytes,
    versions_of,
)
from dashboard.broker import ANSWER_SECONDS, Answer, Broker, Question
from dashboard.cube import Cube
from dashboard.statements import COUNTS, LATENCY, Statement
from dashboard.timerange import Window, resolve
from dashboard.view import View

MANIFEST_SECONDS = 15.0
BLOCK_SECONDS = 7 * 86_400.0
MEMO_CUBES = 12
TABLES_SECONDS = 60.0
LOOK_SECONDS = 0.1


def utc_now() -> datetime:
    """Return the time as an aware moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a load stands. `token` names the cube once it is whole; the rest is what the status line says."""

    state: str
    window: Window
    token: str = ""
    asked_at: float = 0.0
    scanned_bytes: int = 0
    engine_ms: int = 0
    complete_to: datetime | None = None
    error: str = ""
    execution_id: str = ""
    running_seconds: float = 0.0
    was_cached: bool = True
    is_revalidating: bool = False
    """Whether newer data is being looked for behind this answer."""


class Lake:
    """The pages' one source of data, over a broker; one per worker, all sharing a cache."""

    def __init__(
        self,
        engine: Engine,
        cache: FanoutCache,
        drop_levels: Sequence[str] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.engine = engine
        self.broker = Broker(engine, cache, lambda: clock().timestamp())
        self.drop_levels = tuple(drop_levels)
        self.clock = clock
        self._cache = cache
        self._memo: OrderedDict[str, Cube] = OrderedDict()
        self._memo_lock = threading.Lock()

    def load(self, view: View, needs: Iterable[str], viewer: str, wait: float = 0.25, fresh: bool = False) -> Loaded:
        """Move the view's cube on and return how it stands: `SUCCEEDED` with a token, `RUNNING`, or failed with why."""
        window = resolve(view.time_range, self.clock())
        deadline = time.monotonic() + wait
        while True:
            loaded = self._advance(window, tuple(needs), viewer, 0.0 if fresh else MANIFEST_SECONDS)
            is_settled = loaded.state != RUNNING and not loaded.is_revalidating
            if is_settled or time.monotonic() >= deadline:
                return loaded
            fresh = False
            time.sleep(LOOK_SECONDS)

    def cube(self, token: str) -> Cube:
        """Return the cube a load named; raise `QueryError` when it is no longer kept."""
        with self._memo_lock:
            if token in self._memo:
                self._memo.move_to_end(token)
                return self._memo[token]
        cube = self._assemble(token)
        with self._memo_lock:
            self._memo[token] = cube
            while len(self._memo) > MEMO_CUBES:
                self._memo.popitem(last=False)
        return cube

    def ask(self, statement: Statement, viewer: str, max_age: float, wait: float = 30.0, version: str = "") -> Answer:
        """Ask one statement and wait for it; raise `QueryError` in the engine's words when it fails or takes longer."""
        answer = self.broker.ask(Question(statement, version=version), viewer, max_age, wait)
        if answer.content is None:
            raise QueryError(answer.error or f"no answer within {wait:.0f} s; execution {answer.execution_id}")
        return answer

    def cancel(self, view: View, needs: Iterable[str], viewer: str) -> int:
        """Stop waiting for a view's queries; return how many executions that stopped."""
        window = resolve(view.time_range, self.clock())
        questions = [Question(statements.manifest(days)) for days in manifest_days(window)]
        manifests = [self.broker.ask(question, viewer) for question in questions]
        questions.append(Question(statements.completeness()))
        if all(manifest.content is not None for manifest in manifests):
            missing = self._missing(self._blocks(window, tuple(needs), versions_of(manifests)))
            questions += [question_of(stretch) for stretch in stretches(missing)]
        return sum(self.broker.cancel(question, viewer) for question in questions)

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Return the Glue catalog's tables and columns, at most `TABLES_SECONDS` old."""
        kept = self._cache.get("tables", retry=True)
        if kept is None:
            kept = json.dumps(self.engine.tables())
            self._cache.set("tables", kept, expire=TABLES_SECONDS, retry=True)
        return {name: tuple(columns) for name, columns in json.loads(kept).items()}

    def sources(self, view: View, services: Sequence[str]) -> rows.Sources:
        """Return the tables that hold a view's rows."""
        return rows.choose_sources(view, services, self.drop_levels, self.tables())

    def page(
        self, view: View, window: Window, services: Sequence[str], number: int, viewer: str, version: str
    ) -> list[rows.Record]:
        """Return one page of a view's rows, newest first; pages before it are asked for as far as they are not kept."""
        sources = self.sources(view, services)
        if not sources.sources:
            return []
        page: list[rows.Record] = []
        for place in range(number + 1):
            if place and len(page) < rows.PAGE_ROWS:
                return []
            statement = rows.page_statement(sources, view, window, page[-1] if page else None)
            page = rows.read_page(self.ask(statement, viewer, ANSWER_SECONDS, version=version).content or b"")
        return page

    def filtered(self, view: View, cube: Cube, viewer: str, version: str) -> Cube:
        """Return the cube with its counts taken from the rows themselves: for filters that the rollup can't answer."""
        sources = self.sources(view, cube.services)
        if not sources.sources:
            return replace(cube, frames={**cube.frames, COUNTS: frame_of(COUNTS, [])})
        statement = rows.counts_statement(sources, view, cube.window)
        content = self.ask(statement, viewer, ANSWER_SECONDS, version=version).content or b""
        counts = frame_of(COUNTS, [parse_rollup(content, COUNTS)])
        return replace(cube, frames={**cube.frames, COUNTS: counts}, is_filtered=True)

    def is_writable(self) -> bool:
        """Return whether the cache takes and gives back a value."""
        mark = f"{time.monotonic()}"
        return (
            bool(self._cache.set("readiness", mark, expire=60, retry=True)) and self._cache.get("readiness") is not None
        )

    def _advance(self, window: Window, needs: tuple[str, ...], viewer: str, max_age: float) -> Loaded:
        questions = [Question(statements.manifest(days)) for days in manifest_days(window)]
        manifests = [self.broker.ask(question, viewer, max_age) for question in questions]
        complete = self.broker.ask(Question(statements.completeness()), viewer, max(max_age, 1.0))
        if any(manifest.content is None for manifest in manifests):
            return _standing(window, manifests)
        blocks = self._blocks(window, needs, versions_of(manifests))
        answers = [self._fetch(stretch, viewer) for stretch in stretches(self._missing(blocks))]
        missing = self._missing(blocks) if answers else []
        complete_to = _complete_to(complete.content)
        if missing:
            return _standing(window, answers, complete_to)
        token = self._keep(window, blocks, complete_to)
        return _finished(window, token, manifests, answers, complete_to)

    def _blocks(self, window: Window, needs: tuple[str, ...], versions: dict[int, int]) -> list[Block]:
        whole = Window(window.previous.start, window.end)
        blocks: list[Block] = []
        for name in needs:
            choices = [cut_blocks(kind, whole, versions) for kind in kinds(name, window)]
            cached = (choice for choice in choices if not self._missing(choice))
            blocks += next(cached, choices[0])
        return blocks

    def _missing(self, blocks: Sequence[Block]) -> list[Block]:
        return [block for block in blocks if block.key not in self._cache]

    def _fetch(self, stretch: Sequence[Block], viewer: str) -> Answer:
        answer = self.broker.ask(question_of(stretch), viewer)
        if answer.state == SUCCEEDED and answer.content is not None:
            table = parse_rollup(answer.content, stretch[0].kind.name)
            slots = table.column("slot").to_numpy()
            for block in stretch:
                start, end = (moment.timestamp() for moment in (block.window.start, block.window.end))
                part = table.filter(pa.array((slots >= start) & (slots < end)))
                self._cache.set(block.key, to_bytes(part), expire=BLOCK_SECONDS, retry=True)
        return answer

    def _keep(self, window: Window, blocks: Sequence[Block], complete_to: datetime | None) -> str:
        facts = {
            "window": [window.start.timestamp(), window.end.timestamp()],
            "complete_to": complete_to.timestamp() if complete_to else None,
            "blocks": [[block.kind.name, block.kind.grain_seconds, block.key] for block in blocks],
        }
        text = json.dumps(facts)
        token = hashlib.sha256(text.encode()).hexdigest()[:24]
        self._cache.set(f"cube:{token}", text, expire=86_400, retry=True)
        return token

    def _assemble(self, token: str) -> Cube:
        text = self._cache.get(f"cube:{token}", retry=True)
        if text is None:
            raise QueryError("this view is older than the cache keeps; press Refresh")
        facts = json.loads(text)
        tables: dict[str, list[pa.Table]] = {}
        for name, _, key in facts["blocks"]:
            kept = self._cache.get(key, retry=True)
            if kept is None:
                raise QueryError("a part of this view has left the cache; press Refresh")
            tables.setdefault(name, []).append(from_bytes(kept))
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in facts["window"])
        return Cube(
            Window(start, end),
            {name: frame_of(name, parts) for name, parts in ({COUNTS: [], LATENCY: []} | tables).items()},
            {name: grain for name, grain, _ in facts["blocks"]},
            datetime.fromtimestamp(facts["complete_to"], UTC) if facts["complete_to"] else None,
        )


def _complete_to(content: bytes | None) -> datetime | None:
    rows = read_csv(content)[1] if content else []
    return datetime.fromtimestamp(int(float(rows[0][0])), UTC) if rows and rows[0] and rows[0][0] else None


def _standing(window: Window, answers: Sequence[Answer], complete_to: datetime | None = None) -> Loaded:
    """Return how an unfinished load stands: its first failure, else that it runs."""
    bad = next((answer for answer in answers if answer.state in (FAILED, CANCELLED)), None)
    longest = max((answer.running_seconds for answer in answers), default=0.0)
    if bad:
        return Loaded(bad.state, window, error=bad.error, execution_id=bad.execution_id, complete_to=complete_to)
    return Loaded(RUNNING, window, running_seconds=longest, complete_to=complete_to, was_cached=False)


def _finished(
    window: Window, token: str, manifests: Sequence[Answer], answers: Sequence[Answer], complete_to: datetime | None
) -> Loaded:
    """Return a whole load; a manifest that could not be asked again makes it a failed one that still shows old data."""
    ran = [answer for answer in [*manifests, *answers] if answer.state in (SUCCEEDED, RUNNING)]
    failed = next((answer for answer in manifests if answer.state in (FAILED, CANCELLED)), None)
    oldest = failed or min(manifests, key=lambda manifest: manifest.asked_at)
    return Loaded(
        FAILED if failed else SUCCEEDED,
        window,
        token,
        asked_at=oldest.asked_at,
        scanned_bytes=sum(answer.scanned_bytes for answer in ran),
        engine_ms=max((answer.engine_ms for answer in ran), default=oldest.engine_ms),
        complete_to=complete_to,
        error=oldest.error,
        execution_id=oldest.execution_id,
        was_cached=not answers and all(manifest.was_cached for manifest in manifests),
        is_revalidating=any(manifest.state == RUNNING for manifest in manifests),
    )
