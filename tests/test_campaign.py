import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from benchmarks.campaign import messages
from benchmarks.campaign.faults import CLOCK_STEPS, MIDNIGHT, clock, go_on, kill, pause, set_clock
from benchmarks.campaign.plan import ROLES, SCENARIOS, draw
from benchmarks.campaign.readers import Readers
from benchmarks.campaign.report import Report
from tests.localcloud.test_processes import wait_for

ROOT = Path(__file__).parent.parent


def test_a_seed_gives_the_same_faults_again_and_another_seed_others() -> None:
    assert draw(7, 600, SCENARIOS) == draw(7, 600, SCENARIOS) != draw(8, 600, SCENARIOS)


def test_a_plan_kills_every_process_at_least_once_in_four_minutes() -> None:
    killed = Counter(role for step in draw(1, 240, ("kills",)) for role in step.roles)
    assert set(killed) == set(ROLES)


def test_a_plan_holds_the_chosen_scenarios_only_and_ends_in_time() -> None:
    steps = draw(1, 300, ("stop", "disk"))
    assert {step.kind for step in steps} == {"stop", "disk"}
    assert all(0 < step.at < 300 for step in steps)
    assert steps == sorted(steps, key=lambda step: step.at)


def test_a_count_that_falls_is_taken_down() -> None:
    readers = Readers("http://127.0.0.1:1", time.monotonic())
    for found in (3, 5, 5, 4):
        readers.note("logs", found)
    assert readers.falls == ["logs fell from 5 to 4 at 0.0 s"]
    assert readers.answers == {"logs": 4}


def test_tracebacks_are_told_by_their_last_line_without_numbers(tmp_path: Path) -> None:
    log = tmp_path / "producer.log"
    trace = 'Traceback (most recent call last):\n  File "x.py", line 3, in f\n    g()\nOSError: [Errno 28] full\n'
    log.write_text(f"12:00 all well\n{trace}{trace}WARNING: slow\n", encoding="utf-8")
    found = messages.collect([log])
    assert found["tracebacks"] == {"producer.log: OSError: [Errno #] full": 2}
    assert found["lines"] == {"producer.log: OSError: [Errno #] full": 2, "producer.log: WARNING: slow": 1}


def test_a_violation_names_the_command_that_replays_it() -> None:
    report = Report(3, 8, 50, ("kills",))
    report.verdict = {"findings": [{"kind": "lost", "events": 2}, {"kind": "lost", "events": 1}]}
    report.judge(481.2)
    assert report.violations == ["at 481 s: 3 events lost (--seed 3 --minutes 8 --rate 50 --only kills)"]
    assert report.as_json()["met"] is False


def test_a_process_is_stopped_and_goes_on_and_is_killed() -> None:

    process = psutil.Process(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
    assert pause(process)
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED)
    assert go_on(process)
    wait_for(lambda: process.status() != psutil.STATUS_STOPPED)
    assert kill([process], random.Random(1)) == process
    assert process.wait(10) is not None
    assert kill([], random.Random(1)) is None


def test_a_clock_is_set_for_who_reads_it_and_sleeps_go_on(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    variables, file = clock(tmp_path)
    program = "import time; began = time.monotonic(); time.sleep(0.2); print(time.time(), time.monotonic() - began)"
    for moment in (MIDNIGHT, CLOCK_STEPS["clock-forward"]):
        set_clock(file, moment)
        done = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | variables, capture_output=True, text=True, check=True
        )
        now, slept = map(float, done.stdout.split())
        assert abs(now - moment.timestamp()) < 10
        assert 0.2 <= slept < 5


@pytest.mark.slow
@pytest.mark.local
@pytest.mark.timeout(600)
@pytest.mark.skipif("LOGLAKE_CAMPAIGN" not in os.environ, reason="takes a machine of its own: set LOGLAKE_CAMPAIGN=1")
def test_a_short_campaign_loses_nothing_and_leaves_nothing_running(tmp_path: Path) -> None:
    """A worker of the dashboard and the endpoint are killed."""
    file = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.campaign", "--minutes", "0.5", "--seed", "1", "--only", "kills"]
    done = subprocess.run(
        [*command, "--rate", "20", "--json", str(file), "--keep", str(tmp_path / "kept")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["violations"] == [], done.stdout
    assert done.returncode == 0 and report["kills"] and report["verdict"]["findings"] == []
