import multiprocessing
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import QueryError
from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED, Execution
from dashboard.broker import START_SECONDS, WAIT_SECONDS, Broker, Question, open_cache
from dashboard.inspection import Stage
from dashboard.statements import Statement

QUESTION = Question(Statement("SELECT 1"))


class FileAthena:
    """An Athena whose executions are files in a folder, so that processes share it: one file per start and stop."""

    def __init__(self, folder: Path, seconds: float = 0.3, error: str = "") -> None:
        self.folder, self.seconds, self.error = folder, seconds, error

    def start(self, statement: Statement, token: str) -> str:
        if self.error.startswith("refused"):
            raise QueryError(self.error)
        started = self.folder / f"start-{token}"
        if not started.exists():
            started.write_text(str(time.time()))
        return token

    def status(self, execution_id: str) -> Execution:
        if (self.folder / f"stop-{execution_id}").exists():
            return Execution(CANCELLED, error="Query cancelled by user")
        begun = float((self.folder / f"start-{execution_id}").read_text())
        if time.time() - begun < self.seconds:
            return Execution(RUNNING)
        if self.error:
            return Execution(FAILED, error=self.error)
        return Execution(SUCCEEDED, 1234, 56, execution_id)

    def stop(self, execution_id: str) -> None:
        (self.folder / f"stop-{execution_id}").touch()

    def result(self, execution: Execution) -> bytes:
        return b'"n"\n"1"\n'

    def tables(self) -> dict[str, tuple[str, ...]]:
        return {}

    def partitions(self, table: str) -> list[str]:
        return []

    def stages(self, now: object) -> list[Stage]:
        return []

    @property
    def starts(self) -> int:
        return len(list(self.folder.glob("start-*")))

    @property
    def stops(self) -> int:
        return len(list(self.folder.glob("stop-*")))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def athena(tmp_path: Path) -> FileAthena:
    (tmp_path / "athena").mkdir()
    return FileAthena(tmp_path / "athena")


@pytest.fixture
def broker(athena: FileAthena, tmp_path: Path) -> Broker:
    return Broker(athena, open_cache(str(tmp_path / "cache")))


class KilledAthena(FileAthena):
    """One whose caller is killed after it has started an execution, and before it hears of it."""

    def start(self, statement: Statement, token: str) -> str:
        super().start(statement, token)
        os._exit(9)


def _ask_and_die(folder: str, cache: str) -> None:
    Broker(KilledAthena(Path(folder)), open_cache(cache)).ask(QUESTION, "killed")


def _ask(folder: str, cache: str, viewer: str) -> None:
    answer = Broker(FileAthena(Path(folder), 0.6), open_cache(cache)).ask(QUESTION, viewer, wait=20)
    assert answer.content == b'"n"\n"1"\n'


def test_processes_and_threads_asking_the_same_start_one_execution(athena: FileAthena, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_ask, args=(str(athena.folder), cache, f"p{n}")) for n in range(3)]
    threads = [threading.Thread(target=_ask, args=(str(athena.folder), cache, f"t{n}")) for n in range(8)]
    for worker in [*workers, *threads]:
        worker.start()
    for worker in [*workers, *threads]:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert athena.starts == 1


def test_answer_that_was_asked_before_a_moment_is_asked_again_and_once(broker: Broker, athena: FileAthena) -> None:
    broker.ask(QUESTION, "me", wait=20)
    since = time.time()
    found = broker.ask(QUESTION, "me", wait=20, since=since)
    assert (found.state, athena.starts) == (SUCCEEDED, 2)
    assert found.asked_at >= since
    assert broker.ask(QUESTION, "me", wait=20, since=since) == replace(found, was_cached=True)
    assert athena.starts == 2


def test_execution_under_way_since_before_a_moment_is_followed_by_another(broker: Broker, athena: FileAthena) -> None:
    assert broker.ask(QUESTION, "you").state == RUNNING
    since = time.time()
    assert broker.ask(QUESTION, "me", wait=20, since=since).asked_at >= since
    assert (athena.starts, athena.stops) == (2, 0)


def test_execution_that_a_killed_worker_started_is_taken_up_and_soon(athena: FileAthena, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    killed = multiprocessing.get_context("spawn").Process(target=_ask_and_die, args=(str(athena.folder), cache))
    killed.start()
    killed.join(60)
    assert (killed.exitcode, athena.starts) == (9, 1)
    broker, began = Broker(athena, open_cache(cache)), time.monotonic()
    assert broker.ask(QUESTION, "b", wait=30).content == b'"n"\n"1"\n'
    assert athena.starts == 1
    assert time.monotonic() - began < 2 * START_SECONDS
    broker.ask(QUESTION, "b", max_age=-1.0, wait=30)
    assert athena.starts == 2


def test_second_ask_is_answered_from_the_cache_and_counted(broker: Broker, athena: FileAthena) -> None:
    first = broker.ask(QUESTION, "a", wait=5)
    second = broker.ask(QUESTION, "b")
    assert (first.was_cached, second.was_cached, second.content) == (False, True, first.content)
    metrics = broker.metrics()
    assert metrics.pop("since") > 0
    assert metrics == {
        "executions": 1,
        "hits": 1,
        "failures": 0,
        "stopped": 0,
        "reaped": 0,
        "scanned_bytes": 1234,
        "saved_bytes": 1234,
    }
    assert athena.starts == 1


def test_scope_and_version_and_parameters_make_questions_distinct() -> None:
    statements = (Statement("SELECT ?", ("'a'",)), Statement("SELECT ?", ("'b'",)), Statement("SELECT ?"))
    questions = [
        Question(found, scope, version) for found in statements for scope in ("", "s") for version in ("", "v")
    ]
    assert len({question.key for question in questions}) == 12


def test_old_answer_is_given_at_once_while_a_new_one_is_fetched(athena: FileAthena, tmp_path: Path) -> None:
    clock = Clock()
    broker = Broker(athena, open_cache(str(tmp_path / "cache")), clock)
    broker.ask(QUESTION, "a")
    clock.now += 1
    time.sleep(0.4)
    assert broker.ask(QUESTION, "a", max_age=30).state == SUCCEEDED
    clock.now += 60
    stale = broker.ask(QUESTION, "a", max_age=30)
    assert (stale.state, stale.content, athena.starts) == (RUNNING, b'"n"\n"1"\n', 2)


def test_last_viewer_leaving_stops_the_execution_and_not_the_first(broker: Broker, athena: FileAthena) -> None:
    athena.seconds = 60
    broker.ask(QUESTION, "a")
    broker.ask(QUESTION, "b")
    assert broker.cancel(QUESTION, "a") is False
    assert athena.stops == 0
    assert broker.cancel(QUESTION, "b") is True
    assert athena.stops == 1
    assert broker.running() == []


def test_execution_nobody_asks_about_any_more_is_stopped(athena: FileAthena, tmp_path: Path) -> None:
    clock = Clock()
    athena.seconds = 60
    cache = open_cache(str(tmp_path / "cache"))
    broker = Broker(athena, cache, clock)
    broker.ask(QUESTION, "closed tab")
    clock.now += WAIT_SECONDS + 1
    cache.delete("reaper")
    broker.ask(Question(Statement("SELECT 2")), "someone else")
    assert athena.stops == 1
    assert [run["sql"] for run in broker.running()] == ["SELECT 2"]


def test_failure_is_told_in_the_engines_words_and_not_asked_again_at_once(broker: Broker, athena: FileAthena) -> None:
    athena.error = "SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved"
    first = broker.ask(QUESTION, "a", wait=5)
    second = broker.ask(QUESTION, "b")
    assert (first.state, first.error, second.error) == (FAILED, athena.error, athena.error)
    assert athena.starts == 1


def test_refused_start_is_a_failure_too(broker: Broker, athena: FileAthena) -> None:
    athena.error = "refused: too many queries"
    assert broker.ask(QUESTION, "a").error == "refused: too many queries"


def test_cache_directory_is_its_owners_alone(tmp_path: Path) -> None:
    open_cache(str(tmp_path / "cache"))
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
