"""What the pages ask for, in their words: a cube of a view, rows of a view, the state of the pipeline.

The cube is assembled from blocks: an hour (or a day, for long ranges) of one kind of rollup. A block's key holds the
number of events that the manifest counts in it, so it never changes: only blocks whose count moved are asked again, in
one query per stretch, and every worker and viewer shares them. `scoped` returns the same lake for a viewer who may see
some services only: the services are in the SQL and in every key, so that no answer crosses from one scope to another.
"""

import copy
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from diskcache import FanoutCache

from catalog.errors import QueryError
from dashboard import rows, statements
from dashboard.athena import RUNNING, SUCCEEDED, Engine
from dashboard.blocks import (
    Block,
    columns_of,
    cut_blocks,
    kinds,
    manifest_days,
    parse_rollup,
    question_of,
    stretches,
    versions_of,
)
from dashboard.broker import ANSWER_SECONDS, Answer, Broker, Question
from dashboard.cube import Cube
from dashboard.cube_store import CubeStore
from dashboard.guard import Guard, Limits
from dashboard.loading import Loaded, complete_moment, finished, standing
from dashboard.pattern_names import PatternNames
from dashboard.statements import COUNTS, PATTERNS, Statement
from dashboard.timerange import Window, resolve
from dashboard.view import View

MANIFEST_SECONDS = 15.0
KEPT_LOAD_SECONDS = 120.0
"""How old a manifest may be for a page to open with what is kept; it asks for what is newer right after."""
TABLES_SECONDS = 60.0
ROWS_SECONDS = 30.0
LOOK_SECONDS = 0.1


def utc_now() -> datetime:
    """Return the time as an aware moment."""
    return datetime.now(UTC)


class Lake:
    """The pages' one source of data, over a broker; one per worker, all sharing a cache."""

    def __init__(
        self,
        engine: Engine,
        cache: FanoutCache,
        drop_levels: Sequence[str] = (),
        clock: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
        compare_from: datetime | None = None,
    ) -> None:
        self.engine = engine
        self.broker = Broker(engine, cache, lambda: clock().timestamp())
        self.drop_levels = tuple(drop_levels)
        self.services: tuple[str, ...] = ()
        self.guard = Guard(engine, cache, clock, limits or Limits())
        self.clock = clock
        self._cache = cache
        self._patterns = PatternNames(cache)
        self.compare_from = compare_from
        self._cubes = CubeStore(cache, compare_from)

    def scoped(self, services: Sequence[str]) -> "Lake":
        """Return this lake as someone sees it who may see `services` only; all of them when there are none."""
        other = copy.copy(self)
        other.services = tuple(sorted(services))
        return other

    def load(
        self, view: View, needs: Iterable[str], viewer: str, wait: float = 0.25, since: datetime | None = None
    ) -> Loaded:
        """Move the view's cube on and return how it stands: `SUCCEEDED` with a token, `RUNNING`, or failed with why.

        What is kept is returned at once, while newer is looked for; with `since` what was asked before that moment is
        not good enough: it waits for newer, up to `wait` seconds, and `is_revalidating` is left when that took longer.
        """
        window = resolve(view.time_range, self.clock())
        deadline = time.monotonic() + wait
        while True:
            loaded = self._advance(window, tuple(needs), viewer, since.timestamp() if since else 0.0)
            is_settled = loaded.state != RUNNING and not (since and loaded.is_revalidating)
            if is_settled or time.monotonic() >= deadline:
                return loaded
            time.sleep(LOOK_SECONDS)

    def kept_load(self, view: View, needs: Iterable[str]) -> Loaded | None:
        """Return the view's load if all of it is kept, not much older than a look would bring; asks nobody."""
        window = resolve(view.time_range, self.clock())
        manifests = [self.broker.kept(question) for question in self._manifests(window)]
        complete = self.broker.kept(Question(statements.completeness()))
        found = [answer for answer in manifests if answer and self._is_young(answer)]
        if complete is None or len(found) < len(manifests):
            return None
        blocks = self._blocks(window, tuple(needs), versions_of(found))
        if self._cubes.missing(blocks):
            return None
        return self._whole(window, blocks, found, [], complete_moment(complete.content))

    def cube(self, token: str) -> Cube:
        """Return the cube a load named; raise `QueryError` when it is no longer kept."""
        return self._cubes.cube(token, self.services)

    def ask(self, statement: Statement, viewer: str, max_age: float, wait: float = 30.0, version: str = "") -> Answer:
        """Ask one statement and wait for it; raise `QueryError` in the engine's words when it fails or takes longer."""
        answer = self.broker.ask(Question(statement, self._scope, version), viewer, max_age, wait)
        if answer.content is None:
            raise QueryError(answer.error or f"no answer within {wait:.0f} s; execution {answer.execution_id}")
        return answer

    def ask_anew(self, statement: Statement, viewer: str, max_age: float, wait: float) -> Answer:
        """Ask for who would be misled by an older answer: raise `QueryError` rather than give what is kept."""
        since = self.clock().timestamp() - max_age
        answer = self.broker.ask(Question(statement, self._scope), viewer, ANSWER_SECONDS, wait, since)
        if answer.state != SUCCEEDED or answer.content is None:
            raise QueryError(answer.error or f"no answer within {wait:.0f} s; execution {answer.execution_id}")
        return answer

    def cancel(self, view: View, needs: Iterable[str], viewer: str) -> int:
        """Stop waiting for a view's queries; return how many executions that stopped."""
        window = resolve(view.time_range, self.clock())
        questions = self._manifests(window)
        manifests = [self.broker.ask(question, viewer) for question in questions]
        questions.append(Question(statements.completeness()))
        if all(manifest.content is not None for manifest in manifests):
            missing = self._cubes.missing(self._blocks(window, tuple(needs), versions_of(manifests)))
            questions += [question_of(stretch) for stretch in stretches(missing)]
        return sum(self.broker.cancel(question, viewer) for question in questions)

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Return the Glue catalog's tables and columns, at most `TABLES_SECONDS` old."""
        found = self.kept("tables", TABLES_SECONDS, self.engine.tables)
        return {name: tuple(columns) for name, columns in found.items()}

    def kept(self, name: str, seconds: float, read: Callable[[], Any]) -> Any:
        """Return what `read` gives, as JSON does, at most `seconds` old: for what is asked of others than Athena."""
        text = self._cache.get(f"kept:{name}", retry=True)
        if text is None:
            text = json.dumps(read())
            self._cache.set(f"kept:{name}", text, expire=seconds, retry=True)
        return json.loads(text)

    def sources(self, view: View, services: Sequence[str]) -> rows.Sources:
        """Return the tables that hold a view's rows, of the services that may be seen."""
        seen = self._clamped(view)
        if seen is None:
            return rows.Sources((), False)
        return rows.choose_sources(seen, services, self.drop_levels, self.tables())

    def page(
        self,
        view: View,
        window: Window,
        services: Sequence[str],
        number: int,
        viewer: str,
        version: str,
        is_confirmed: bool = False,
    ) -> list[rows.Record]:
        """Return one page of a view's rows, newest first; pages before it are asked for as far as they are not kept.

        Raises `DearQueryError` when it would scan more than may be scanned without `is_confirmed`.
        """
        page: list[rows.Record] = []
        for place in range(number + 1):
            if place and len(page) < rows.PAGE_ROWS:
                return []
            after = page[-1] if page else None
            page = self.rows_below(view, window, services, after, viewer, version, is_confirmed=is_confirmed)
        return page

    def rows_below(
        self,
        view: View,
        window: Window,
        services: Sequence[str],
        after: rows.Record | None,
        viewer: str,
        version: str,
        limit: int = rows.PAGE_ROWS,
        is_confirmed: bool = False,
    ) -> list[rows.Record]:
        """Return at most `limit` rows below `after`, the newest ones when it is None."""
        sources = self.sources(view, services)
        if not sources.sources:
            return []
        statement = rows.page_statement(sources, self._spelled(view, sources, window, viewer), window, after, limit)
        if not is_confirmed and not self.broker.knows(Question(statement, self._scope, version)):
            self.guard.check(sources, self._clamped(view) or view, services, window)
        return rows.read_page(self.ask(statement, viewer, ANSWER_SECONDS, ROWS_SECONDS, version).content or b"")

    def filtered(self, view: View, cube: Cube, viewer: str, version: str, is_confirmed: bool = False) -> Cube:
        """Return the cube with its counts taken from the rows themselves: for filters that the rollup can't answer."""
        sources = self.sources(view, cube.services)
        if not sources.sources:
            return replace(cube, columns={**cube.columns, COUNTS: columns_of(COUNTS, [])})
        spelled = self._spelled(view, sources, cube.window, viewer)
        statement = rows.counts_statement(sources, spelled, cube.window)
        if not is_confirmed and not self.broker.knows(Question(statement, self._scope, version)):
            self.guard.check(sources, self._clamped(view) or view, cube.services, cube.window)
        content = self.ask(statement, viewer, ANSWER_SECONDS, ROWS_SECONDS, version).content or b""
        counts = columns_of(COUNTS, [parse_rollup(content, COUNTS)])
        return replace(cube, columns={**cube.columns, COUNTS: counts}, is_filtered=True)

    def is_writable(self) -> bool:
        """Return whether the cache takes and gives back a value."""
        mark = f"{time.monotonic()}"
        return (
            bool(self._cache.set("readiness", mark, expire=60, retry=True)) and self._cache.get("readiness") is not None
        )

    def _advance(self, window: Window, needs: tuple[str, ...], viewer: str, since: float) -> Loaded:
        max_age = ANSWER_SECONDS if since else MANIFEST_SECONDS
        questions = self._manifests(window)
        manifests = [self.broker.ask(question, viewer, max_age, since=since) for question in questions]
        complete = self.broker.ask(Question(statements.completeness()), viewer, max_age, since=since - 1.0)
        if any(manifest.content is None for manifest in manifests):
            return standing(window, manifests)
        blocks = self._blocks(window, needs, versions_of(manifests))
        answers = [self._fetch(stretch, viewer) for stretch in stretches(self._cubes.missing(blocks))]
        missing = self._cubes.missing(blocks) if answers else []
        complete_to = complete_moment(complete.content)
        if missing:
            return standing(window, answers, complete_to)
        return self._whole(window, blocks, manifests, answers, complete_to)

    def _whole(
        self,
        window: Window,
        blocks: Sequence[Block],
        manifests: Sequence[Answer],
        answers: Sequence[Answer],
        complete_to: datetime | None,
    ) -> Loaded:
        token = self._cubes.keep(window, blocks, complete_to, self.services)
        return finished(window, token, manifests, answers, complete_to)

    def _is_young(self, answer: Answer) -> bool:
        return self.clock().timestamp() - answer.asked_at <= KEPT_LOAD_SECONDS

    @property
    def _scope(self) -> str:
        return "|".join(self.services)

    def _manifests(self, window: Window) -> list[Question]:
        days = manifest_days(window)
        return [Question(statements.manifest(stretch, self.services), self._scope) for stretch in days]

    def _clamped(self, view: View) -> View | None:
        """Return the view without the services that may not be seen; None when that leaves none."""
        if not self.services:
            return view
        allowed = tuple(name for name in (view.services or self.services) if name in self.services)
        return replace(view, services=allowed) if allowed else None

    def _spelled(self, view: View, sources: rows.Sources, window: Window, viewer: str) -> View:
        """Return a view as its tables can answer it: the raw ones know no pattern ids, only messages."""
        seen = self._clamped(view) or view
        if "pattern_id" not in view.facets or not sources.is_raw:
            return seen
        statement = statements.rollup(kinds(PATTERNS, window)[0], window, self.services)
        return self._patterns.spelled(
            seen, lambda: self.ask(statement, viewer, ANSWER_SECONDS, ROWS_SECONDS).content or b""
        )

    def _blocks(self, window: Window, needs: tuple[str, ...], versions: dict[int, int]) -> list[Block]:
        whole = Window(window.previous.start, window.end)
        blocks: list[Block] = []
        for name in needs:
            choices = [cut_blocks(kind, whole, versions, self.services) for kind in kinds(name, window)]
            cached = (choice for choice in choices if not self._cubes.missing(choice))
            blocks += next(cached, choices[0])
        return blocks

    def _fetch(self, stretch: Sequence[Block], viewer: str) -> Answer:
        answer = self.broker.ask(question_of(stretch), viewer)
        if answer.state == SUCCEEDED and answer.content is not None:
            table = parse_rollup(answer.content, stretch[0].kind.name)
            if stretch[0].kind.name == PATTERNS:
                self._patterns.learn(table)
            self._cubes.put(table, stretch)
        return answer
