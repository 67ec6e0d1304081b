"""`loglake tail` as people run it: on a terminal of its own, and in a pipe."""

import json
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalog import live
from catalog.masking import Masking
from consumer.records import Record
from consumer.shard import Shard, Stored
from consumer.store import Store
from consumer.tail import Look, line
from tests.conftest import REPOSITORY, EndpointProcess
from tests.consumer.conftest import LivePath, encoded, event
from tests.terminal import WAIT_SECONDS, Terminal


class Watched:
    """A live table with events, the consumer's part played by hand, and `tail` over it."""

    def __init__(self, endpoint: EndpointProcess, path: LivePath) -> None:
        names = {"STREAM": path.name, "LIVE_TABLE": path.name, "REGION": "us-east-1", "INGEST_MODE": "stream"}
        self.environment = {**endpoint.environment(), **{f"LOGLAKE_{name}": value for name, value in names.items()}}
        self.environment |= {"TERM": "xterm-256color"}
        self.environment.pop("NO_COLOR", None)
        self.store = Store(path.dynamodb, path.name, print, lambda seconds: False)
        self.shard = Shard("shardId-0", Stored(live.Head("shardId-0")), Masking(), time.time())
        self.number = 0

    def write(self, *datas: bytes) -> None:
        now = time.time()
        self.shard.add([Record(str(self.number + n + 1), int(now * 1000), data) for n, data in enumerate(datas)])
        self.number += len(datas)
        self.shard.read_until(now)
        self.store.write(self.shard)

    def tail(self, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "loglake", "tail", *arguments]
        return subprocess.Popen(command, env=self.environment, cwd=REPOSITORY, **streams)


@pytest.fixture
def watched(endpoint: EndpointProcess, live_path: Callable[..., LivePath]) -> Watched:
    return Watched(endpoint, live_path(shards=1))


@pytest.fixture
def terminal(watched: Watched) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(lambda **streams: watched.tail(*arguments, **streams)))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.mark.local
def test_on_a_terminal_it_colours_pauses_goes_on_and_ends_with_ctrl_c(
    watched: Watched, terminal: Callable[..., Terminal]
) -> None:
    watched.write(encoded(1), encoded(2, level="ERROR", message="\x1b[2Jboom " + "x" * 200))
    screen = terminal()
    screen.until("boom")
    screen.until("…")
    screen.until("live, ")
    assert "\x1b[36mINFO    \x1b[0m payment" in screen.shown
    assert "\x1b[31mERROR   \x1b[0m payment" in screen.shown
    assert "\\x1b[2Jboom" in screen.shown
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen.shown)
    assert max(len(text.rstrip("\r")) for text in plain.split("\n")) == 100
    screen.type(" ")
    screen.until("-- paused")
    watched.write(encoded(3, message="held one"), encoded(4, message="held two"))
    screen.until("paused, 2 waiting")
    assert "held" not in screen.shown
    screen.type(" ")
    screen.until("held two")
    screen.type("\x03")
    assert screen.process.wait(WAIT_SECONDS) == 130
    assert termios.tcgetattr(screen.slave) == screen.before


@pytest.mark.local
def test_two_keys_at_once_are_both_obeyed(watched: Watched, terminal: Callable[..., Terminal]) -> None:
    watched.write(encoded(1))
    screen = terminal()
    screen.until("live, ")
    screen.type(" q")
    assert screen.process.wait(WAIT_SECONDS) == 0


@pytest.mark.local
def test_in_a_pipe_it_is_json_of_what_was_asked_for_and_ends_with_ctrl_c(watched: Watched) -> None:
    watched.write(
        encoded(1, level="ERROR", message="connection TIMEOUT"),
        encoded(2, level="ERROR", message="refused"),
        encoded(3, message="timeout averted"),
        encoded(4, level="ERROR", service="inventory", message="timeout too"),
        encoded(5, level="ERROR", service="notification", message="timeout elsewhere"),
    )
    asked = ("--service", "payment,inventory", "--level", "err", "--grep", "time.?out", "--json")
    process = watched.tail(*asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    found = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [each["message"] for each in found] == ["connection TIMEOUT", "timeout too"]
    watched.write(encoded(6, level="ERROR", message="one more timeout"))
    assert json.loads(process.stdout.readline())["message"] == "one more timeout"
    process.send_signal(signal.SIGINT)
    rest, remarks = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, rest) == (130, b"")
    assert b"\x1b" not in remarks
    assert re.fullmatch(rb"(-- [^\n]+\n)+\n?", remarks)


@pytest.mark.local
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--level", "LOUD"), "UsageError: --level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; got 'LOUD'"),
        (("--grep", "("), "UsageError: --grep must be a regular expression (missing ), unterminated subpattern at"),
    ],
)
def test_what_can_not_be_asked_is_said_in_a_line(watched: Watched, arguments: tuple[str, ...], said: str) -> None:
    process = watched.tail(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, out) == (2, b"")
    assert error.decode().startswith(said)
    assert error.count(b"\n") == 1


def test_a_line_in_a_pipe_has_no_colours_and_is_as_long_as_it_is() -> None:
    text = line(event(message="m" * 300, level="ERROR", timestamp="2026-11-22T10:00:00.123Z"), Look())
    assert text == f"10:00:00.123 ERROR    payment        200 12 ms {'m' * 300}"


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        ({"message": None}, "10:00:00.123 ERROR    payment        200 12 ms (none)"),
        ({"service": None}, "10:00:00.123 ERROR    (none)         200 12 ms m"),
        ({"level": None}, "10:00:00.123 (none)   payment        200 12 ms m"),
        ({"level": "EXTRAORDINARY"}, "10:00:00.123 EXTRAORD payment        200 12 ms m"),
        ({"level": "\x1b[2J"}, "10:00:00.123 \\x1b[2J  payment        200 12 ms m"),
        ({"service": "a\u202eb"}, "10:00:00.123 ERROR    a\\x202eb       200 12 ms m"),
        ({"timestamp": None}, "             ERROR    payment        200 12 ms m"),
        ({"response_time_ms": 1e300, "status_code": 0}, "10:00:00.123 ERROR    payment        0 1e+300 ms m"),
    ],
)
def test_an_odd_event_is_a_line_like_any_other(odd: dict[str, Any], shown: str) -> None:
    plain = event(message="m", level="ERROR", timestamp="2026-11-22T10:00:00.123Z")
    assert line({**plain, **odd}, Look()) == shown
    coloured = line({**plain, **odd}, Look(colours=True))
    assert coloured.count("\x1b") == 2
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown
