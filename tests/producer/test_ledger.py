from pathlib import Path

import numpy as np
import pytest

from catalog.errors import LoglakeError
from producer import counting
from producer.counting import Kind
from producer.ledger import REJECTED, Balance, Ledger, read_ledgers, read_run, tally_of

SERVICES = ("api-gateway", "payment")
MINUTE_MS = 1_795_303_860_000
INFO, ERROR = 1, 3


def keys(service: int, level: int, count: int, kind: Kind = Kind.GOOD) -> counting.Integers:
    one = counting.pack(np.array([MINUTE_MS]), np.array([service]), np.array([level]))
    return np.repeat(one, count) + kind


def test_acknowledged_events_are_counted_by_service_minute_and_level(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES)
    sent = [keys(0, INFO, 3), keys(1, ERROR, 2), keys(1, INFO, 1, Kind.UNREADABLE), keys(0, INFO, 4, Kind.REJECTED)]
    ledger.acknowledged(ledger.sent(sent))
    balance = read_ledgers([tmp_path])
    assert balance.acknowledged.cells == {
        ("api-gateway", "2026-11-21T23:31", "INFO"): 3,
        ("payment", "2026-11-21T23:31", "ERROR"): 2,
        ("api-gateway", "2026-11-21T23:31", REJECTED): 4,
    }
    assert balance.acknowledged.unreadable == 1
    assert balance.in_doubt.total == 0


def test_a_call_settles_in_parts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES)
    call = ledger.sent([keys(0, INFO, 5)])
    ledger.acknowledged(call, [keys(0, INFO, 2)])
    assert (read_ledgers([tmp_path]).acknowledged.total, read_ledgers([tmp_path]).in_doubt.total) == (2, 3)
    ledger.refused(call)
    assert (read_ledgers([tmp_path]).acknowledged.total, read_ledgers([tmp_path]).in_doubt.total) == (2, 0)


def test_a_ledger_cut_off_at_any_byte_never_counts_too_much(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES)
    for _ in range(3):
        ledger.acknowledged(ledger.sent([keys(0, INFO, 5)]))
    data = ledger.path.read_bytes()
    for length in range(len(data) + 1):
        balance = Balance()
        read_run(data[:length], balance)
        whole = data[:length].split(b"\n")[:-1]
        settled = sum(b"acknowledged" in line for line in whole)
        torn = data[:length].split(b"\n")[-1]
        assert balance.acknowledged.total in {settled * 5, (settled + torn.endswith(b"}")) * 5}


def test_a_ledger_with_any_line_cut_off_at_any_byte_counts_all_that_the_others_say(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES)
    for _ in range(2):
        call = ledger.sent([keys(0, INFO, 5)])
        ledger.acknowledged(call, [keys(0, INFO, 2)])
        ledger.acknowledged(call)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        for length in range(len(line) - 1):
            balance = Balance()
            read_run(b"".join([*lines[:number], line[:length] + b"\n", *lines[number + 1 :]]), balance)
            assert (balance.acknowledged.total, balance.in_doubt.total) == CUT[number % 3]


CUT = {0: (7, 0), 1: (10, 0), 2: (7, 3)}
"""What is acknowledged and in doubt of ten events when a call's first, second or third line is cut off."""


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"7",
        b'{"call":1,"state":"acknowledged"}',
        b'{"call":1,"state":"total"}',
        b'{"call":[],"state":"sent"}',
        b'{"call":1,"state":"sent","counts":[]}',
        b"\xff",
    ],
)
def test_a_line_that_is_none_of_a_ledger_counts_for_nothing(line: bytes) -> None:
    balance = Balance()
    read_run(line + b"\n", balance)
    assert (balance.acknowledged.total, balance.in_doubt.total) == (0, 0)


def test_several_runs_add_up(tmp_path: Path) -> None:
    for run in range(2):
        ledger = Ledger(tmp_path, SERVICES)
        ledger.acknowledged(ledger.sent([keys(0, INFO, 5)]))
        ledger.close()
        ledger.path.rename(tmp_path / f"run-{run}.jsonl")
    assert read_ledgers([tmp_path]).acknowledged.total == 10


def test_a_long_run_is_summed_up_without_changing_its_balance(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES, segment_calls=3)
    for number in range(8):
        call = ledger.sent([keys(0, INFO, 5), keys(1, ERROR, 1, Kind.UNREADABLE)])
        if number != 7:
            ledger.acknowledged(call)
    files = sorted(tmp_path.iterdir())
    assert [path.read_bytes().count(b"\n") for path in files] == [1, 1, 3]
    balance = read_ledgers([tmp_path])
    assert (balance.acknowledged.total, balance.acknowledged.unreadable, balance.in_doubt.total) == (42, 7, 6)


def test_a_segment_is_not_summed_up_while_a_call_is_open(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES, segment_calls=2)
    first = ledger.sent([keys(0, INFO, 5)])
    for _ in range(4):
        ledger.acknowledged(ledger.sent([keys(0, INFO, 5)]))
    assert len(list(tmp_path.iterdir())) == 1
    ledger.refused(first)
    assert len(list(tmp_path.iterdir())) == 2
    assert read_ledgers([tmp_path]).acknowledged.total == 20


def test_what_is_in_doubt_for_good_stays_so_when_it_is_summed_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, SERVICES, segment_calls=2)
    ledger.abandoned(ledger.sent([keys(0, INFO, 5)]))
    assert read_ledgers([tmp_path]).in_doubt.total == 5
    ledger.acknowledged(ledger.sent([keys(0, INFO, 3)]))
    assert len(list(tmp_path.iterdir())) == 2
    assert (read_ledgers([tmp_path]).acknowledged.total, read_ledgers([tmp_path]).in_doubt.total) == (3, 5)


def test_a_missing_ledger_balances_to_nothing(tmp_path: Path) -> None:
    assert read_ledgers([tmp_path / "none"]).acknowledged.total == 0


def test_an_unusable_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LoglakeError, match=r"^the ledger must be writable; got .* for '.*file'$"):
        Ledger(tmp_path / "file", SERVICES)


def test_two_runs_of_one_process_in_one_second_have_files_of_their_own(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path, SERVICES) for _ in range(20)]
    for ledger in ledgers:
        ledger.acknowledged(ledger.sent([keys(0, INFO, 5)]))
    assert len({ledger.path for ledger in ledgers}) == len(list(tmp_path.iterdir())) == 20
    assert read_ledgers([tmp_path]).acknowledged.total == 100


def test_a_ledger_that_can_not_be_read_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").mkdir()
    with pytest.raises(LoglakeError, match=r"^the ledger must be readable; got Is a directory for '.*run.jsonl'$"):
        read_ledgers([tmp_path])


def test_an_event_of_any_year_has_a_minute() -> None:
    years = [-62_135_596_800_000, 0, 253_402_300_799_999]
    tally = tally_of([counting.pack(np.array(years), np.zeros(3, dtype=int), np.ones(3, dtype=int))], SERVICES)
    assert sorted(minute for _, minute, _ in tally.cells) == [
        "0001-01-01T00:00",
        "1970-01-01T00:00",
        "9999-12-31T23:59",
    ]
