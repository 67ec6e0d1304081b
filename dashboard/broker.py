"""The query broker: any number of viewers and workers asking the same thing start one Athena execution.

Its state is a diskcache that the workers share, its job queue is Athena itself: no threads, no forks, and a worker may
die at any time. Whoever asks also moves the query on: starts it, looks at it, fetches its result. A viewer counts as
waiting for `WAIT_SECONDS` after each ask; when the last one cancels or falls silent, the execution is stopped, because
Athena bills what a forgotten query goes on scanning. Values are bytes, texts and numbers, never pickles.
"""

import hashlib
import json
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diskcache import FanoutCache, Lock

from catalog.errors import QueryError
from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED, Engine
from dashboard.state import make_folder
from dashboard.statements import Statement

WAIT_SECONDS = 15.0
LOOK_SECONDS = 0.15
START_SECONDS, FETCH_SECONDS = 10.0, 60.0
"""How long a worker that was killed keeps others from starting a question's execution, and from fetching its answer."""
RUN_SECONDS = 35 * 60.0
"""Longer than Athena's own limit of 30 minutes."""
FAILURE_SECONDS = 8.0
"""How long a failure is told without asking again: every panel and viewer gets it, and a retry comes soon."""
ANSWER_SECONDS = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Question:
    """A statement plus what makes its answer distinct: `scope` (who may see it) and `version` (which data)."""

    statement: Statement
    scope: str = ""
    version: str = ""

    @property
    def key(self) -> str:
        text = json.dumps([self.statement.sql, self.statement.parameters, self.scope, self.version])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker knows now. `content` may be an older answer while a new execution is `RUNNING`."""

    state: str
    content: bytes | None = None
    asked_at: float = 0.0
    scanned_bytes: int = 0
    engine_ms: int = 0
    error: str = ""
    execution_id: str = ""
    running_seconds: float = 0.0
    was_cached: bool = False


class Broker:
    """The state machine over one shared cache; safe to use from any thread of any worker."""

    def __init__(self, engine: Engine, cache: FanoutCache, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._cache = cache
        self._clock = clock
        self.on_start: Callable[[Statement, str], None] = lambda statement, execution_id: None
        """Told of each execution that is started."""

    def ask(
        self,
        question: Question,
        viewer: str,
        max_age: float = ANSWER_SECONDS,
        wait: float = 0.0,
        since: float = 0.0,
    ) -> Answer:
        """Return the answer as it stands, starting or moving on its execution; look again for up to `wait` seconds.

        An answer older than `max_age`, or asked before the moment `since`, comes back with the state `RUNNING` while a
        new one is fetched; so does a younger one that somebody has asked to be renewed.
        """
        deadline = time.monotonic() + wait
        self._reap()
        answer = self._step(question, viewer, max_age, since)
        while answer.state == RUNNING and time.monotonic() < deadline:
            time.sleep(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
            answer = self._step(question, viewer, max_age, since)
        return answer

    def cancel(self, question: Question, viewer: str) -> bool:
        """Stop waiting; stop the execution too if nobody else waits, and return whether it was."""
        with self._locked(question.key):
            run = self._run(question.key)
            waiters = self._waiters(question.key)
            waiters.pop(viewer, None)
            self._put(f"waiters:{question.key}", json.dumps(waiters), RUN_SECONDS)
            return bool(run) and not waiters and self._stop(question.key, run)

    def knows(self, question: Question) -> bool:
        """Return whether an answer is kept or an execution under way: asking then scans nothing more."""
        return f"answer:{question.key}" in self._cache or bool(self._run(question.key))

    def kept(self, question: Question) -> Answer | None:
        """Return the answer that is kept, however old; asks nobody and counts nothing."""
        return self._answer(question.key)

    def running(self) -> list[dict[str, Any]]:
        """Return the executions under way: key, execution id, text, start and how many wait."""
        runs = [self._run(key) | {"key": key, "waiters": len(self._waiters(key))} for key in self._active()]
        return [run for run in runs if run.get("execution_id")]

    def metrics(self) -> dict[str, int]:
        """Return counts since the cache was made, and `since`, when the first execution was started."""
        names = ("executions", "hits", "failures", "stopped", "reaped", "scanned_bytes", "saved_bytes", "since")
        return {name: int(self._cache.get(f"metric:{name}", default=0, retry=True)) for name in names}

    def recent(self) -> list[dict[str, Any]]:
        """Return the latest finished executions, newest first."""
        return list(json.loads(self._cache.get("recent", default="[]", retry=True)))

    def _is_young(self, answer: Answer, max_age: float, since: float) -> bool:
        return answer.asked_at >= max(since, self._clock() - max_age)

    def _step(self, question: Question, viewer: str, max_age: float, since: float) -> Answer:
        key = question.key
        cached = self._answer(key)
        if cached and self._is_young(cached, max_age, since) and not self._run(key):
            self._count("hits", 1)
            self._count("saved_bytes", cached.scanned_bytes)
            return cached
        failure = self._cache.get(f"failure:{key}", retry=True)
        if failure:
            return _with(json.loads(failure), cached)
        with self._locked(key, START_SECONDS):
            found = self._answer(key)  # once more, now that nobody else can be finishing it
            if found and self._is_young(found, max_age, since) and not self._run(key):
                return found
            self._heartbeat(key, viewer)
            run = self._run(key) or self._start(question)
            looked_at = float(self._cache.get(f"looked:{key}", default=0.0, retry=True))
        if "error" in run:
            return _with(run, cached)
        due = self._clock() - max(looked_at, run["started_at"]) >= LOOK_SECONDS
        answer = self._look(key, run, cached) if due else _running(run, cached, self._clock())
        was_early = answer.state == SUCCEEDED and answer.asked_at < since
        return replace(answer, state=RUNNING) if was_early else answer

    def _start(self, question: Question) -> dict[str, Any]:
        now = self._clock()
        token = self._token(question.key)
        try:
            execution_id = self._engine.start(question.statement, token)
        except QueryError as error:
            return self._fail(question.key, {"state": FAILED, "error": str(error), "execution_id": ""})
        self._count("executions", 1)
        self._cache.add("metric:since", int(now), retry=True)
        self.on_start(question.statement, execution_id)
        run = {
            "execution_id": execution_id,
            "started_at": now,
            "sql": question.statement.sql,
            "parameters": list(question.statement.parameters),
        }
        self._put(f"run:{question.key}", json.dumps(run), RUN_SECONDS)
        self._cache.delete(f"token:{question.key}", retry=True)
        self._change_active(add=question.key)
        return run

    def _token(self, key: str) -> str:
        """Return the token to start with: the one of a worker that was killed before it could say what it had started.

        Athena gives the execution that it has for a token, so that nothing is scanned twice.
        """
        self._cache.add(f"token:{key}", secrets.token_hex(32), expire=FETCH_SECONDS, retry=True)
        return str(self._cache.get(f"token:{key}", retry=True))

    def _look(self, key: str, run: dict[str, Any], cached: Answer | None) -> Answer:
        """Ask Athena how it stands; outside the key's lock, so that nobody waits behind a slow call."""
        self._put(f"looked:{key}", self._clock(), RUN_SECONDS)
        try:
            execution = self._engine.status(run["execution_id"])
            if execution.state == RUNNING:
                return _running(run, cached, self._clock())
            with self._locked(key):
                found = self._answer(key)
                if found and found.execution_id == run["execution_id"]:
                    return found
                if execution.state != SUCCEEDED:
                    error = execution.error or f"the query was {execution.state.lower()}"
                    failure = {"state": execution.state, "error": error, "execution_id": run["execution_id"]}
                    return _with(self._fail(key, failure), cached)
                return self._keep(key, run, execution)
        except QueryError as error:
            return _with(
                self._fail(key, {"state": FAILED, "error": str(error), "execution_id": run["execution_id"]}), cached
            )

    def _keep(self, key: str, run: dict[str, Any], execution: Any) -> Answer:
        content = self._engine.result(execution)
        facts = {
            "execution_id": run["execution_id"],
            "asked_at": run["started_at"],
            "scanned_bytes": execution.scanned_bytes,
            "engine_ms": execution.engine_ms,
        }
        head = json.dumps(facts).encode()
        self._put(f"answer:{key}", head + b"\n" + zlib.compress(content, 1), ANSWER_SECONDS)
        self._count("scanned_bytes", execution.scanned_bytes)
        self._finish(key, run | {"state": SUCCEEDED, "scanned_bytes": execution.scanned_bytes})
        return Answer(SUCCEEDED, content, **facts)

    def _fail(self, key: str, failure: dict[str, Any]) -> dict[str, Any]:
        self._put(f"failure:{key}", json.dumps(failure), FAILURE_SECONDS)
        self._count("failures" if failure["state"] == FAILED else "stopped", 1)
        self._finish(key, (self._run(key) or {}) | failure)
        return failure

    def _finish(self, key: str, run: dict[str, Any]) -> None:
        self._cache.delete(f"run:{key}", retry=True)
        self._cache.delete(f"waiters:{key}", retry=True)
        self._change_active(remove=key)
        with self._locked("recent"):
            line = run | {"finished_at": self._clock()}
            self._put("recent", json.dumps([line, *self.recent()][:50]), None)

    def _stop(self, key: str, run: dict[str, Any]) -> bool:
        try:
            self._engine.stop(run["execution_id"])
        except QueryError:
            return False
        self._count("stopped", 1)
        self._finish(key, run | {"state": CANCELLED, "error": "nobody was waiting any more"})
        return True

    def _reap(self) -> None:
        """Stop what nobody waits for any more: tabs close without saying so. One worker looks, every few seconds."""
        if not self._cache.add("reaper", 1, expire=WAIT_SECONDS / 3, retry=True):
            return
        for key in self._active():
            with self._locked(key):
                run = self._run(key)
                if run and not self._waiters(key):
                    self._count("reaped", int(self._stop(key, run)))
                elif not run:
                    self._change_active(remove=key)

    def _answer(self, key: str) -> Answer | None:
        kept = self._cache.get(f"answer:{key}", retry=True)
        if kept is None:
            return None
        head, _, body = kept.partition(b"\n")
        return Answer(SUCCEEDED, zlib.decompress(body), was_cached=True, **json.loads(head))

    def _run(self, key: str) -> dict[str, Any]:
        return dict(json.loads(self._cache.get(f"run:{key}", default="{}", retry=True)))

    def _waiters(self, key: str) -> dict[str, float]:
        waiters = json.loads(self._cache.get(f"waiters:{key}", default="{}", retry=True))
        return {viewer: until for viewer, until in waiters.items() if until > self._clock()}

    def _heartbeat(self, key: str, viewer: str) -> None:
        waiters = self._waiters(key) | {viewer: self._clock() + WAIT_SECONDS}
        self._put(f"waiters:{key}", json.dumps(waiters), RUN_SECONDS)

    def _active(self) -> list[str]:
        return list(json.loads(self._cache.get("active", default="[]", retry=True)))

    def _change_active(self, add: str = "", remove: str = "") -> None:
        with self._locked("active"):
            keys = [key for key in self._active() if key not in (add, remove)] + ([add] if add else [])
            self._put("active", json.dumps(keys), None)

    def _put(self, key: str, value: Any, expire: float | None) -> None:
        self._cache.set(key, value, expire=expire, retry=True)

    def _count(self, name: str, amount: int) -> None:
        self._cache.incr(f"metric:{name}", amount, default=0, retry=True)

    @contextmanager
    def _locked(self, key: str, seconds: float = FETCH_SECONDS) -> Iterator[None]:
        with Lock(self._cache, f"lock:{key}", expire=seconds):
            yield


def open_cache(directory: str, size_limit_bytes: int = 2 * 10**9) -> FanoutCache:
    """Return the cache in `directory`, which only its owner may enter: who can write there could change answers."""
    make_folder(Path(directory), "--cache-dir")
    return FanoutCache(
        directory, shards=8, timeout=1, size_limit=size_limit_bytes, eviction_policy="least-recently-used"
    )


def _running(run: dict[str, Any], cached: Answer | None, now: float) -> Answer:
    return _with({"state": RUNNING, "execution_id": run["execution_id"]}, cached, now - run["started_at"])


def _with(failure: dict[str, Any], cached: Answer | None, running_seconds: float = 0.0) -> Answer:
    """Return a state together with the older answer, if there is one: what exists is never blanked."""
    old = cached or Answer(failure["state"])
    return Answer(
        failure["state"],
        old.content,
        old.asked_at,
        old.scanned_bytes,
        old.engine_ms,
        failure.get("error", ""),
        failure["execution_id"],
        running_seconds,
        cached is not None,
    )
