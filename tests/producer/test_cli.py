import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from producer.ledger import read_ledgers
from tests.producer.kinesis_server import SHARDS, FaultyKinesis, serving, user_records
from tests.producer.processes import environment, produce, started, wait_for

START = "2026-11-01T00:00:00Z"


def test_files_have_the_layout_of_the_lake_and_repeat_byte_for_byte(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        done = produce(
            "--days", "2", "--entries", "50", "--start", START, "--seed", "4", "--output-dir", folder, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
    names = sorted(str(path.relative_to(tmp_path / "one")) for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(names) == 12
    assert names[0] == "api-gateway/year=2026/month=11/day=01/logs_api-gateway_20261101.json"
    for name in names:
        lines = (tmp_path / "one" / name).read_bytes()
        assert lines == (tmp_path / "two" / name).read_bytes()
        assert lines.count(b"\n") == 50
        assert {orjson.loads(line)["timestamp"][:10] for line in lines.split(b"\n") if line} == {
            f"2026-11-{name[-7:-5]}"
        }


def test_stdout_repeats_byte_for_byte_at_any_pace(tmp_path: Path) -> None:
    flags = ("--to", "stdout", "--seed", "4", "--start", START, "--count", "120", "--malformed", "0.05")
    first, again = (produce(*flags, "--rate", "200", cwd=tmp_path).stdout for _ in range(2))
    assert first == again
    assert first.count(b"\n") == 120


def test_a_run_against_faults_loses_nothing_and_counts_true(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(entry_faults=0.1, call_faults=0.1)
    flags = ("--to", "kinesis", "--rate", "max", "--start", START, "--count", "20000", "--seed", "1", "--json")
    with serving(kinesis) as url:
        done = produce(*flags, "--ledger", "ledger", cwd=tmp_path, url=url)
    assert done.returncode == 0, done.stderr
    counts = orjson.loads(done.stdout)
    assert (counts["generated"], counts["acknowledged"], counts["failed"]) == (20_000, 20_000, 0)
    events = kinesis.events()
    assert len(events) == len(set(events)) == 20_000
    assert read_ledgers([tmp_path / "ledger"]).acknowledged.total == 20_000
    assert counts["records"] < 20_000 / 50


def test_a_cut_after_the_send_may_double_but_never_loses(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(cuts=0.3)
    flags = ("--to", "kinesis", "--rate", "max", "--start", START, "--count", "20000", "--seed", "1", "--json")
    with serving(kinesis) as url:
        done = produce(*flags, cwd=tmp_path, url=url)
    assert orjson.loads(done.stdout)["acknowledged"] == 20_000
    assert len(set(kinesis.events())) == 20_000


def test_every_aggregate_carries_a_key_of_the_shard_it_is_meant_for(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        produce("--to", "kinesis", "--rate", "max", "--start", START, "--count", "5000", cwd=tmp_path, url=url)
    used = {hash_key >= int(SHARDS[1]["HashKeyRange"]["StartingHashKey"]) for hash_key, _ in kinesis.stored}
    assert used == {False, True}
    assert all(len(user_records(data)) > 50 for _, data in kinesis.stored[:-1])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_sends_what_was_generated_and_counts_true(tmp_path: Path, number: int, code: int) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "400", "--ledger", "ledger")
        wait_for(lambda: kinesis.calls >= 3)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    counts = orjson.loads(out)
    assert counts["generated"] == counts["acknowledged"] == len(kinesis.events()) > 0


def test_a_killed_producer_leaves_a_ledger_that_covers_the_stream(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "max", "--ledger", "ledger")
        wait_for(lambda: kinesis.calls >= 5)
        process.kill()
        process.communicate(timeout=30)
    balance = read_ledgers([tmp_path / "ledger"])
    stored = len(set(kinesis.events()))
    assert balance.acknowledged.total <= stored <= balance.acknowledged.total + balance.in_doubt.total


def test_an_endpoint_that_restarts_loses_nothing(tmp_path: Path) -> None:
    kinesis = FaultyKinesis()
    with serving(kinesis) as url:
        process = started(tmp_path, url, "--rate", "500", "--count", "2500", "--seed", "2")
        wait_for(lambda: kinesis.calls >= 3)
    time.sleep(2)
    with serving(kinesis, int(url.rsplit(":", 1)[1])):
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert orjson.loads(out)["acknowledged"] == 2500
    assert len(set(kinesis.events())) == 2500


_CREDENTIALS = """
import json, sys, time
ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
print(json.dumps({"Version": 1, "AccessKeyId": f"KEY{time.time_ns()}", "SecretAccessKey": "s", "SessionToken": "t",
                  "Expiration": ends}))
"""


def test_a_call_with_expired_credentials_is_made_again_with_new_ones(tmp_path: Path) -> None:
    (tmp_path / "credentials.py").write_text(_CREDENTIALS)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} credentials.py\n")
    kinesis = FaultyKinesis()
    expired = (400, {"__type": "ExpiredTokenException", "message": "The security token included is expired"})
    kinesis.scripted = [None, expired, expired]
    with serving(kinesis) as url:
        known = environment(url)
        variables = {name: value for name, value in known.items() if not name.startswith("AWS_") or "KEY" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "producer", "--to", "kinesis", "--rate", "500", "--count", "600", "--json"],
            cwd=tmp_path,
            env={**variables, "AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "none"},
            capture_output=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["acknowledged"] == len(kinesis.events()) == 600
    assert len(set(kinesis.access_keys)) > 1


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "producer", "--to", "stdout", "--rate", "max"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_what_finally_failed_can_be_sent_again(tmp_path: Path) -> None:
    broken, whole = FaultyKinesis(entry_faults=1.0), FaultyKinesis()
    flags = ("--to", "kinesis", "--json", "--ledger", "ledger")
    with serving(broken) as url:
        made = ("--rate", "max", "--start", START, "--count", "300", "--malformed", "0.1", "--seed", "1")
        failing = (*flags, *made, "--retry-for", "0.2s", "--dead-letters", "dead.jsonl")
        failed = produce(*failing, cwd=tmp_path, url=url)
    assert failed.returncode == 1
    assert orjson.loads(failed.stdout)["failed"] == 300
    with serving(whole) as url:
        replayed = produce(*flags, "--replay", "dead.jsonl", cwd=tmp_path, url=url)
    assert replayed.returncode == 0, replayed.stderr
    expected = [line for line in (tmp_path / "dead.jsonl").read_bytes().split(b"\n") if line]
    assert sorted(whole.events()) == sorted(expected)
    balance = read_ledgers([tmp_path / "ledger"])
    assert (balance.acknowledged.total, balance.in_doubt.total) == (300, 0)
    counts = orjson.loads(replayed.stdout)
    assert counts["malformed"] == orjson.loads(failed.stdout)["malformed"] > 0


@pytest.mark.parametrize(
    ("flags", "code", "text"),
    [
        (
            ("--rate", "0"),
            2,
            "must be events a second, above 0 and at most 1000000, such as 200, 50..400 or max; got '0'",
        ),
        (
            ("--rate", "1e9"),
            2,
            "must be events a second, above 0 and at most 1000000, such as 200, 50..400 or max; got '1e9'",
        ),
        (("--rate", "400..50"), 2, "such as 200, 50..400 or max; got '400..50'"),
        (("--scenario", "x", "--to", "stdout", "--count", "1"), 2, "--scenario must be one of error-burst, "),
        (("--to", "kinesis", "--replay", "none"), 1, "can't be reached"),
        (("--duration", "soon"), 2, "must be a number with s, m, h or d, such as 60s; got 'soon'"),
        (("--start", "yesterday"), 2, "must be ISO-8601, such as 2026-11-01T00:00:00Z; got 'yesterday'"),
        (("--ledger", "x"), 2, "--ledger needs --to kinesis or --to firehose; got --to files"),
        (("--backfill", "2d"), 2, "--backfill needs --to stdout, kinesis or firehose; for files, say --days"),
        (("--to", "kinesis"), 1, "stream 'logs' can't be reached"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, flags: tuple[str, ...], code: int, text: str) -> None:
    done = produce(*flags, cwd=tmp_path)
    assert done.returncode == code
    assert text in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_two_producers_and_real_logs_share_a_folder_of_ledgers(tmp_path: Path) -> None:
    kinesis = FaultyKinesis(entry_faults=0.02)
    (tmp_path / "web.log").write_bytes(
        b"".join(b'{"ts":%d,"level":"warn","msg":"hi"}\n' % (1_795_303_867 + number) for number in range(700))
    )
    made = ("--rate", "2000", "--count", "3000", "--ledger", "ledger")
    with serving(kinesis) as url:
        running = [started(tmp_path, url, *made, "--dead-letters", f"dead-{number}") for number in range(2)]
        running.append(started(tmp_path, url, "--from", "web.log", "--spool", "spool", "--ledger", "ledger"))
        assert [(process.communicate(timeout=60), process.returncode)[1] for process in running] == [0, 0, 0]
    balance = read_ledgers([tmp_path / "ledger"])
    assert (balance.acknowledged.total, balance.in_doubt.total) == (6700, 0)
    assert sum(count for (service, _, _), count in balance.acknowledged.cells.items() if service == "web") == 700
    assert len(kinesis.events()) == 6700
