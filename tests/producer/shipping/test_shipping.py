"""Shipping as its user sees it: a process that reads what an application writes, and what arrives."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.producer.kinesis_server import FaultyKinesis, serving
from tests.producer.processes import environment, produce, started, wait_for

LINE = b'{"timestamp":"2026-11-22T01:02:03Z","service":"payment","level":"INFO","message":"line %06d"}\n'
SHIP = ("--from", "app.log", "--service", "payment", "--spool", "spool")


def write(path: Path, first: int, last: int) -> None:
    with path.open("ab") as file:
        file.write(b"".join(LINE % number for number in range(first, last)))


def arrived(kinesis: FaultyKinesis) -> list[dict[str, Any]]:
    return [orjson.loads(event) for event in kinesis.events()]


def messages(kinesis: FaultyKinesis) -> set[str]:
    return {event["message"] for event in arrived(kinesis)}


def lines(first: int, last: int) -> set[str]:
    return {f"line {number:06d}" for number in range(first, last)}


def stopped(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    counts: dict[str, Any] = orjson.loads(out)
    return counts


def test_no_accepted_line_is_lost_by_kills_and_one_sent_again_keeps_its_id(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(entry_faults=0.05, cuts=0.05)
    total = 0
    with serving(kinesis) as url:
        for kill in range(5):
            process = started(tmp_path, url, *SHIP, "--follow")
            seen = kinesis.calls
            write(tmp_path / "app.log", total, total + 4000)
            total += 4000
            wait_for(lambda seen=seen: kinesis.calls > seen)
            time.sleep(0.03 * kill)
            process.kill()
            process.communicate(timeout=30)
        done = produce("--to", "kinesis", "--json", *SHIP, cwd=tmp_path, url=url)
    assert done.returncode == 0, done.stderr
    events = arrived(kinesis)
    assert {event["message"] for event in events} == lines(0, total)
    ids = Counter((event["event_id"], event["message"]) for event in events)
    assert len(ids) == total == len({event_id for event_id, _ in ids})


def test_following_goes_on_through_rotation_and_truncation(tmp_path: Path) -> None:
    kinesis, log = FaultyKinesis(), tmp_path / "app.log"
    write(log, 0, 500)
    with serving(kinesis) as url:
        process = started(tmp_path, url, *SHIP, "--follow")
        wait_for(lambda: messages(kinesis) == lines(0, 500))
        log.rename(tmp_path / "app.log.1")
        write(tmp_path / "app.log.1", 500, 600)  # its writer has not noticed yet
        write(log, 600, 900)
        wait_for(lambda: messages(kinesis) == lines(0, 900))
        log.write_bytes(b"")
        time.sleep(0.5)
        write(log, 900, 1000)
        wait_for(lambda: messages(kinesis) == lines(0, 1000))
        counts = stopped(process)
    assert counts["acknowledged"] == counts["generated"] == len(kinesis.events()) == 1000


def test_a_second_run_goes_on_where_the_first_one_ended(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        for first in (0, 300):
            write(tmp_path / "app.log", first, first + 300)
            done = produce("--to", "kinesis", "--json", *SHIP, cwd=tmp_path, url=url)
            assert orjson.loads(done.stdout)["acknowledged"] == 300, done.stderr
    assert len(kinesis.events()) == 600


def test_a_sink_that_is_away_leaves_the_lines_in_the_spool_for_the_next_run(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(call_faults=1.0)
    write(tmp_path / "app.log", 0, 300)
    with serving(kinesis) as url:
        process = started(tmp_path, url, *SHIP)
        wait_for(lambda: kinesis.calls)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        counts = orjson.loads(out)
        assert (counts["acknowledged"], counts["failed"], counts["spooled"]) == (0, 0, 300)
        kinesis.call_faults = 0.0
        (tmp_path / "app.log").unlink()
        (tmp_path / "app.log").touch()
        done = produce("--to", "kinesis", "--json", *SHIP, cwd=tmp_path, url=url)
    assert done.returncode == 0, done.stderr
    assert messages(kinesis) == lines(0, 300)


ACCESS = (
    b'203.0.113.9 - ada [22/Nov/2026:01:02:03 +0100] "GET /a?b=1 HTTP/1.1" 503 17 "-" "curl/8"\n'
    b"what is this\n"
    b'203.0.113.9 - - [22/Nov/2026:01:02:04 +0100] "POST /b HTTP/1.1" 201 5\n'
)


@pytest.mark.parametrize(
    ("read_as", "given", "count"),
    [
        ("access", ACCESS, 2),
        ("csv", b"timestamp,level,message\n2026-11-22T01:02:03Z,INFO,well\nno time,INFO,bad\n", 1),
        ("json", LINE % 1 + b"{torn\n" + LINE % 2, 2),
    ],
)
def test_standard_input_is_shipped_and_what_can_not_be_read_is_kept(
    tmp_path: Path, read_as: str, given: bytes, count: int
) -> None:
    flags = ("--from", "-", "--read-as", read_as, "--service", "web", "--spool", "spool", "--json")
    done = produce("--to", "stdout", *flags, cwd=tmp_path, given=given)
    events = [orjson.loads(line) for line in done.stdout.split(b"\n") if line]
    counts = orjson.loads(done.stderr.strip().split(b"\n")[-1])
    assert (len(events), counts["acknowledged"], counts["unparsable"]) == (count, count, 1)
    kept = [orjson.loads(line) for line in (tmp_path / "spool" / "unparsable.jsonl").read_bytes().split(b"\n") if line]
    assert [entry["line"].encode() + b"\n" in given for entry in kept] == [True]
    if read_as == "access":
        assert [(e["status_code"], e["http_method"], e["level"]) for e in events] == [
            (503, "GET", "ERROR"),
            (201, "POST", "INFO"),
        ]


def test_two_runs_may_not_use_one_spool(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    write(tmp_path / "app.log", 0, 10)
    with serving(kinesis) as url:
        process = started(tmp_path, url, *SHIP, "--follow")
        wait_for(lambda: messages(kinesis) == lines(0, 10))
        command = [sys.executable, "-m", "producer", "--to", "kinesis", *SHIP]
        second = subprocess.run(
            command, cwd=tmp_path, env=environment(url), capture_output=True, timeout=60, check=False
        )
        stopped(process)
    assert second.returncode == 1
    assert second.stderr == b"LoglakeError: --spool must be used by one run at a time; got 'spool'\n"


def test_a_file_without_one_event_ends_with_1_and_says_where_its_lines_are(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b'{"level":"INFO"}\nTraceback\n\n')
    done = produce("--to", "stdout", "--from", "app.log", "--spool", "spool", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines()[-1] == (
        "LoglakeError: --from must have lines that are events; got 2 lines in 'spool/unparsable.jsonl'; the first, at"
        " byte 0: `timestamp` must be ISO-8601 or a number of seconds, ms, us or ns since 1970; got nothing, among"
        " 'level'; say which of their fields is which with --mapping FILE, see docs/producer.md"
    )


def test_a_header_that_is_no_row_is_said_of_every_line(tmp_path: Path) -> None:
    given = b'"a"b,c\n1,2\n3,4\n'
    done = produce("--to", "stdout", "--from", "-", "--read-as", "csv", "--spool", "spool", cwd=tmp_path, given=given)
    assert done.returncode == 1
    assert (
        b"got 3 lines in 'spool/unparsable.jsonl'; the first, at byte 0: the first line must be a CSV row"
        in done.stderr
    )


def said(process: subprocess.Popen[bytes]) -> str:
    """Return the next thing that a run tells its user."""
    assert process.stderr
    return process.stderr.readline().decode().rstrip("\n")


def interrupted(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_following_tells_of_the_files_coming_and_going_once_each(tmp_path: Path) -> None:
    kinesis, log = FaultyKinesis(), tmp_path / "later" / "app.log"
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--from", "later/app.log", "--spool", "spool", "--follow")
        assert said(process) == "cannot open 'later/app.log': No such file or directory; waiting for it"
        log.parent.mkdir()
        write(log, 0, 10)
        assert said(process) == "'later/app.log' has appeared; reading it"
        wait_for(lambda: messages(kinesis) == lines(0, 10))
        log.rename(tmp_path / "away.log")
        assert said(process) == "cannot open 'later/app.log': No such file or directory; waiting for it"
        write(log, 10, 20)
        assert said(process) == "'later/app.log' was replaced; reading the new file"
        wait_for(lambda: messages(kinesis) == lines(0, 20))
        log.write_bytes(b"")
        assert said(process) == "'later/app.log' was truncated; reading it from its beginning"
        interrupted(process)


def test_following_a_file_that_can_not_be_opened_waits_for_it(tmp_path: Path) -> None:
    kinesis, log = FaultyKinesis(), tmp_path / "app.log"
    log.symlink_to(log)
    with serving(kinesis) as url:
        process = started(tmp_path, url, *SHIP, "--follow")
        assert said(process) == "cannot open 'app.log': Too many levels of symbolic links; waiting for it"
        log.unlink()
        write(log, 0, 10)
        assert said(process) == "'app.log' has appeared; reading it"
        wait_for(lambda: messages(kinesis) == lines(0, 10))
        interrupted(process)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            ("--from", "none.log"),
            "UsageError: --from must be a file that exists, unless with --follow; got 'none.log'\n",
        ),
        (
            ("--from", ".", "--follow"),
            "UsageError: --from must be a file, or - for standard input; got the folder '.'\n",
        ),
    ],
)
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, flags: tuple[str, ...], text: str) -> None:
    done = produce("--to", "stdout", *flags, "--spool", "spool", cwd=tmp_path)
    assert (done.returncode, done.stderr.decode()) == (2, text)


def test_following_lines_that_are_no_events_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"plain\nplain\n")
    command = [sys.executable, "-u", "-m", "producer", "--to", "stdout", *SHIP, "--follow"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as run:
        assert run.stderr
        assert run.stderr.readline().startswith(b"unparsable: a line, kept as all such in 'spool/unparsable.jsonl': ")
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 1
