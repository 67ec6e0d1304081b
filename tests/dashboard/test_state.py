import sqlite3
from pathlib import Path

import pytest

from catalog.errors import LoglakeError
from dashboard.state import StateFile


def test_a_state_that_cant_be_written_is_told_with_its_file_and_what_to_do(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    with pytest.raises(LoglakeError) as told, state.open() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # a disk with no room for one page more
        connection.execute("INSERT INTO audit VALUES (NULL, 0, 'ada', 'export', ?)", ("x" * 100_000,))
    assert str(told.value) == (
        f"the dashboard's state must be readable and writable, {str(tmp_path / 'state.db')!r}; got 'database or "
        "disk is full'; free some space on its disk, or check the folder's owner"
    )
    assert isinstance(told.value.__cause__, sqlite3.OperationalError)
    with state.open() as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone()[0] == 0
