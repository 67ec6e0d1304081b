import errno
import os
import sqlite3

import pytest

from localcloud.full_disk import is_full


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), False),
        (sqlite3.OperationalError("database or disk is full"), True),
        (sqlite3.OperationalError("no such table: executions"), False),
        (RuntimeError("IO Error: Could not write file: No space left on device"), True),
    ],
)
def test_a_full_disk_is_told_from_other_failures(error: Exception, full: bool) -> None:
    assert is_full(error) is full


def test_a_failure_that_came_from_a_full_disk_is_one() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "full")
        except OSError as cause:
            raise ValueError("not written") from cause
    except ValueError as error:
        assert is_full(error)
