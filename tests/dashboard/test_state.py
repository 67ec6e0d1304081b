import sqlite3
from pathlib import Path

import pytest

from catalog.errors import LoglakeError
from dashboard.state import DEFAULT_ADDRESS, Address, StateFile


def test_address_is_the_one_that_was_written_last(tmp_path: Path) -> None:
    assert Address(tmp_path).read() == DEFAULT_ADDRESS
    for port in (8077, 8078):
        Address(tmp_path / "made").write(f"http://127.0.0.1:{port}/")
    assert Address(tmp_path / "made").read() == "http://127.0.0.1:8078/"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["address"]


def test_state_file_that_is_no_database_is_said_and_works_again_once_it_is_gone(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    (tmp_path / "state.db").write_text("this is no database, and long enough to be seen as none")
    with pytest.raises(LoglakeError) as caught, state.open():
        pass
    assert str(caught.value) == (
        f"the state file must be a SQLite database that can be written; got {str(tmp_path / 'state.db')!r} "
        "(file is not a database); put a copy of it back, or move it away to begin anew"
    )
    (tmp_path / "state.db").unlink()
    with state.open() as connection:
        assert connection.execute("SELECT count(*) FROM firings").fetchone()[0] == 0


def test_state_file_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as old:
        old.execute("CREATE TABLE evaluations (rule TEXT PRIMARY KEY, at REAL, error TEXT, facts TEXT)")
    with StateFile(tmp_path).open() as connection:
        assert connection.execute("SELECT count(*) FROM judgements").fetchone()[0] == 0


def test_a_state_that_cant_be_written_is_told_with_its_file_and_what_to_do(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    with pytest.raises(LoglakeError) as told, state.open() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # a disk with no room for one page more
        connection.execute("INSERT INTO audit VALUES (NULL, 0, 'ada', 'export', ?)", ("x" * 100_000,))
    assert str(told.value) == (
        f"the state file must be a SQLite database that can be written; got {str(tmp_path / 'state.db')!r} "
        "(database or disk is full); free space on its disk, or check the folder's owner"
    )
    assert isinstance(told.value.__cause__, sqlite3.OperationalError)
    with state.open() as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone()[0] == 0
