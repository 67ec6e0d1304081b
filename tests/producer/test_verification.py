from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import UsageError
from catalog.settings import Settings
from producer import counting
from producer.ledger import Ledger
from producer.verification import Verification, ledgers_of
from producer.verify import Lake

SETTINGS = Settings("loglake", {"LOGLAKE_DROP_LEVELS": "DEBUG,INFO"})
CELL = ("payment", "2026-11-21T12:31", "INFO")


class Looks:
    """Answers each look with the next lake, the last one again and again."""

    def __init__(self, *lakes: Lake) -> None:
        self.lakes = list(lakes)

    def read(self) -> Lake:
        return self.lakes.pop(0) if len(self.lakes) > 1 else self.lakes[0]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path, ("payment",))
    minute = np.array([1_795_264_260_000])
    ledger.acknowledged(ledger.sent([np.repeat(counting.pack(minute, np.array([0]), np.array([1])), 5)]))
    return tmp_path


def lake(raw: int, rollup: int) -> Lake:
    return Lake(raw=Counter({CELL[:2]: raw}), rollup=Counter({CELL: rollup}))


def test_it_looks_again_until_the_stages_agree(ledger: Path) -> None:
    said: list[str] = []
    looks = Looks(lake(2, 0), lake(5, 2), lake(5, 5))
    verdict = Verification([ledger], SETTINGS, looks).run(5, said.append, look_every_s=0.01)
    assert verdict.findings == []
    assert [line.split(": ")[1] for line in said] == [
        "3 on their way to raw, 2 on their way to rollup",
        "3 on their way to rollup",
    ]


def test_what_is_still_missing_after_the_wait_is_lost(ledger: Path) -> None:
    verdict = Verification([ledger], SETTINGS, Looks(lake(4, 4))).run(0.05, lambda _: None, look_every_s=0.01)
    assert [(finding.stage, finding.kind, finding.events) for finding in verdict.findings] == [("raw", "lost", 1)]
    assert verdict.acknowledged == 5


def test_events_of_no_ledger_are_told_apart_and_waited_for_by_nobody(ledger: Path) -> None:
    said: list[str] = []
    verdict = Verification([ledger], SETTINGS, Looks(lake(7, 7))).run(60, said.append)
    assert (verdict.findings, said) == ([], [])
    assert [(finding.kind, finding.events) for finding in verdict.unledgered] == [("in no ledger", 2)]


def test_several_ledgers_are_compared_together_and_each_run_counts_once(ledger: Path) -> None:
    other = ledger / "ledger-2"
    more = Ledger(other, ("payment",))
    more.acknowledged(more.sent([np.repeat(counting.pack(*(np.array([n]) for n in (1_795_264_260_000, 0, 1))), 2)]))
    verdict = Verification([ledger, other, ledger], SETTINGS, Looks(lake(7, 7))).run(0, print)
    assert (verdict.findings, verdict.unledgered, verdict.acknowledged) == ([], [], 7)


def test_the_ledgers_of_a_data_directory_are_found(tmp_path: Path) -> None:
    for name in ("ledger", "ledger/orders", "ledger-2", "other"):
        Ledger(tmp_path / name, ("payment",))
    found = [tmp_path / "ledger", tmp_path / "ledger" / "orders", tmp_path / "ledger-2"]
    assert ledgers_of((), tmp_path) == found
    assert ledgers_of((tmp_path / "other",), tmp_path) == [tmp_path / "other"]


def test_a_folder_without_a_ledger_is_one_clear_error(tmp_path: Path) -> None:
    ending = "run 'loglake produce --to kinesis --ledger DIR', or 'loglake up'"
    with pytest.raises(UsageError) as asked:
        ledgers_of((tmp_path,), tmp_path)
    assert str(asked.value) == f"--ledger must be a folder that a producer wrote; got {str(tmp_path)!r}; {ending}"
    with pytest.raises(UsageError) as searched:
        ledgers_of((), tmp_path)
    assert str(searched.value) == (
        f"--data-dir must have a folder 'ledger' that a producer wrote; got {str(tmp_path)!r}; {ending}"
    )
